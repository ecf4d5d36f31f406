"""How one value is written for people: numbers, shapes, points, and text that may be hostile."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from fractions import Fraction
from numbers import Integral, Real
from typing import Any

DIGITS = 4
"""Significant digits of a number."""

MOST_DIGITS = 17
"""Significant digits that tell any two float64 apart."""

TEXT_LIMIT = 600
"""Characters of a text of someone else's making that are shown."""

_JOINER = "\N{ZERO WIDTH JOINER}"
_HIDING = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
# Letters by category, blank on the page: they could pass for an empty name.
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_PLAIN_SPACES = frozenset(" \u3000")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "␉", "␍", "␊")


def visible(text: str, *, lines: bool = False, limit: int = TEXT_LIMIT) -> str:
    """`text` with every control, bidirectional and invisible character made visible.

    Doing it twice changes nothing. Line breaks stay when `lines` is set; emoji stay whole.
    What is longer than `limit` characters ends in an ellipsis.
    """
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    if cut.isascii() and cut.isprintable():
        return cut
    shown = []
    for index, char in enumerate(cut):
        if char in "\n\t" and lines:
            shown.append(char.replace("\t", "    "))
        elif char == _JOINER and _within_emoji(cut, index):
            shown.append(char)
        else:
            shown.append(_shown(char))
    whole = "".join(shown)
    return whole if len(whole) <= limit else whole[: limit - 1] + "…"


def _shown(char: str) -> str:
    if char in _PLAIN_SPACES:
        return char
    category = unicodedata.category(char)
    if category == "Cc" and ord(char) < 0x20:
        return chr(0x2400 + ord(char))
    if category in _HIDING or char in _BLANK_LETTERS:
        return f"[U+{ord(char):04X}]"
    return " " if category == "Zs" else char


def _within_emoji(text: str, index: int) -> bool:
    beside = text[max(0, index - 2) : index] + text[index + 1 : index + 2]
    return any(unicodedata.category(char) == "So" for char in beside)


def number_text(value: float, digits: int = DIGITS) -> str:
    """A number in `digits` significant digits, integers in full: 0.1235, 1.2e-7, 12350, NaN."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return str(value) if value.bit_length() <= 64 else f"about 2^{value.bit_length()}"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == 0:
        return "0"
    text = f"{value:.{digits}g}"
    if "e" not in text:
        return text
    mantissa, exponent = text.split("e")
    if 0 < int(exponent) < 7:
        return f"{float(text):.0f}"
    return f"{mantissa}e{int(exponent)}"


def telling_digits(one: Any, other: Any) -> int:
    """The fewest digits, from four on, in which two different numbers look different."""
    if not isinstance(one, int | float) or not isinstance(other, int | float) or one == other:
        return DIGITS
    for digits in range(DIGITS, MOST_DIGITS):
        if number_text(one, digits) != number_text(other, digits):
            return digits
    return MOST_DIGITS


def shape_text(lengths: Sequence[Any]) -> str:
    """Lengths of axes, or their names, as a tuple: (2, 3), (7,), ()."""
    inner = ", ".join(_plain(length) for length in lengths)
    return f"({inner},)" if len(lengths) == 1 else f"({inner})"


def position_text(index: Sequence[Any]) -> str:
    """An index into an array: [0, 2, 1]."""
    return "[" + ", ".join(_plain(one) for one in index) + "]"


def _plain(value: Any) -> str:
    if isinstance(value, int | float):
        return number_text(value)
    return visible(str(value))


def rounded_points(points: Fraction) -> Fraction:
    """Points rounded half up to two decimals, as the one place where they are rounded."""
    return Fraction(math.floor(points * 100 + Fraction(1, 2)), 100)


def points_text(points: Fraction) -> str:
    """Points rounded half up to two decimals, trailing zeros dropped: 7, 6.5, 3.33."""
    hundredths = int(rounded_points(points) * 100)
    sign = "-" if hundredths < 0 else ""
    whole, rest = divmod(abs(hundredths), 100)
    return f"{sign}{whole}.{rest:02d}".rstrip("0").rstrip(".") if rest else f"{sign}{whole}"


def plain_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as strict JSON: no NaN, no NumPy scalar, no invisible character."""
    return {key: _fact(value) for key, value in facts.items()}


def _fact(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        whole = int(value)
        return whole if whole.bit_length() <= 64 else number_text(whole)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else number_text(float(value))
    if isinstance(value, Mapping):
        return {visible(str(key)): _fact(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_fact(one) for one in value]
    return visible(str(value), lines=True)


def no_formula(cell: str) -> str:
    """A cell of a CSV that no spreadsheet program takes for a formula."""
    return f"'{cell}" if cell.lstrip().startswith(_FORMULA) else cell
