"""A course in small whose mistakes have names: singles, pairs, twins, a variant."""

from pathlib import Path

from grader.assignment import Assignment, read_assignment
from grader.author import make_skeleton
from grader.expected import from_reference
from grader.mistakes import FromReference, NotKept, PatchedReference
from grader.pipeline import Desk, grade
from grader.provenance import provenance
from grader.sandbox.runner import Runner
from grader.types import Grade, Submission, SubmittedFile

REFERENCE = '''# %% [markdown]
# # Chain
#
# Nobody, 2026, section 1. Against torch.nn: there is no such layer.
#
# | letter | size of |
# | --- | --- |
# | `B` | batch |

# %%
import torch

# %%
def double(x):
    """Twice x and one more, (B, N)."""
    # BEGIN SOLUTION
    return x * 2 + 1
    # END SOLUTION


# %%
def shift(x):
    """What double gives, less 3, (B, N)."""
    # BEGIN SOLUTION
    y = double(x)
    return y - 3
    # END SOLUTION


# %%
class Scale(torch.nn.Module):
    """A learnt factor of what double gives."""

    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        """x (B, N) doubled, times the factor (N,)."""
        # BEGIN SOLUTION
        return double(x) * self.factor
        # END SOLUTION
'''

RUBRIC = """
assignment: chain
title: {en: Chain, ko: 사슬}
limits: {seconds: 10, trial_seconds: 2, memory_mb: 512}
cases:
  - {id: seen, entry: double, args: {x: "normal(B, N)"}, sizes: {B: 2, N: 3}, returns: {y: "B, N"}, show: public}
  - {id: unseen, entry: double, args: {x: "normal(B, N)"}, sizes: {B: 4, N: 5}, returns: {y: "B, N"}, show: hidden}
  - {id: moved, entry: shift, args: {x: "normal(B, N)"}, sizes: {B: 2, N: 3}, returns: {y: "B, N"}, show: public}
  - {id: moved-unseen, entry: shift, args: {x: "normal(B, N)"}, sizes: {B: 3, N: 4}, returns: {y: "B, N"}, show: hidden}
  - {id: scale, entry: Scale, config: {size: 3}, args: {x: "normal(B, size)"}, sizes: {B: 2}, returns: {y: "B, size"}, show: public}
  - {id: scale-unseen, entry: Scale, config: {size: 4}, args: {x: "normal(B, size)"}, sizes: {B: 3}, returns: {y: "B, size"}, show: hidden}
criteria:
  - {id: value, entry: double, points: 2, title: {en: Doubled, ko: 두 배}, checks: [close, pure], read: goal}
  - {id: shifted, entry: shift, points: 2, title: {en: Shifted, ko: 이동}, checks: [close], read: shift}
  - {id: scaled, entry: Scale, points: 3, title: {en: Scaled, ko: 크기 조절}, checks: [close]}
  - {id: alone, entry: Scale, points: 1, title: {en: Rows alone, ko: 행마다 따로}, checks: [batch], why: a row may look at another}
  - {id: backward, entry: Scale, points: 2, title: {en: Gradients, ko: 기울기}, checks: [gradient]}
misconceptions:
  - id: triple
    edits: [{in: double, find: "x * 2", put: "x * 3"}]
    symptom: {en: The slope is too steep., ko: 기울기가 너무 큽니다.}
    hint: {en: "How much does y grow when x grows by one?", ko: "x가 1 커지면 y는 얼마나 커지나요?"}
    source: here
  - id: no-one
    edits: [{in: double, find: "+ 1", put: "+ 0"}]
    symptom: {en: Zero stays zero., ko: 0이 0으로 남습니다.}
    hint: {en: "What is double of zero?", ko: "0을 넣으면 무엇이 나와야 하나요?"}
    source: here
  - id: fourfold
    edits: [{in: double, find: "x * 2", put: "x * 4"}]
    symptom: {en: Doubled twice., ko: 두 번 두 배가 되었습니다.}
    hint: {en: "How often do you double?", ko: "두 배를 몇 번 하나요?"}
    source: here
    twins: [double-twice]
  - id: double-twice
    edits: [{in: double, find: "x * 2", put: "(x + x) * 2"}]
    symptom: {en: Doubled two times over., ko: 두 배가 겹쳤습니다.}
    hint: {en: "Is it doubled elsewhere as well?", ko: "다른 곳에서도 두 배가 되나요?"}
    source: here
    twins: [fourfold]
  - id: nothing
    edits: [{in: double, find: "x * 2", put: "x * float('nan')"}]
    symptom: {en: No number comes back., ko: 숫자가 아닌 값이 나옵니다.}
    hint: {en: "Which operation has no result?", ko: "어떤 연산에 결과가 없나요?"}
    source: here
  - id: other-way
    edits: [{in: shift, find: "y - 3", put: "y + 3"}]
    symptom: {en: Shifted the other way., ko: 반대쪽으로 이동했습니다.}
    hint: {en: "Which way is less?", ko: "작아지는 쪽은 어느 쪽인가요?"}
    source: here
  - id: added
    edits: [{in: Scale.forward, find: "double(x) * self.factor", put: "double(x) + self.factor"}]
    symptom: {en: The factor is added., ko: 계수를 더했습니다.}
    hint: {en: "What does a factor of zero do?", ko: "계수가 0이면 어떻게 되나요?"}
    source: here
  - id: detached
    edits: [{in: Scale.forward, find: "self.factor", put: "self.factor.detach()"}]
    symptom: {en: The factor learns nothing., ko: 계수가 학습되지 않습니다.}
    hint: {en: "Does a gradient reach the factor?", ko: "기울기가 계수까지 전해지나요?"}
    source: here
variants:
  - id: by-two
    edits: [{in: shift, find: "y - 3", put: "y - 2"}]
    earns: {shifted: 0.5}
    note: {en: It is shifted by two., ko: 2만큼 이동했습니다.}
harmless:
  - id: sum
    edits: [{in: double, find: "x * 2", put: "(x + x)"}]
    why: the same number
"""

RIGHT = """import torch

def double(x):
    return 1 + x + x

def shift(x):
    return double(x) - 3

class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return self.factor * double(x)
"""
"""Written by someone who has not read the reference."""

ALL_POINTS = 10


def make_course(folder: Path, rubric: str = RUBRIC, reference: str = REFERENCE) -> Path:
    """The course on disk, its skeleton released."""
    for part in ("assignments/chain", "reference", "rubrics"):
        (folder / part).mkdir(parents=True)
    (folder / "reference" / "chain.py").write_text(reference)
    (folder / "rubrics" / "chain.yaml").write_text(rubric, encoding="utf-8")
    handout = '<a id="goal"></a>\n## Goal\n<a id="shift"></a>\n## Shift\n'
    (folder / "assignments" / "chain" / "README.md").write_text(handout)
    skeleton = make_skeleton(reference, "reference/chain.py")
    (folder / "assignments" / "chain" / "chain.py").write_text(skeleton)
    return folder


def make_assignment(folder: Path, rubric: str = RUBRIC, reference: str = REFERENCE) -> Assignment:
    """The course's assignment."""
    return read_assignment(make_course(folder, rubric, reference), "chain")


def make_desk(assignment: Assignment, runner: Runner) -> Desk:
    """Where the assignment is graded, knowing all of its mistakes."""
    standard = from_reference(assignment, runner.run, "secret")
    source = assignment.reference.content.decode()
    return Desk(
        standard=standard,
        skeleton=assignment.skeleton,
        open=runner.open,
        mistakes=FromReference(
            PatchedReference(assignment.rubric, source, standard.trials, runner.run), NotKept()
        ),
    )


def graded(desk: Desk, source: str) -> Grade:
    """The grade of one module."""
    file = SubmittedFile(name="chain.py", content=source.encode())
    submission = Submission(student="s", assignment="chain", path="s", files=(file,))
    return grade(submission, desk, provenance("key", "E"))


def written(**changed: str) -> str:
    """RIGHT with the bodies of some definitions replaced: written(double="return x * 3 + 1")."""
    bodies = {
        "double": "return 1 + x + x",
        "shift": "return double(x) - 3",
        "scale": "return self.factor * double(x)",
    }
    source = RIGHT
    for name, body in changed.items():
        assert source.count(bodies[name]) == 1
        source = source.replace(bodies[name], body)
    return source
