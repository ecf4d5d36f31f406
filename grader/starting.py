"""Starting points for a course and for an assignment. The author's room."""

from pathlib import Path

from grader.assignment import PARTS
from grader.errors import UsageError

REFERENCE = '''\
# %% [markdown]
# # {title}
#
# Source: author, year, section N. How this differs from `torch.nn`: say it here.
#
# | letter | size of |
# | --- | --- |
# | `B` | batch |
# | `D` | features |

# %%
import torch


# %%
def scaled(x: torch.Tensor, factor: float) -> torch.Tensor:
    """Every number of x (B, D), times the factor."""
    # BEGIN SOLUTION
    return x * factor
    # END SOLUTION
'''
RUBRIC = """\
assignment: {name}
title: {{en: "{title}", ko: "{title}"}}
limits: {{seconds: 20, trial_seconds: 2, memory_mb: 1024}}
cases:
  - {{id: small, entry: scaled, args: {{x: "normal(B, D)", factor: 3.0}}, sizes: {{B: 2, D: 3}}, returns: {{y: "B, D"}}, show: public}}
  - {{id: other, entry: scaled, args: {{x: "normal(B, D)", factor: -0.5}}, sizes: {{B: 4, D: 5}}, returns: {{y: "B, D"}}, show: hidden}}
criteria:
  - {{id: shape, entry: scaled, points: 1, title: {{en: The right shape, ko: 올바른 모양}}, checks: [shape], read: goal, why: no known mistake changes the shape}}
  - {{id: value, entry: scaled, points: 2, title: {{en: The right values, ko: 올바른 값}}, checks: [close, pure], needs: [shape], read: goal}}
misconceptions:
  - id: adds
    edits: [{{in: scaled, find: "x * factor", put: "x + factor"}}]
    symptom: {{en: The factor is added to every number., ko: 모든 수에 배율을 더했습니다.}}
    hint: {{en: "What should happen to a number that is zero?", ko: "0인 수는 어떻게 되어야 할까요?"}}
    source: where it was met
"""
HAND_OUT = """\
# {title}

<a id="goal"></a>
## Goal

`scaled(x, factor)`: `x` is (B, D); returns (B, D), every number of `x` times `factor`.
"""
IGNORED = ".grader-secret\ngradebook.db*\nresults/\n"


def new_course(folder: Path) -> tuple[Path, ...]:
    """A course with one assignment to start from: the files that were written.

    Raises:
        UsageError: something is there already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"expected a new or an empty folder, got one with files in it @ {folder}")
    for part in PARTS:
        (folder / part).mkdir(parents=True)
    ignored = folder / ".gitignore"
    ignored.write_text(IGNORED, encoding="utf-8")
    return ignored, *new_assignment(folder, "first")


def new_assignment(course: Path, name: str) -> tuple[Path, ...]:
    """An assignment that can be released and graded as it is: the files that were written.

    Raises:
        UsageError: the name is no Python name, or the course has such an assignment.
    """
    if not (name.isidentifier() and name.isascii()):
        raise UsageError(f"expected a name such as lstm or seq2seq, got {name!r}")
    title = name.replace("_", " ").capitalize()
    files = {
        course / "reference" / f"{name}.py": REFERENCE.format(title=title),
        course / "rubrics" / f"{name}.yaml": RUBRIC.format(name=name, title=title),
        course / "assignments" / name / "README.md": HAND_OUT.format(title=title),
    }
    there = [str(path) for path in files if path.exists()]
    if there:
        raise UsageError(f"expected a new assignment, got one that is there @ {', '.join(there)}")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tuple(files)
