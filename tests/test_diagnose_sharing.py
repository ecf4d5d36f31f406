"""What a criterion earns although a check of it did not pass, and what it never does."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from numpy_entries import WORDS

from grader.diagnose import shares
from grader.mistakes import Ids, NoMistakes
from grader.types import (
    Case,
    CheckUse,
    Criterion,
    Diagnosis,
    Finding,
    Rubric,
    Share,
    Variant,
    Verdict,
)

P, F, E, BL, BR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR, Verdict.BLOCKED, Verdict.BROKEN


class Noticing(NoMistakes):
    """Under these patches an entry's own mistakes would still be seen."""

    def __init__(self, *seen: Ids):
        self._seen = seen

    def noticed(self, ids: Ids, entry: str) -> bool:
        return ids in self._seen


RUBRIC = Rubric(
    assignment="a",
    title=WORDS,
    cases=tuple(Case(id=name, entry=name, show="hidden") for name in ("e", "f", "g")),
    criteria=tuple(
        Criterion(
            id=name,
            points=Fraction(2),
            title=WORDS,
            entry=name[0],
            checks=(CheckUse(name="close"),),
        )
        for name in ("e1", "e2", "f1", "f2", "g1")
    ),
    variants=(
        Variant(id="v", edits=(), earns={"f1": Fraction(1, 2), "f2": Fraction(0)}, note=WORDS),
    ),
)


def finding(verdict: Verdict, check: str = "close", **more: Any) -> Finding:
    return Finding(check=check, case="f", verdict=verdict, **more)


def shared(
    kind: str, *alternatives: Ids, noticed: tuple[Ids, ...] = (), **found: tuple[Finding, ...]
) -> dict[str, Share]:
    """Shares where the entry f has this diagnosis, and what is carried was made in the entry e."""
    told = Diagnosis(entry="f", kind=kind, alternatives=alternatives)  # type: ignore[arg-type]
    made = Diagnosis(entry="e", kind="mistake", alternatives=alternatives)
    wrong = {"e1": (finding(BL),), "e2": (finding(P), finding(F))}
    passing = {name: (finding(P),) for name in ("f1", "f2", "g1")}
    told_before = (made,) if kind == "carried" else ()
    findings = {**(wrong if told_before else {}), **passing, **found}
    return shares(RUBRIC, findings, (*told_before, told), Noticing(*noticed))


WRONG = (finding(P), finding(F, code="close.mismatch"))


def test_what_is_carried_pays_in_full_where_own_mistakes_would_be_noticed() -> None:
    found = shared("carried", ("m",), noticed=(("m",),), f1=WRONG, f2=(finding(E),))
    share = Share(fraction=Fraction(1), code="diagnosis.carried", facts={"entry": "f"})
    assert found == {"f1": share, "f2": share}


BLOCKED = Share(
    fraction=Fraction(0), code="diagnosis.from_before", facts={"entry": "f"}, blocked_by="e2"
)


def test_where_they_would_not_it_waits_for_what_fails_by_the_mistake() -> None:
    assert shared("carried", ("m",), f1=WRONG) == {"f1": BLOCKED}
    found = shared("carried", ("m",), ("n",), noticed=(("m",),), f1=WRONG, f2=(finding(E),))
    assert found == {"f1": BLOCKED, "f2": BLOCKED}
    found = shared("carried", ("m",), ("n",), noticed=(("m",), ("n",)), f1=WRONG)
    assert found["f1"].blocked_by == ""


def test_an_entry_that_only_raises_waits_even_where_it_has_no_mistakes_of_its_own() -> None:
    described = (finding(E), finding(P, "parameters"))
    found = shared("carried", ("m",), noticed=(("m",),), f1=described, f2=(finding(E),))
    assert found == {"f1": BLOCKED, "f2": BLOCKED}


def test_what_is_carried_from_where_nothing_fails_is_left_as_it_is() -> None:
    told = Diagnosis(entry="f", kind="carried", alternatives=(("m",),))
    assert shares(RUBRIC, {"f1": WRONG}, (told,), NoMistakes()) == {}


def test_a_variant_pays_what_the_rubric_says_and_nothing_elsewhere() -> None:
    found = shared("variant", ("v",), f1=WRONG, f2=WRONG, g1=WRONG)
    assert {name: (each.fraction, each.code) for name, each in found.items()} == {
        "f1": (Fraction(1, 2), "diagnosis.variant"),
        "f2": (0, "diagnosis.variant"),
    }


HELD = finding(BL, "causal", code="relation.needs_values", facts={"held": True})
UNTRIED = finding(BL, "causal", code="relation.needs_values")
OWN = finding(BL, "gradient", code="gradient.own_forward")
BESIDE = finding(BL, "gradient", code="relation.needs_values")


@pytest.mark.parametrize(
    ("findings", "paid"),
    [
        ((HELD,), True),
        ((finding(P, "causal"), HELD), True),
        ((HELD, UNTRIED), False),
        ((HELD, finding(F, "causal", code="causal.leak")), False),
        ((HELD, finding(E, "causal")), False),
        ((UNTRIED,), False),
        ((OWN,), True),
        ((OWN, BESIDE), True),
        ((BESIDE,), False),
        ((OWN, UNTRIED), False),
        ((OWN, finding(F, "gradient", code="gradient.against_own_forward")), False),
        (WRONG, False),
    ],
)
def test_for_wrong_values_of_a_named_way_only_what_holds_is_paid(
    findings: tuple[Finding, ...], paid: bool
) -> None:
    found = shared("mistake", ("m",), f1=findings)
    assert found == (
        {"f1": Share(fraction=Fraction(1), code="diagnosis.held", facts={"entry": "f"})}
        if paid
        else {}
    )
    assert shared("located", f1=findings) == {}


@pytest.mark.parametrize(
    "finding_",
    [
        finding(BR),
        finding(F, "parameters", code="parameters.count"),
        finding(E, "dtype"),
        finding(BL, "dtype"),
    ],
)
def test_what_no_fingerprint_explains_is_never_paid(finding_: Finding) -> None:
    noticed = (("m",),)
    for kind in ("carried", "mistake"):
        assert shared(kind, ("m",), noticed=noticed, f1=(HELD, finding_)) == {}
    assert shared("variant", ("v",), f1=(finding(F), finding_)) == {}


def test_a_check_of_that_kind_that_passed_is_no_hindrance() -> None:
    fine = finding(P, "parameters")
    assert shared("carried", ("m",), noticed=(("m",),), f1=(fine, *WRONG))


def test_what_passed_or_was_not_looked_at_needs_no_share() -> None:
    noticed = (("m",),)
    assert shared("carried", ("m",), noticed=noticed) == {}
    assert shared("carried", ("m",), noticed=noticed, f1=()) == {}


def test_another_entry_is_not_paid_for_it() -> None:
    assert shared("carried", ("m",), noticed=(("m",),), g1=WRONG) == {}


def test_without_a_diagnosis_nothing_is_paid() -> None:
    assert shares(RUBRIC, {"f1": WRONG}, (), NoMistakes()) == {}
    assert replace(RUBRIC, variants=()).patches == ()
