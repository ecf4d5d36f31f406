import unicodedata
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.reports.legible import (
    number_text,
    points_text,
    position_text,
    rounded_points,
    shape_text,
    telling_digits,
    visible,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.1235"),
        (1.2e-7, "1.2e-7"),
        (12345.678, "12350"),
        (3, "3"),
        (-0.0, "0"),
        (2.0, "2"),
        (float("nan"), "NaN"),
        (float("-inf"), "-inf"),
        (1e300, "1e300"),
        (True, "True"),
    ],
)
def test_a_number_has_four_significant_digits(value: float, text: str) -> None:
    assert number_text(value) == text


def test_an_integer_too_long_to_print_is_described() -> None:
    assert number_text(10**5000) == "about 2^16610"


def test_two_numbers_that_differ_never_look_the_same() -> None:
    one, other = 0.12345678, 0.12345679
    digits = telling_digits(one, other)
    assert number_text(one, digits) != number_text(other, digits)


def test_shapes_and_positions_look_as_in_python() -> None:
    assert (shape_text([2, 3]), shape_text([7]), shape_text([])) == ("(2, 3)", "(7,)", "()")
    assert shape_text(["B", "T"]) == "(B, T)"
    assert position_text([0, 2, 1]) == "[0, 2, 1]"


@pytest.mark.parametrize(
    ("points", "text"),
    [
        (Fraction(7), "7"),
        (Fraction(13, 2), "6.5"),
        (Fraction(10, 3), "3.33"),
        (Fraction(1, 8), "0.13"),
        (Fraction(5, 1000), "0.01"),
        (Fraction(0), "0"),
        (Fraction(100), "100"),
        (Fraction(-1, 2), "-0.5"),
    ],
)
def test_points_are_rounded_half_up_once_without_trailing_zeros(
    points: Fraction, text: str
) -> None:
    assert points_text(points) == text


@given(st.fractions(min_value=0, max_value=1000))
def test_points_as_text_are_the_rounded_points(points: Fraction) -> None:
    assert Fraction(points_text(points)) == rounded_points(points)
    assert abs(rounded_points(points) - points) <= Fraction(1, 200)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\u241b[31mred"),
        ("a\u202eb", "a[U+202E]b"),
        ("a\u200bb", "a[U+200B]b"),
        ("\u3164", "[U+3164]"),
        ("a\ud800b", "a[U+D800]b"),
        ("a\u2028b", "a[U+2028]b"),
        ("a\nb", "a\u240ab"),
        ("김민준", "김민준"),
        (
            "\U0001f468\u200d\U0001f469\u200d\U0001f467",
            "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        ),
    ],
)
def test_what_hides_is_made_visible_and_the_rest_stays(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.characters(exclude_categories=[]), max_size=200))
def test_visible_text_hides_nothing_and_stays_as_it_is(text: str) -> None:
    shown = visible(text, limit=100)
    assert visible(shown, limit=100) == shown
    assert len(shown) <= 100
    hidden = {char for char in shown if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl"}}
    assert hidden <= {"\u200d"}
    shown.encode("utf-8")


def test_a_long_text_ends_in_an_ellipsis() -> None:
    assert visible("x" * 1000, limit=10) == "x" * 9 + "…"
