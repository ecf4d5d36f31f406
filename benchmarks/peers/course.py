"""The twenty comparisons: as a small course that `grader` grades, and as a file that peers read.

Cases and reference are those of `mha`; of its checks only values and gradients are left, one point
for each comparison, so that every tool makes the same ones and a mark is their number.
"""

import itertools
import pickle
from pathlib import Path

import yaml

from grader.instructor import Marker
from grader.sandbox.runner import Runner
from grader.sandbox.warm import Zygote

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT = "mha"
VALUES = {
    "softmax": ("softmax-columns", "softmax-middle-axis"),
    "causal_mask": ("causal-mask-4", "causal-mask-7"),
    "padding_mask": ("padding-mask", "padding-mask-drawn"),
    "scaled_dot_product_attention": ("attention", "attention-heads", "attention-masked"),
    "split_heads": ("split", "split-drawn"),
    "merge_heads": ("merge", "merge-drawn"),
    "MultiHeadAttention": ("cross", "causal", "mask-per-head"),
}
"""Cases whose values are compared, by entry."""
GRADIENTS = {
    "scaled_dot_product_attention": ("attention", "attention-heads"),
    "MultiHeadAttention": ("cross", "mask-per-head"),
}
"""Cases whose gradients are compared too."""
COMPARISONS = (
    *itertools.chain(*VALUES.values()),
    *(f"{case}-gradient" for case in itertools.chain(*GRADIENTS.values())),
)


def write_course(folder: Path) -> None:
    """A course of the one assignment, whose rubric makes the twenty comparisons."""
    rubric = yaml.safe_load((ROOT / "rubrics" / f"{ASSIGNMENT}.yaml").read_text("utf-8"))
    cases = {case["id"]: case for case in rubric["cases"]}
    criteria = [
        {
            "id": f"{entry}-{check}".replace("_", "-"),
            "entry": entry,
            "points": len(over),
            "title": {"en": f"{entry}: {check}", "ko": f"{entry}: {check}"},
            "checks": [check],
            "over": list(over),
            "credit": "proportional",
        }
        for check, entries in (("close", VALUES), ("gradient", GRADIENTS))
        for entry, over in entries.items()
    ]
    kept = {key: rubric[key] for key in ("assignment", "title", "limits")}
    kept |= {
        "cases": [cases[case] for case in itertools.chain(*VALUES.values())],
        "criteria": criteria,
    }
    for part in ("rubrics", "reference", f"assignments/{ASSIGNMENT}"):
        (folder / part).mkdir(parents=True)
    (folder / "rubrics" / f"{ASSIGNMENT}.yaml").write_text(yaml.safe_dump(kept), "utf-8")
    reference = (ROOT / "reference" / f"{ASSIGNMENT}.py").read_bytes()
    (folder / "reference" / f"{ASSIGNMENT}.py").write_bytes(reference)
    skeleton = (ROOT / "assignments" / ASSIGNMENT / f"{ASSIGNMENT}.py").read_bytes()
    (folder / "assignments" / ASSIGNMENT / f"{ASSIGNMENT}.py").write_bytes(skeleton)


def write_questions(course: Path, path: Path) -> None:
    """The same inputs, weights, expected values and tolerance for the peers."""
    zygote = Zygote()
    try:
        standard = Marker(course, ASSIGNMENT, Runner(zygote)).standard
    finally:
        zygote.close()
    backward = {trial.case: trial for trial in standard.trials if trial.probe == "gradients"}
    questions = {}
    for name in COMPARISONS:
        case = name.removesuffix("-gradient")
        setting = standard.settings[case]
        (call,) = setting.base.calls
        (expected,) = setting.expected.leaves
        asked = name != case
        questions[name] = {
            "entry": setting.case.entry,
            "config": dict(setting.base.config),
            "weights": dict(setting.base.weights or {}),
            "mode": setting.base.mode,
            "seed": setting.base.seed,
            "args": dict(call.args),
            "expected": [leaf.array for leaf in expected],
            "cotangents": list(backward[case].cotangents) if asked else [],
            "gradients": dict(setting.expected.gradients) if asked else {},
            "rtol": setting.tolerance.rtol,
            "atol": setting.tolerance.atol,
        }
    assert len(questions) == len(standard.trials) == 20, (len(questions), len(standard.trials))
    path.write_bytes(pickle.dumps(questions))
