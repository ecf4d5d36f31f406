"""Patches of a reference: found once, in a solution, and combined where they do not touch."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import CourseError
from grader.mutants import overlap, patched, replacements
from grader.types import Edit

SOURCE = '''import math


def given(x):
    """x + 1"""
    return x + 1


def f(x):
    """Twice, and one."""
    # BEGIN SOLUTION
    y = x + 1
    if y:
        y = (y *
             2)
    # END SOLUTION
    return y - 5


class A:
    def f(self, x):
        # BEGIN SOLUTION
        return math.sqrt(x + 1)
        # END SOLUTION

    class B:
        def g(self):
            # BEGIN SOLUTION
            return 3
            # END SOLUTION
'''


def edit(scope: str, find: str, put: str) -> Edit:
    return Edit(scope=scope, find=find, put=put)


def made(*edits: Edit) -> str:
    return patched(SOURCE, replacements(SOURCE, edits, "here"), "here")


@pytest.mark.parametrize(
    ("change", "old", "new"),
    [
        (edit("f", "y = x + 1", "y = x - 1"), "y = x + 1", "y = x - 1"),
        (edit("A.f", "x + 1", "x"), "math.sqrt(x + 1)", "math.sqrt(x)"),
        (edit("A", "x + 1", "x"), "math.sqrt(x + 1)", "math.sqrt(x)"),
        (edit("A.B.g", "3", "4"), "return 3", "return 4"),
        (edit("A.B", "return 3", "return 4"), "return 3", "return 4"),
    ],
)
def test_a_patch_changes_its_place_and_no_other(change: Edit, old: str, new: str) -> None:
    assert SOURCE.count(old) == 1
    assert made(change) == SOURCE.replace(old, new)


def test_a_text_of_several_lines_is_found_whatever_its_indentation() -> None:
    changed = made(edit("f", "y = (y *\n2)", "y = y"))
    assert "        y = y\n    # END SOLUTION" in changed


def test_further_lines_are_indented_like_the_first() -> None:
    changed = made(edit("A.f", "return math.sqrt(x + 1)", "if x:\n    return 1\nreturn 2\n"))
    block = "        if x:\n            return 1\n        return 2\n        # END SOLUTION"
    assert block in changed
    ast.parse(changed)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (edit("f", "x + 2", "x"), r"expected 'x \+ 2' once in f, got 0 @ here"),
        (edit("f", "y", "z"), r"expected 'y' once in f, got \d+ @ here"),
        (edit("f", "", "z"), r"expected '' once in f, got \d+ @ here"),
        (edit("f", "y - 5", "y"), r"expected 'y - 5' in a solution region, got line 17 @ here"),
        (edit("f", "Twice", "Once"), "in a solution region, got line 10"),
        (edit("given", "return x + 1", "x"), "in a solution region, got line 6"),
        (edit("f", "2)\n# END SOLUTION\nreturn y - 5", "2)"), "in a solution region"),
        (edit("g", "x", "y"), "expected 'g' in the reference, got none @ here"),
        (edit("A.g", "3", "4"), "expected 'A.g' in the reference, got none"),
        (edit("f.x", "3", "4"), "expected 'f.x' in the reference, got none"),
        (edit("f", "y = x + 1", "y = = 1"), "expected Python, got .* @ here"),
        (edit("A.B.g", "return 3", ""), "expected Python"),
    ],
)
def test_a_patch_that_does_not_fit_is_refused(change: Edit, said: str) -> None:
    with pytest.raises(CourseError, match=said):
        made(change)


def test_a_name_defined_twice_is_no_scope() -> None:
    source = SOURCE + "\n\ndef f(x):\n    return x\n"
    with pytest.raises(CourseError, match="expected 'f' in the reference"):
        replacements(source, [edit("f", "y = x + 1", "y")], "here")


def test_patches_that_touch_one_place_are_not_combined() -> None:
    whole, part, other = (
        replacements(SOURCE, [each], "here")
        for each in (edit("f", "y = x + 1", "y = x"), edit("f", "+ 1", "+ 2"), edit("A", "1", "2"))
    )
    assert overlap(whole, part) and overlap(part, whole)
    assert not overlap(whole, other) and not overlap(part, other)
    with pytest.raises(CourseError, match="expected edits that do not overlap @ here"):
        patched(SOURCE, [*whole, *part], "here")


def test_neighbours_do_not_overlap() -> None:
    one, other = (
        replacements(SOURCE, [each], "here")
        for each in (edit("f", "y = x", "y = 2"), edit("f", "+ 1", "+ 3"))
    )
    assert "y = 2 + 3\n" in patched(SOURCE, [*other, *one], "here")
    left, right = (
        replacements(SOURCE, [edit("A.f", find, put)], "here")
        for find, put in (("math.sqrt(", "abs("), ("x + 1", "x"))
    )
    assert left[0].end == right[0].start
    assert "return abs(x)\n" in patched(SOURCE, [*right, *left], "here")


@given(st.permutations(range(4)))
def test_the_order_of_the_edits_makes_no_difference(order: list[int]) -> None:
    edits = [
        edit("f", "y = x + 1", "y = x\ny += 7"),
        edit("f", "2)", "22)"),
        edit("A.f", "x + 1", "x"),
        edit("A.B.g", "3", "33"),
    ]
    assert made(*(edits[index] for index in order)) == made(*edits)
    assert "y = x\n    y += 7\n" in made(*edits)
