"""Where students stand, from what the gradebook holds alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from test_gradebook import entry

from grader.gradebook import Gradebook, MarkRow
from grader.policy import LateRule, Policy
from grader.standing import in_force, read_pages, standings
from grader.types import Status

DUE = datetime(2026, 10, 1, tzinfo=UTC)


def mark(criterion: str, points: int | None, student: str = "ada") -> MarkRow:
    return MarkRow(
        student=student,
        criterion=criterion,
        points=None if points is None else Fraction(points),
        who="kim",
        why="so",
        submission="",
    )


@pytest.fixture
def book(tmp_path: Path) -> Gradebook:
    return Gradebook(tmp_path / "gradebook.db")


def test_points_are_exact_and_everybody_who_handed_in_is_there_by_name(book: Gradebook) -> None:
    with book:
        book.record("tiny", [entry("bob"), entry("Ada", earned=None), entry("한별", earned=2)])
        found = standings(read_pages(book, "tiny"), Policy())
    assert [(each.student, each.status, each.earned) for each in found] == [
        ("Ada", Status.WITHHELD, None),
        ("bob", Status.GRADED, 1),
        ("한별", Status.GRADED, 2),
    ]
    assert {each.possible for each in found} == {2}


def test_a_mark_by_hand_then_the_late_policy_then_an_override(book: Gradebook) -> None:
    late = DUE + timedelta(hours=1)
    policy = Policy(due=DUE, late=LateRule(takes=Fraction(1, 3)))
    with book:
        book.record("tiny", [entry("ada", submitted_at=late)])
        book.decide("tiny", [mark("value", 2)])
        (standing,) = standings(read_pages(book, "tiny"), policy)
        assert (standing.earned, standing.submitted_at) == (Fraction(4, 3), late)
        assert "1 h after the due date" in standing.note
        book.decide("tiny", [mark("", 1)])
        (standing,) = standings(read_pages(book, "tiny"), policy)
        assert standing.earned == 1 and standing.note.endswith("set by hand to 1. so")
        book.decide("tiny", [mark("", None)])
        assert standings(read_pages(book, "tiny"), policy)[0].earned == Fraction(4, 3)


def test_a_withheld_grade_stays_withheld_but_for_an_override_of_the_whole(
    book: Gradebook,
) -> None:
    with book:
        book.record("tiny", [entry("ada", earned=None)])
        book.decide("tiny", [mark("value", 2)])
        assert standings(read_pages(book, "tiny"), Policy())[0].earned is None
        book.decide("tiny", [mark("", 2)])
        assert standings(read_pages(book, "tiny"), Policy())[0].earned == 2


def test_the_last_mark_counts_and_one_that_is_taken_back_does_not() -> None:
    assert in_force([mark("a", 1), mark("b", 2), mark("a", 3), mark("b", None)]) == {
        "ada": {"a": mark("a", 3)}
    }


def test_a_time_that_becomes_known_later_counts(book: Gradebook) -> None:
    with book:
        book.record("tiny", [entry("ada")])
        known = entry("ada", submitted_at=DUE + timedelta(days=1))
        pages = read_pages(book, "tiny")
        pages.add(known)
        book.record("tiny", [known, replace(known, handed_in=False)])
        assert pages.attempts["ada"][-1].submitted_at == DUE + timedelta(days=1)
        again = read_pages(book, "tiny")
        assert [each.submitted_at for each in again.attempts["ada"]] == [DUE + timedelta(days=1)]
