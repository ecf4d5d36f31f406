from xml.etree import ElementTree

import pytest

from grader.reports.phrasing import VERDICT_NAMES
from grader.reports.svg import LARGEST, bar, bounds, curve, heatmap, histogram, icon

HOSTILE = '"><script>alert(1)</script>&'


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


@pytest.mark.parametrize("name", VERDICT_NAMES)
def test_every_verdict_has_an_icon_of_its_own(name: str) -> None:
    parsed(icon(name))
    assert sum(icon(other) == icon(name) for other in VERDICT_NAMES) == 1


def test_a_heatmap_has_a_cell_for_each_value_and_a_number_in_small_ones() -> None:
    picture = parsed(heatmap([[0.0, 0.5], [None, -1.0]], -1.0, 0.5, "x"))
    assert [one.get("class") for one in picture.iter("rect")] == ["p", "p", "nan", "n"]
    assert [one.get("fill-opacity") for one in picture.iter("rect")] == [
        "0.00",
        "0.50",
        None,
        "1.00",
    ]
    texts = [one.text for one in picture.iter("text")]
    assert texts[-4:] == ["0", "0.50", "x", "-1.00"]


def test_a_large_heatmap_is_cut_and_has_no_numbers() -> None:
    picture = parsed(heatmap([[1.0] * 100] * 100, 0.0, 1.0, "x"))
    assert len(list(picture.iter("rect"))) == LARGEST**2
    assert float(picture.get("width", "0")) < 300


@pytest.mark.parametrize("rows", [[], [[]], [[None]], [[0.0]], [[1e308, -1e308]], [[5e-324]]])
def test_odd_values_draw_without_fail(rows: list[list[float | None]]) -> None:
    for drawn in (heatmap(rows, *bounds(rows), "x"), curve(rows, "x")):
        assert "nan" not in "".join(one.get("points", "") for one in parsed(drawn).iter())
        assert "inf" not in drawn.replace("info", "")


def test_a_curve_has_two_lines_and_a_gap_where_a_value_is_missing() -> None:
    picture = parsed(curve([[1.0, 2.0, None, 4.0], [1.0, 2.0, 3.0, 4.0]], "x"))
    assert len(list(picture.iter("polyline"))) == 3
    assert [one.get("class") for one in picture.iter("g")] == ["first", "second"]


def test_steps_stand_below_a_curve_unless_their_numbers_say_nothing() -> None:
    rows = [[1.0, 2.0, 4.0]]
    numbered, bare = (
        [label.text for label in parsed(curve(rows, "x", counted)).iter("text")]
        for counted in (True, False)
    )
    assert numbered == [*bare, "0", "2"]


def test_text_for_people_who_do_not_see_is_escaped() -> None:
    for drawn in (
        heatmap([[1.0]], 0, 1, HOSTILE),
        curve([[1.0]], HOSTILE),
        bar([("pass", 0.5)], HOSTILE),
        histogram([0] * 10, HOSTILE),
    ):
        assert parsed(drawn).get("aria-label") == HOSTILE
        assert parsed(drawn).get("role") == "img"


def test_a_bar_never_runs_over() -> None:
    picture = parsed(bar([("pass", 0.7), ("pending", 0.7)], "x"))
    assert sum(float(one.get("width", "0")) for one in picture.iter("rect")) == pytest.approx(200)
