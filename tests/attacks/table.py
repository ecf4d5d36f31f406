"""What a run told, as the lines that people read."""

from collections import Counter
from typing import Any

from tests.attacks.catalogue import GROUPS, Attack, attacks

LINES: list[str] = []
"""What the test session has to say at its end."""


def counted(told: dict[str, Any]) -> list[Attack]:
    """The attacks that were shown to succeed against their baseline; no other counts."""
    return [attack for attack in attacks() if told["shown"].get(attack.id)]


def is_open(told: dict[str, Any], level: str) -> list[Attack]:
    """Of those, the ones that succeeded at a level, or that are not run there."""
    succeeded = told["levels"][level]["succeeded"]
    return [a for a in counted(told) if succeeded.get(a.id) or level not in a.run]


def line(told: dict[str, Any], level: str) -> str:
    """ "level A, root: stopped 326 of 327; open: ..."."""
    if refused := told["levels"][level].get("refused"):
        return f"level {level}, {told['user']}: can't be had here: {refused}"
    of, still = len(counted(told)), is_open(told, level)
    names = ", ".join(attack.id for attack in still[:6]) + (" ..." if len(still) > 6 else "")
    seconds = told["levels"][level]["seconds"]
    return (
        f"level {level}, {told['user']}: stopped {of - len(still)} of {of} in {seconds:.0f} s"
        + (f"; open: {names}" if still else "")
    )


def table(told: dict[str, Any]) -> str:
    """Group by group: how many of the attacks that were shown to work are stopped."""
    shown = Counter(attack.group for attack in counted(told))
    levels = [level for level in told["levels"] if not told["levels"][level].get("refused")]
    left = {level: Counter(attack.group for attack in is_open(told, level)) for level in levels}
    head = f"{'as ' + told['user']:<14}" + "".join(f"{'level ' + level:>12}" for level in levels)
    rows = [
        f"{group:<14}"
        + "".join(f"{shown[group] - left[level][group]:>7} / {shown[group]:<2}" for level in levels)
        for group in GROUPS
        if shown[group]
    ]
    return "\n".join([head, *rows, *(line(told, level) for level in told["levels"])])
