"""The course that is attacked: one small assignment, public and hidden cases."""

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
limits:
  {seconds: 4, trial_seconds: 0.6, memory_mb: 256, output_bytes: 1000000, result_bytes: 4000000}
cases:
  - id: seen
    entry: double
    args: {x: "normal(B, N)"}
    sizes: {B: 2, N: 3}
    returns: {y: "B, N"}
    show: public
  - id: unseen
    entry: double
    args: {x: "normal(B, N)"}
    sizes: {B: 4, N: 5}
    returns: {y: "B, N"}
    show: hidden
  - id: scale
    entry: Scale
    config: {size: 3}
    args: {x: "normal(B, size)"}
    sizes: {B: 2}
    returns: {y: "B, size"}
    show: public
  - id: scale-unseen
    entry: Scale
    config: {size: 4}
    args: {x: "normal(B, size)"}
    sizes: {B: 3}
    returns: {y: "B, size"}
    show: hidden
criteria:
  - id: shape
    entry: double
    points: 1
    title: {en: The right shape, ko: 올바른 모양}
    checks: [shape]
    read: goal
  - id: value
    entry: double
    points: 2
    title: {en: Twice the input, ko: 입력의 두 배}
    checks: [dtype, finite, close, pure]
    needs: [shape]
    read: goal
  - id: scale
    entry: Scale
    points: 3
    title: {en: Scaled, ko: 크기 조절}
    checks: [close, gradient, batch, determinism]
    read: goal
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
WRONG = RIGHT.replace("return x + x", "return x + 1").replace("self.factor * x", "self.factor + x")
"""The right shapes and nothing else: what a cheat earns without its trick."""
RAISES = RIGHT.replace("return x + x", 'raise ValueError("not today")')


def make_course(folder: Path, canary: str = "") -> Path:
    """The course on disk, its reference, rubric and secret marked with a canary."""
    for part in ("assignments/tiny", "reference", "rubrics"):
        (folder / part).mkdir(parents=True)
    (folder / "reference" / "tiny.py").write_text(f"{REFERENCE}\n# {canary}\n")
    (folder / "rubrics" / "tiny.yaml").write_text(f"# {canary}\n{RUBRIC}", encoding="utf-8")
    (folder / "assignments" / "tiny" / "README.md").write_text('<a id="goal"></a>\n## Goal\n')
    (folder / ".grader-secret").write_text(f"secret {canary}\n")
    return folder
