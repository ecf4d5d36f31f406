"""A course of one small assignment, for tests of everything around the checks."""

from pathlib import Path

REFERENCE = '''# %% [markdown]
# # Doubling
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
    """Twice x, (B, N)."""
    # BEGIN SOLUTION
    return x * 2
    # END SOLUTION


# %%
class Scale(torch.nn.Module):
    """A learnt factor."""

    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        """x (B, N) times the factor (N,)."""
        # BEGIN SOLUTION
        return x * self.factor
        # END SOLUTION
'''

RUBRIC = """
assignment: tiny
title: {en: Doubling, ko: 두 배}
forbidden: {double: [torch.add]}
limits: {seconds: 6, trial_seconds: 0.7, memory_mb: 512}
cases:
  - {id: seen, entry: double, args: {x: "normal(B, N)"}, sizes: {B: 2, N: 3}, returns: {y: "B, N"}, show: public}
  - {id: unseen, entry: double, args: {x: "normal(B, N)"}, sizes: {B: 4, N: 5}, returns: {y: "B, N"}, show: hidden}
  - {id: scale, entry: Scale, config: {size: 3}, args: {x: "normal(B, size)"}, sizes: {B: 2}, returns: {y: "B, size"}, show: public}
  - {id: scale-unseen, entry: Scale, config: {size: 4}, args: {x: "normal(B, size)"}, sizes: {B: 3}, returns: {y: "B, size"}, show: hidden}
criteria:
  - {id: shape, entry: double, points: 1, title: {en: The right shape, ko: 올바른 모양}, checks: [shape], read: goal}
  - {id: value, entry: double, points: 2, title: {en: Twice the input, ko: 입력의 두 배}, checks: [close, pure], needs: [shape], read: goal}
  - {id: scale, entry: Scale, points: 3, title: {en: Scaled, ko: 크기 조절}, checks: [close, gradient, batch], read: goal}
  - {id: clarity, points: 0.5, title: {en: Clear, ko: 명료함}, manual: {0.5: {en: "yes", ko: 예}, 0: {en: "no", ko: 아니오}}}
"""

RIGHT = """import torch

def double(x):
    return x + x

class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return self.factor * x
"""
WRONG = RIGHT.replace("x + x", "x + 1")


def make_course(folder: Path) -> Path:
    """A course on disk, not released yet."""
    for part in ("assignments/tiny", "reference", "rubrics"):
        (folder / part).mkdir(parents=True)
    (folder / "reference" / "tiny.py").write_text(REFERENCE)
    (folder / "rubrics" / "tiny.yaml").write_text(RUBRIC, encoding="utf-8")
    (folder / "assignments" / "tiny" / "README.md").write_text('<a id="goal"></a>\n## Goal\n')
    return folder


def hand_in(folder: Path, **sources: str) -> Path:
    """A folder of modules, one for each student."""
    folder.mkdir(parents=True, exist_ok=True)
    for student, source in sources.items():
        (folder / f"{student}.py").write_text(source, encoding="utf-8")
    return folder
