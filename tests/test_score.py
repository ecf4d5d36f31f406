"""Findings -> points: the arithmetic, in examples and for anything at all."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy_entries import WORDS

from grader.score import (
    forbidden_anywhere,
    forbidden_uses,
    graded,
    score,
    totals,
    worst,
)
from grader.types import (
    ApiUse,
    Case,
    CheckUse,
    Criterion,
    CriterionResult,
    Finding,
    Loaded,
    Note,
    Observation,
    Origin,
    Outcome,
    Provenance,
    RawOutput,
    Rubric,
    Share,
    Status,
    Verdict,
)

P, F, E, BL, BR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR, Verdict.BLOCKED, Verdict.BROKEN


def criterion(id: str, points: Any = 1, **more: Any) -> Criterion:
    more = {"entry": "f", "checks": (CheckUse(name="close"),), **more}
    return Criterion(id=id, points=Fraction(points), title=WORDS, **more)


def a_rubric(*criteria: Criterion, **more: Any) -> Rubric:
    cases = tuple(Case(id=f"{entry}-1", entry=entry, show="hidden") for entry in ("f", "g"))
    return Rubric(assignment="a", title=WORDS, cases=cases, criteria=criteria, **more)


def found(*verdicts: Verdict) -> tuple[Finding, ...]:
    """One finding for each verdict, each of a case of its own."""
    return tuple(
        Finding(check="close", case=f"case-{number}", verdict=verdict)
        for number, verdict in enumerate(verdicts)
    )


def marked(*criteria: Criterion, **verdicts: tuple[Verdict, ...]) -> dict[str, CriterionResult]:
    findings = {name: found(*seen) for name, seen in verdicts.items()}
    return {each.id: each for each in score(a_rubric(*criteria), findings, {})}


def earned(credit: str, *verdicts: Verdict) -> Fraction:
    return marked(criterion("c", 3, credit=credit), c=verdicts)["c"].earned


# -- one criterion ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdicts", "all_or_nothing", "share"),
    [
        ((P, P, P), 3, 3),
        ((P, F, P), 0, 2),
        ((P, BL, P), 0, 2),
        ((P, E, P), 0, 2),
        ((F, F, F), 0, 0),
        ((P, BR, P), 0, 0),
        ((), 0, 0),
    ],
)
def test_credit_is_for_all_the_cases_or_in_proportion(
    verdicts: tuple[Verdict, ...], all_or_nothing: int, share: int
) -> None:
    assert earned("all", *verdicts) == all_or_nothing
    assert earned("proportional", *verdicts) == share


def test_a_case_counts_once_however_many_checks_look_at_it() -> None:
    double = (*found(P, P, P), replace(found(F)[0], check="shape"))
    (result,) = score(a_rubric(criterion("c", 3, credit="proportional")), {"c": double}, {})
    assert result.earned == 2


def test_thirds_are_exact() -> None:
    assert earned("proportional", P, F, F) + earned("proportional", P, P, F) == 3


def test_the_worst_verdict_stands_for_all_and_none_is_our_fault() -> None:
    assert worst([P, BL, F, E, BR]) is BR
    assert worst([P, BL, F, E]) is E
    assert worst([P, BL, F]) is F
    assert worst([P, BL]) is BL
    assert worst([P]) is P
    assert worst([]) is BR


# -- needs ------------------------------------------------------------------------------------

CHAIN = (criterion("a", 1), criterion("b", 2, needs=("a",)), criterion("c", 4, needs=("a", "b")))


def test_what_needs_a_failed_criterion_is_blocked_not_failed() -> None:
    results = marked(*CHAIN, a=(F,), b=(P,), c=(F,))
    assert [each.verdict for each in results.values()] == [F, BL, BL]
    assert (results["b"].blocked_by, results["c"].blocked_by) == ("a", "a")
    assert sum(each.earned for each in results.values()) == 0


def test_what_is_blocked_blocks_what_needs_it() -> None:
    results = marked(CHAIN[0], CHAIN[1], criterion("c", needs=("b",)), a=(E,), b=(P,), c=(P,))
    assert [each.verdict for each in results.values()] == [E, BL, BL]
    assert results["c"].blocked_by == "b"


def test_needs_that_passed_block_nothing() -> None:
    results = marked(*CHAIN, a=(P,), b=(P,), c=(F,))
    assert [each.verdict for each in results.values()] == [P, P, F]
    assert results["c"].blocked_by == ""


@pytest.mark.parametrize("failed", [F, E])
def test_an_error_behind_a_failed_need_is_blocked_and_shown_no_second_time(failed: Verdict) -> None:
    need = criterion("b", 2, needs=("a",), credit="proportional")
    result = marked(CHAIN[0], need, a=(failed,), b=(P, E))["b"]
    assert (result.verdict, result.earned, result.blocked_by) == (BL, 0, "a")
    assert result.findings == found(P, E)


def test_an_error_whose_needs_passed_is_an_error() -> None:
    result = marked(*CHAIN[:2], a=(P,), b=(P, E))["b"]
    assert (result.verdict, result.earned, result.blocked_by) == (E, 0, "")


def test_needs_do_not_hide_our_fault() -> None:
    result = marked(*CHAIN[:2], a=(F,), b=(P, BR))["b"]
    assert (result.verdict, result.earned, result.blocked_by) == (BR, 0, "")


# -- totals -----------------------------------------------------------------------------------


def sums(*criteria: Criterion, **verdicts: tuple[Verdict, ...]) -> tuple[Any, ...]:
    return totals(tuple(marked(*criteria, **verdicts).values()))


MANUAL = {Fraction(1): WORDS, Fraction(0): WORDS}


def test_bonus_is_earned_on_top_of_what_is_possible() -> None:
    bonus = criterion("b", 2, bonus=True)
    assert sums(criterion("a", 3), bonus, a=(P,), b=(P,)) == (Status.GRADED, 5, 3, 0)
    assert sums(criterion("a", 3), bonus, a=(P,), b=(F,)) == (Status.GRADED, 3, 3, 0)


def test_manual_points_are_pending_and_not_possible_yet() -> None:
    manual = criterion("m", "1/2", checks=(), entry="", manual=MANUAL)
    assert sums(criterion("a", 3), manual, a=(P,)) == (Status.GRADED, 3, 3, Fraction(1, 2))


def test_our_fault_anywhere_withholds_the_grade() -> None:
    criteria = (criterion("a", 3), criterion("b", 1, bonus=True))
    assert sums(*criteria, a=(P,), b=(P, BR)) == (Status.WITHHELD, None, 3, 0)
    assert sums(*criteria, a=(P,), b=()) == (Status.WITHHELD, None, 3, 0)


VERDICTS = st.lists(st.sampled_from([P, F, E, BL, BR]), max_size=4).map(tuple)


@st.composite
def marked_rubrics(draw: st.DrawFn) -> tuple[tuple[Criterion, ...], dict[str, Any]]:
    criteria: list[Criterion] = []
    for number in range(draw(st.integers(1, 6))):
        earlier = [each.id for each in criteria if not each.manual]
        manual = draw(st.integers(0, 5)) == 0
        criteria.append(
            criterion(
                f"c{number}",
                draw(st.fractions(0, 10, max_denominator=12)),
                credit=draw(st.sampled_from(["all", "proportional"])),
                bonus=draw(st.booleans()),
                needs=tuple(draw(st.sets(st.sampled_from(earlier)))) if earlier else (),
                manual=MANUAL if manual else {},
            )
        )
    findings = {each.id: found(*draw(VERDICTS)) for each in criteria if not each.manual}
    return tuple(criteria), findings


@settings(deadline=None, max_examples=300)
@given(marked_rubrics())
def test_marks_stay_within_bounds_and_come_only_from_passes(made: Any) -> None:
    criteria, findings = made
    results = score(a_rubric(*criteria), findings, {})
    assert [each.id for each in results] == [each.id for each in criteria]
    verdicts = {each.id: each.verdict for each in results}
    for each, rule in zip(results, criteria, strict=True):
        assert isinstance(each.earned, Fraction) and 0 <= each.earned <= each.points
        whole = bool(each.findings) and {it.verdict for it in each.findings} == {P}
        passed_needs = all(verdicts[need] is P for need in rule.needs)
        assert (each.verdict is P) == (whole and passed_needs)
        if each.verdict is P:
            assert each.earned == each.points
        elif rule.credit == "all" or not passed_needs or each.verdict in (None, BR):
            assert each.earned == 0
        if each.verdict is BL and each.blocked_by:
            assert verdicts[each.blocked_by] is not P
    status, total, possible, pending = totals(results)
    assert possible + pending == sum(
        each.points for each in criteria if each.manual or not each.bonus
    )
    assert (status is Status.WITHHELD) == (BR in verdicts.values()) == (total is None)
    if total is not None:
        extra = sum(each.points for each in criteria if each.bonus)
        assert isinstance(total, Fraction) and 0 <= total <= possible + extra


# -- forbidden API ----------------------------------------------------------------------------

FORBIDDEN = {"*": ("torch.nn.LSTM",), "f": ("torch.softmax",)}


def use(api: str, definition: str) -> ApiUse:
    origin = Origin(file="a.py", line=3)
    return ApiUse(api=api, definition=definition, origin=origin, text=f"x = {api}(x)")


def uses(*written: ApiUse, ran: dict[str, tuple[str, ...]] | None = None, **depends: Any):
    loaded = Loaded(source="", origins=(), uses=written, depends=depends)
    answers = {
        (case, "base"): RawOutput(outcome=Outcome.OK, used=used)
        for case, used in (ran or {}).items()
    }
    return forbidden_uses(a_rubric(criterion("c"), forbidden=FORBIDDEN), loaded, answers)


def test_a_use_in_what_the_entry_reaches_is_shown_with_its_line() -> None:
    seen = uses(use("torch.nn.LSTM", "helper"), f=("f", "helper"), g=("g",))
    assert list(seen) == ["f"]
    (finding,) = seen["f"]
    assert (finding.verdict, finding.code, finding.hidden) == (F, "forbidden.used", False)
    assert dict(finding.facts) == {"api": "torch.nn.LSTM", "line": "x = torch.nn.LSTM(x)"}
    assert finding.origin == Origin(file="a.py", line=3)


def test_what_is_forbidden_to_one_entry_is_free_to_another() -> None:
    assert list(uses(use("torch.softmax", "f"), use("torch.softmax", "g"))) == ["f"]


def test_a_member_of_a_forbidden_name_is_forbidden_and_a_longer_name_is_not() -> None:
    assert list(uses(use("torch.nn.LSTM.forward", "g"))) == ["g"]
    assert uses(use("torch.nn.LSTMCell", "g"), use("torch.softmaxed", "f")) == {}


def test_a_use_seen_only_while_it_ran_counts_for_the_entry_that_ran() -> None:
    seen = uses(ran={"g-1": ("torch.nn.LSTM", "torch.softmax")})
    assert [each.facts for each in seen["g"]] == [{"api": "torch.nn.LSTM"}]
    assert list(seen) == ["g"]
    assert [each.code for each in seen["g"]] == ["forbidden.ran"]


def test_a_forbidden_use_costs_the_criteria_of_its_entry_and_no_other() -> None:
    rubric = a_rubric(criterion("a", 2), criterion("b", 3, entry="g"), forbidden=FORBIDDEN)
    seen = uses(use("torch.softmax", "f"))
    a, b = score(rubric, {"a": found(P), "b": found(P)}, seen)
    assert (a.verdict, a.earned, a.findings) == (F, 0, seen["f"])
    assert (b.verdict, b.earned) == (P, 3)
    a, _ = score(rubric, {"a": found(BR), "b": found(P)}, seen)
    assert a.verdict is BR


def test_every_forbidden_name_is_watched_once() -> None:
    rubric = a_rubric(forbidden={"*": ("x", "y"), "f": ("y", "z")})
    assert forbidden_anywhere(rubric) == ("x", "y", "z")


# -- nothing looked at ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "points"),
    [(Status.NOT_STARTED, Fraction(0)), (Status.UNREADABLE, None), (Status.WITHHELD, None)],
)
def test_nothing_handed_in_is_worth_nothing_and_nothing_known_is_no_mark(
    status: Status, points: Fraction | None
) -> None:
    provenance = Provenance(key="", engine="", torch="", numpy="", isolation="")
    rubric = a_rubric(criterion("a", 2), criterion("b", 1, bonus=True))
    notes = (Note(code="load.empty"),)
    seen = Observation(status=status, provenance=provenance, notes=notes)
    grade = graded(seen, rubric, "s")
    assert (grade.earned, grade.possible, grade.criteria) == (points, 2, ())
    assert [note.code for note in grade.notes] == ["load.empty"]


# -- shares -----------------------------------------------------------------------------------


def with_share(
    fraction: Any, *criteria: Criterion, forbidden: tuple[Finding, ...] = (), **verdicts: Any
) -> dict[str, CriterionResult]:
    """As `marked`, where the criterion c has a share."""
    findings = {name: found(*seen) for name, seen in verdicts.items()}
    share = Share(fraction=Fraction(fraction), code="diagnosis.carried", facts={"entry": "f"})
    uses = {"f": forbidden} if forbidden else {}
    return {each.id: each for each in score(a_rubric(*criteria), findings, uses, {"c": share})}


@pytest.mark.parametrize("fraction", ["1", "1/3", "0"])
def test_a_share_of_the_points_passes_and_says_why(fraction: str) -> None:
    result = with_share(fraction, criterion("c", 3), c=(F, P))["c"]
    assert (result.verdict, result.earned, result.points) == (P, 3 * Fraction(fraction), 3)
    (reason,) = result.findings
    assert (reason.check, reason.code, reason.verdict) == ("diagnosis", "diagnosis.carried", P)
    assert (reason.case, reason.facts, reason.hidden) == ("", {"entry": "f"}, False)


def test_a_share_is_of_the_points_whatever_the_credit() -> None:
    result = with_share("1/2", criterion("c", 4, credit="proportional"), c=(F, P, P))["c"]
    assert result.earned == 2


def test_what_needs_a_shared_criterion_is_not_blocked() -> None:
    results = with_share(1, criterion("c"), criterion("d", needs=("c",)), c=(F,), d=(P,))
    assert (results["d"].verdict, results["d"].earned) == (P, 1)


def test_a_share_holds_behind_a_need_that_failed() -> None:
    results = with_share(1, criterion("n"), criterion("c", needs=("n",)), n=(F,), c=(F,))
    assert (results["n"].verdict, results["c"].verdict, results["c"].earned) == (F, P, 1)


def test_forbidden_api_is_not_paid_by_a_share() -> None:
    use = Finding(check="forbidden", case="", verdict=F, code="forbidden.used")
    result = with_share(1, criterion("c", 3), forbidden=(use,), c=(F,))["c"]
    assert (result.verdict, result.earned, result.findings) == (F, 0, (use,))


def test_what_rests_on_an_earlier_mistake_is_blocked_by_it_and_blocks_what_needs_it() -> None:
    criteria = (criterion("n"), criterion("c", 3), criterion("d", needs=("c",)))
    share = Share(fraction=Fraction(0), code="diagnosis.from_before", blocked_by="n")
    findings = {"n": found(F), "c": found(P, E), "d": found(P)}
    _, c, d = score(a_rubric(*criteria), findings, {}, {"c": share})
    assert (c.verdict, c.earned, c.blocked_by, c.findings) == (BL, 0, "n", found(P, E))
    assert (d.verdict, d.blocked_by) == (BL, "c")


def test_a_share_of_another_criterion_changes_nothing() -> None:
    results = with_share(1, criterion("c"), criterion("d"), c=(F,), d=(F,))
    assert (results["d"].verdict, results["d"].earned) == (F, 0)
