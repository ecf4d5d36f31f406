"""The attack suite: each attack works somewhere, and is stopped here but for those listed.

`python -m tests.attacks` prints the same as a table. tests/attacks/README.md says how to add one.
"""

import os
from functools import cache
from typing import Any

import pytest

from tests.attacks.catalogue import FOLDER, GROUPS, LEVELS, attacks
from tests.attacks.observers import OBSERVERS
from tests.attacks.run import outer
from tests.attacks.table import LINES, counted, is_open, line

USERS = ("root", "user") if os.getuid() == 0 else ("user",)
EACH_USER = [
    pytest.param(user, marks=[] if user == USERS[0] else [pytest.mark.slow]) for user in USERS
]
EVERY = [
    pytest.param(level, user, marks=[] if (level, user) == ("A", USERS[0]) else [pytest.mark.slow])
    for user in USERS
    for level in LEVELS
]
pytestmark = pytest.mark.timeout(1200)


@cache
def told(user: str, levels: str) -> dict[str, Any]:
    """What one run tells; "-" leaves out the baselines."""
    beneath = FOLDER.is_relative_to("/tmp")
    assert not beneath, "expected a checkout outside /tmp: the arena lays an empty one over it"
    result = outer(user, levels, [])
    if "unshare" in result["failure"]:
        pytest.skip(result["failure"])
    assert not result["failure"], result["failure"]
    return result


def at(level: str, user: str) -> dict[str, Any]:
    """A run at a level, beside what the baselines have shown."""
    shown = told(user, "A")
    if level == "A":
        return shown
    result = told(user, f"-{level}")
    return {**result, "shown": shown["shown"]}


def result_at(level: str, user: str) -> dict[str, Any]:
    """What a level gave; skipped where it can't be had."""
    result: dict[str, Any] = at(level, user)["levels"][level]
    if result.get("refused"):
        pytest.skip(result["refused"])
    return result


def test_every_attack_is_a_file_that_says_what_it_tries() -> None:
    listed = [attack.id for attack in attacks()]
    assert len(listed) == len(set(listed)) >= 120
    assert {attack.group for attack in attacks()} == set(GROUPS)
    files = {path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.glob("*/*.py")}
    assert files == set(listed)
    for attack in attacks():
        assert attack.tries.endswith("."), attack.id
        assert {way.partition(" ")[0] for way in attack.seen} <= OBSERVERS.keys(), attack.id
        assert not {*attack.open} & {"A", "B"} or attack.why, f"{attack.id}: why is it open?"


@pytest.mark.parametrize("user", EACH_USER)
def test_every_attack_succeeds_where_nothing_is_done_against_it(user: str) -> None:
    shown = told(user, "A")["shown"]
    optional = {attack.id for attack in attacks() if attack.optional}
    assert [id_ for id_, ways in shown.items() if not ways and id_ not in optional] == []
    assert len(counted(told(user, "A"))) >= 120


@pytest.mark.parametrize(("level", "user"), EVERY)
def test_every_attack_is_stopped_but_those_that_are_listed(level: str, user: str) -> None:
    result_at(level, user)
    found = at(level, user)
    LINES.append(line(found, level))
    still = {attack.id for attack in is_open(found, level)}
    sure = [attack for attack in counted(found) if not attack.depends(level, user)]
    wrong = {
        attack.id: found["levels"][level]["succeeded"].get(attack.id)
        for attack in sure
        if (attack.id in still) != attack.is_open(level, user)
    }
    assert wrong == {}, found["levels"][level]["died"]


@pytest.mark.parametrize(("level", "user"), EVERY)
def test_among_attackers_everybody_gets_the_mark_they_get_alone(level: str, user: str) -> None:
    assert result_at(level, user)["unfair"] == []


@pytest.mark.parametrize(("level", "user"), EVERY)
def test_after_any_attack_the_next_job_finds_a_clean_interpreter(level: str, user: str) -> None:
    assert result_at(level, user)["unclean"] == []
