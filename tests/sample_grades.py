"""Realistic grades for the tests and screenshots of the pages; builds values, runs nothing."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

from grader.types import (
    CriterionResult,
    Finding,
    Grade,
    Note,
    Origin,
    Picture,
    Provenance,
    Status,
    Text,
    Verdict,
)

TITLE = Text(en="Multi-head attention", ko="멀티 헤드 어텐션")
PROVENANCE = Provenance(
    key="5f2c9a7710de4b6a8c1e", engine="0.1.0", torch="2.13.0", numpy="2.4.6",
    isolation="A", seconds=0.4137,
)  # fmt: skip

TITLES = {
    "shape": Text(en="Shapes of the output and the attention map", ko="출력과 어텐션 맵의 모양"),
    "output": Text(en="Values of the output", ko="출력 값"),
    "weights": Text(en="Attention weights", ko="어텐션 가중치"),
    "causality": Text(en="No position sees the future", ko="어떤 위치도 미래를 보지 않음"),
    "padding": Text(en="Padding has no effect", ko="패딩은 결과에 영향 없음"),
    "gradient": Text(en="Gradients of inputs and parameters", ko="입력과 파라미터의 기울기"),
    "training": Text(en="Loss over twenty training steps", ko="학습 20단계의 손실"),
    "clarity": Text(en="Clarity of the code", ko="코드의 명료함"),
}
POINTS = {
    "shape": 1, "output": 4, "weights": 2, "causality": 2,
    "padding": 1, "gradient": 2, "training": 1, "clarity": 1,
}  # fmt: skip


def criterion(
    id_: str,
    verdict: Verdict | None = Verdict.PASS,
    *findings: Finding,
    earned: Fraction | None = None,
    **more: Any,
) -> CriterionResult:
    """One criterion; a pass earns all of its points unless told otherwise."""
    points = Fraction(POINTS[id_])
    if earned is None:
        earned = points if verdict is Verdict.PASS else Fraction(0)
    return CriterionResult(
        id=id_, title=TITLES[id_], verdict=verdict, points=points, earned=earned,
        findings=findings, read=f"#{id_}", **more,
    )  # fmt: skip


def finding(code: str, facts: dict[str, Any], **more: Any) -> Finding:
    """One public failure, unless told otherwise."""
    told: dict[str, Any] = {
        "check": "close",
        "case": "cross",
        "verdict": Verdict.FAIL,
        "hidden": False,
    } | more
    return Finding(code=code, facts=facts, **told)


def good(check: str = "close", case: str = "cross", *, hidden: bool = False) -> Finding:
    """A plain pass."""
    return Finding(check=check, case=case, verdict=Verdict.PASS, hidden=hidden)


def grade(student: str, criteria: tuple[CriterionResult, ...], **more: Any) -> Grade:
    """A grade that adds up its criteria."""
    pending = sum((one.points for one in criteria if one.verdict is None), Fraction(0))
    total = sum((one.points for one in criteria), Fraction(0))
    told: dict[str, Any] = {
        "title": TITLE, "assignment": "mha", "status": Status.GRADED, "possible": total - pending,
        "earned": sum((one.earned for one in criteria), Fraction(0)), "pending": pending,
        "file": "mha.ipynb", "provenance": PROVENANCE,
    } | more  # fmt: skip
    return Grade(student=student, criteria=criteria, **told)


def softmax_rows(size: int, *, causal: bool, sharp: float = 1.7) -> tuple[tuple[float, ...], ...]:
    """An attention map (size, size), masked or not."""
    rows = []
    for i in range(size):
        scores = [
            -math.inf if causal and j > i else sharp * math.cos(1.3 * i + 0.9 * j)
            for j in range(size)
        ]
        weights = [math.exp(score) for score in scores]
        rows.append(tuple(weight / sum(weights) for weight in weights))
    return tuple(rows)


def maps(size: int = 6) -> tuple[Picture, ...]:
    """Attention maps: got beside expected beside their difference."""
    got, expected = softmax_rows(size, causal=False), softmax_rows(size, causal=True)
    error = tuple(
        tuple(a - b for a, b in zip(one, other, strict=True))
        for one, other in zip(got, expected, strict=True)
    )
    return tuple(
        Picture(kind="heatmap", label=f"picture.{label}", name="attention", values=values)
        for label, values in (("got", got), ("expected", expected), ("error", error))
    )


def losses() -> Picture:
    """Two loss curves that part."""
    expected = tuple(2.3 * math.exp(-0.14 * step) + 0.1 for step in range(20))
    got = tuple(
        value if step < 6 else value + 0.05 * (step - 5) for step, value in enumerate(expected)
    )
    return Picture(kind="curve", label="picture.loss", name="loss", values=(got, expected))


def passing(student: str = "Hana Kim") -> Grade:
    """Everything right; a person has yet to mark one criterion."""
    rest = [id_ for id_ in TITLES if id_ != "clarity"]
    criteria = [criterion(id_, Verdict.PASS, good(), good(hidden=True)) for id_ in rest]
    return grade(student, (*criteria, criterion("clarity", None)))


def complete(student: str = "이서연") -> Grade:
    """Everything right, and nothing left to mark."""
    return grade(student, tuple(criterion(id_, Verdict.PASS, good()) for id_ in TITLES))


def failing(student: str = "민준 박") -> Grade:
    """Wrong values with pictures, a leak, a hidden failure and a blocked criterion."""
    cell = Origin(file="mha.ipynb", cell=4, line=12)
    close = {
        "output": "output", "wrong": 37, "total": 96, "worst": 0.41273, "at": [0, 2, 1],
        "expected": 0.183251, "got": -0.229479, "allowed": 1.0183e-7,
    }  # fmt: skip
    leak = {"output": "output", "axis": "T", "changed": 4, "moved": 2, "by": 0.0312}
    curve = {"step": 6, "expected": 1.09291, "got": 1.14291, "allowed": 1e-7}
    return grade(
        student,
        (
            criterion("shape", Verdict.PASS, good("shape"), good("shape", hidden=True)),
            criterion(
                "output", Verdict.FAIL, good(case="self"), finding("close.mismatch", close),
                finding("close.mismatch", close, hidden=True, case="secret-sizes"),
            ),
            criterion(
                "weights", Verdict.FAIL,
                finding("close.mismatch", close | {"output": "attention"}, pictures=maps()),
            ),
            criterion(
                "causality", Verdict.FAIL,
                finding("causal.leak", leak, check="causal", case="causal", origin=cell),
                finding("causal.leak", leak, check="causal", case="long", hidden=True),
            ),
            criterion("padding", Verdict.FAIL, good(), finding("mask.leak", {}, hidden=True)),
            criterion("gradient", Verdict.BLOCKED, blocked_by="output"),
            criterion(
                "training", Verdict.FAIL,
                finding("curve.mismatch", curve, check="train", pictures=(losses(),)),
            ),
            criterion("clarity", None),
        ),
        notes=(
            Note(code="load.dropped", facts={"count": 14, "kinds": ["calls", "loops"]}),
            Note(
                code="load.float32", facts={"text": "position = torch.arange(T).float()"},
                origin=Origin(file="mha.ipynb", cell=2, line=3),
            ),
        ),
    )  # fmt: skip


def erring(student: str = "Zoë O'Brien") -> Grade:
    """Code that raises, runs out of time, and uses what it may not."""
    entry = "MultiHeadAttention"
    raised = {
        "entry": entry, "type": "RuntimeError",
        "message": "mat1 and mat2 shapes cannot be multiplied (8x4 and 12x12)",
    }  # fmt: skip
    line = Origin(file="mha.py", line=41)
    used = {"api": "torch.nn.MultiheadAttention", "line": "self.inner = nn.MultiheadAttention(12)"}
    error: dict[str, Any] = {"verdict": Verdict.ERROR}
    shape = {"output": "output", "axes": "B, T, D", "expected": [2, 4, 12], "got": [2, 4, 4]}
    return grade(
        student,
        (
            criterion("shape", Verdict.FAIL, finding("shape.mismatch", shape, check="shape")),
            criterion(
                "output", Verdict.ERROR,
                finding("outcome.raised", raised, origin=line, **error),
                finding("outcome.raised", raised, origin=line, hidden=True, **error),
            ),
            criterion(
                "weights", Verdict.ERROR,
                finding("outcome.missing_near", {"entry": "attend", "near": "attention"}, **error),
            ),
            criterion(
                "causality", Verdict.ERROR,
                finding("outcome.timeout", {"entry": entry, "seconds": 2.0}, **error),
            ),
            criterion("padding", Verdict.FAIL, finding("forbidden.used", used, origin=line)),
            criterion("gradient", Verdict.BLOCKED, blocked_by="output"),
            criterion("training", Verdict.BLOCKED, blocked_by="output"),
            criterion("clarity", None),
        ),
        file="mha.py",
    )  # fmt: skip


def withheld(student: str = "김도윤") -> Grade:
    """Our fault: no mark, and never a zero."""
    broken = finding("outcome.broken", {"reason": "the zygote ended"}, verdict=Verdict.BROKEN)
    first = criterion("shape", Verdict.BROKEN, broken)
    rest = [criterion(id_, Verdict.PASS, good()) for id_ in TITLES if id_ != "shape"]
    return grade(student, (first, *rest), status=Status.WITHHELD, earned=None)


def not_started(student: str = "Ada Nwosu") -> Grade:
    """The skeleton as it was handed out."""
    entry = {"entry": "MultiHeadAttention"}
    waiting = finding("outcome.not_written", entry, verdict=Verdict.ERROR)
    criteria = [criterion(id_, Verdict.ERROR, waiting) for id_ in TITLES if id_ != "clarity"]
    return grade(student, (*criteria, criterion("clarity", None)), status=Status.NOT_STARTED)


def unreadable(student: str = "Lee, Jun") -> Grade:
    """A file that is no Python."""
    note = Note(
        code="load.syntax",
        facts={
            "file": "mha.py",
            "line": 7,
            "cell": None,
            "text": "def forward(self, x",
            "reason": "'(' was never closed",
        },
    )
    total = Fraction(sum(POINTS.values()))
    return grade(
        student, (), status=Status.UNREADABLE, earned=None, possible=total, notes=(note,),
        provenance=None, file="mha.py",
    )  # fmt: skip


def by_hand(student: str = "Noor El-Amin") -> Grade:
    """Partly right, with thirds of points."""
    whole = failing(student)
    output = criterion("output", Verdict.FAIL, *whole.criteria[1].findings, earned=Fraction(8, 3))
    criteria = tuple(output if one.id == "output" else one for one in whole.criteria)
    return grade(student, criteria)


def the_class() -> tuple[Grade, ...]:
    """A small class with every status in it."""
    several = [passing(f"Student {index:02d}") for index in range(1, 6)]
    partly = [by_hand(f"학생 {index:02d}") for index in range(1, 4)]
    different = replace(complete("Jonas"), provenance=replace(PROVENANCE, isolation="E"))
    return (
        *several, *partly, passing(), complete(), failing(), erring(), withheld(), not_started(),
        unreadable(), by_hand(), different,
    )  # fmt: skip
