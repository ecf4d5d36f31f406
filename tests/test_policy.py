"""Dates, late work, several attempts and extra points: exact, in a stated order."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_course import make_course

from grader.course import gradebook_place, read_settings
from grader.errors import CourseError
from grader.policy import POLICY, Attempt, LateRule, Override, Policy, lateness, outcome
from grader.types import Status

DUE = datetime(2026, 10, 1, 23, 59, tzinfo=UTC)
TENTH = Fraction(1, 10)


def attempt(
    late: timedelta | None = None, earned: Any = 8, possible: Any = 10, extra: Any = 0
) -> Attempt:
    return Attempt(
        submission="d",
        submitted_at=None if late is None else DUE + late,
        status=Status.GRADED if earned is not None else Status.WITHHELD,
        earned=None if earned is None else Fraction(earned),
        extra=Fraction(extra),
        possible=Fraction(possible),
        pending=Fraction(0),
    )


def policy(**told: Any) -> Policy:
    rule = {name: told.pop(name) for name in list(told) if name in LateRule.__slots__}
    late = LateRule(**rule) if rule else None
    return Policy(due=DUE, late=late, **told)


def earned(*attempts: Attempt, **told: Any) -> Fraction | None:
    return outcome("ada", attempts, policy(**told)).earned


@pytest.mark.parametrize(
    ("late", "rule", "left"),
    [
        (timedelta(0), {"takes": TENTH}, 8),
        (timedelta(seconds=1), {"takes": TENTH}, Fraction(72, 10)),
        (timedelta(days=1), {"takes": TENTH}, Fraction(72, 10)),
        (timedelta(days=1, seconds=1), {"takes": TENTH}, Fraction(64, 10)),
        (timedelta(hours=3), {"takes": TENTH, "per": "hour"}, Fraction(56, 10)),
        (timedelta(days=1), {"takes": TENTH, "of": "possible"}, 7),
        (timedelta(days=30), {"takes": TENTH}, 0),
        (timedelta(days=30), {"takes": TENTH, "at_most": Fraction(1, 2)}, 4),
        (timedelta(minutes=15), {"takes": TENTH, "grace": timedelta(minutes=15)}, 8),
        (timedelta(minutes=16), {"takes": TENTH, "grace": timedelta(minutes=15)}, Fraction(72, 10)),
        (timedelta(days=2), {}, 8),
    ],
)
def test_what_being_late_takes_off(late: timedelta, rule: dict[str, Any], left: Any) -> None:
    assert earned(attempt(late), **rule) == left


def test_a_time_that_nobody_knows_is_in_time() -> None:
    assert earned(attempt(None), takes=TENTH) == 8


def test_an_extension_moves_the_date_and_a_waiver_takes_nothing_off() -> None:
    late = attempt(timedelta(days=1))
    extended = {"ada": DUE + timedelta(days=2)}
    assert earned(late, takes=TENTH, extensions=extended) == 8
    assert outcome("bob", [late], policy(takes=TENTH, extensions=extended)).earned == Fraction(
        72, 10
    )
    told = outcome("ada", [late], policy(takes=TENTH, waivers={"ada": "in hospital"}))
    assert (told.earned, [note.code for note in told.notes]) == (8, ["policy.waived"])


def test_which_of_several_attempts_counts() -> None:
    first = attempt(timedelta(days=-1), 6)
    late = attempt(timedelta(days=1), 9)
    worse = attempt(timedelta(days=2), 1)
    assert earned(first, late, worse, takes=TENTH) == Fraction(8, 10)
    assert earned(first, late, worse, takes=TENTH, attempts="best") == Fraction(81, 10)
    assert earned(first, late, worse, takes=TENTH, attempts="before due") == 6
    told = outcome("ada", [late], policy(attempts="before due"))
    assert (told.earned, [note.code for note in told.notes]) == (None, ["policy.none_counts"])


def test_of_equal_attempts_the_last_counts_and_one_without_a_mark_is_never_the_best() -> None:
    told = outcome("ada", [attempt(earned=5), attempt(earned=5)], policy(attempts="best"))
    assert told.notes[0].facts == {"number": 2, "total": 2}
    assert earned(attempt(earned=5), attempt(earned=None), attempts="best") == 5
    assert earned(attempt(earned=5), attempt(earned=None)) is None


def test_extra_points_add_what_the_course_lets_them() -> None:
    assert earned(attempt(earned=13, extra=4)) == 13
    assert earned(attempt(earned=13, extra=4), extra_credit=TENTH) == 11
    assert earned(attempt(earned=9, extra=4), extra_credit=Fraction(0)) == 9


def test_an_override_is_the_last_word() -> None:
    override = Override(points=Fraction(3), why="copied")
    told = outcome("ada", [attempt(timedelta(days=9))], policy(takes=TENTH), override)
    assert (told.earned, told.notes[-1].code) == (3, "policy.override")


hours = st.integers(-500, 2000).map(lambda number: timedelta(hours=number))
shares = st.fractions(0, 2, max_denominator=50)
rules = st.builds(
    LateRule,
    takes=shares,
    per=st.sampled_from(["day", "hour"]),
    of=st.sampled_from(["earned", "possible"]),
    grace=st.integers(0, 100).map(lambda number: timedelta(minutes=number)),
    at_most=st.fractions(0, 1, max_denominator=50),
)


@given(hours, hours, rules, st.fractions(0, 20, max_denominator=12))
def test_who_is_later_never_gets_more_and_nobody_less_than_nothing(
    one: timedelta, other: timedelta, rule: LateRule, points: Fraction
) -> None:
    early, late = (
        outcome("ada", [attempt(each, points)], Policy(due=DUE, late=rule)).earned
        for each in sorted((one, other))
    )
    assert early is not None and late is not None and 0 <= late <= early <= points


@given(rules, st.dictionaries(st.text(max_size=5), st.just("ill")), shares)
def test_a_policy_is_read_as_it_was_written(
    rule: LateRule, waivers: dict[str, str], extra: Fraction
) -> None:
    given_ = Policy(due=DUE, late=rule, waivers=waivers, extra_credit=extra, extensions={"a": DUE})
    assert POLICY.validate_json(POLICY.dump_json(given_)) == given_


COURSE = """
timezone: Asia/Seoul
gradebook: kept/grades.db
late: {takes: 10%, grace: 15 minutes, at_most: 50%}
attempts: best
extra_credit: 5%
assignments:
  tiny:
    due: 2026-10-01 23:59
    extensions: {ada: 2026-10-08}
    waivers: {bob: in hospital}
"""


def settings_of(folder: Path, text: str) -> Policy:
    course = make_course(folder / "course")
    (course / "course.yaml").write_text(text, encoding="utf-8")
    return read_settings(course).policy("tiny")


def test_course_yaml_says_it_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = settings_of(tmp_path, COURSE)
    assert told.due == datetime(2026, 10, 1, 14, 59, tzinfo=UTC)
    assert told.due_for("ada") == datetime(2026, 10, 8, 14, 59, 59, tzinfo=UTC)
    assert (told.attempts, told.extra_credit) == ("best", Fraction(1, 20))
    assert told.late == LateRule(takes=TENTH, grace=timedelta(minutes=15), at_most=Fraction(1, 2))
    assert told.waivers == {"bob": "in hospital"}
    late = attempt(timedelta(days=1))
    assert lateness("cho", late, told) == timedelta(days=1, hours=9)
    monkeypatch.delenv("GRADER_GRADEBOOK")
    assert gradebook_place(tmp_path / "course") == str(tmp_path / "course" / "kept" / "grades.db")
    monkeypatch.setenv("GRADER_GRADEBOOK", "postgresql://x/y")
    assert gradebook_place(tmp_path / "course") == "postgresql://x/y"


def test_an_assignment_says_what_differs(tmp_path: Path) -> None:
    own = "    late: {takes: 1/4, per: hour, of: possible}\n    attempts: latest\n"
    told = settings_of(tmp_path, COURSE + own)
    assert told.late == LateRule(takes=Fraction(1, 4), per="hour", of="possible")
    assert told.attempts == "latest"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "timezone: Asia/Seoul\n",
            "",
            r"a time zone for 2026-10-08 23:59, got none .*tiny\.extensions\.ada",
        ),
        ("Asia/Seoul", "Mars/Base", r"a time zone such as .* \$\.timezone"),
        ("2026-10-01 23:59", "soon", r"a date, or .*got 'soon' .*\$\.assignments\.tiny\.due"),
        ("10%", "much", r"a share such as 10%.*\$\.late\.takes"),
        ("15 minutes", "a while", r"a time such as 15 minutes.*\$\.late\.grace"),
        ("tiny:", "tinny:", r"an assignment of the course, got 'tinny'"),
        ("waivers", "waiver", r"did you mean 'waivers'"),
        ("best", "worst", r"'worst'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(
    old: str, new: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(CourseError, match=f"(?s){said}"):
        settings_of(tmp_path, COURSE.replace(old, new))
