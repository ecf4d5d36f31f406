"""From a reference to what a student gets."""

import ast
import io
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_course import REFERENCE, make_course

from grader.assignment import read_assignment
from grader.author import hand_out, make_notebook, make_skeleton, release, stale, write
from grader.course import Settings
from grader.errors import CourseError
from grader.sandbox.runner import Runner


def test_a_solution_becomes_a_hole_at_its_indentation() -> None:
    skeleton = make_skeleton(REFERENCE, "reference/tiny.py")
    assert "x * 2" not in skeleton and "x * self.factor" not in skeleton
    assert "    # YOUR CODE HERE\n    raise NotImplementedError\n" in skeleton
    assert "        # YOUR CODE HERE\n        raise NotImplementedError\n" in skeleton
    ast.parse(skeleton)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# BEGIN SOLUTION\nx = 1\n", "after line 1"),
        ("x = 1\n# END SOLUTION\n", "line 2"),
        ("# BEGIN SOLUTION\n# BEGIN SOLUTION\n# END SOLUTION\n", "line 2"),
    ],
)
def test_regions_that_do_not_match_are_refused_with_the_line(text: str, line: str) -> None:
    with pytest.raises(CourseError, match=line):
        make_skeleton(text, "reference/x.py")


@given(st.lists(st.sampled_from(["x = 1", "# BEGIN SOLUTION", "# END SOLUTION", "  y"])))
def test_no_line_of_a_region_is_left(lines: list[str]) -> None:
    try:
        skeleton = make_skeleton("\n".join(lines), "r.py")
    except CourseError:
        return
    assert "SOLUTION" not in skeleton


def test_the_notebook_is_valid_and_its_ids_are_fixed() -> None:
    text = make_notebook(make_skeleton(REFERENCE, "r.py"), "tiny")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert [cell.id for cell in notebook.cells][:2] == ["tiny-0", "tiny-1"]
    assert text == make_notebook(make_skeleton(REFERENCE, "r.py"), "tiny")


def test_a_release_is_fresh_until_its_source_changes(tmp_path: Path, runner: Runner) -> None:
    course = make_course(tmp_path)
    assignment = read_assignment(course, "tiny")
    released = release(assignment, "secret", runner)
    assert set(stale(released, assignment.folder)) == set(released.files)
    write(released, assignment)
    assert stale(released, assignment.folder) == ()
    assert stale(release(assignment, "another secret", runner), assignment.folder) == ()
    (assignment.folder / "tiny.py").write_text("x = 1\n")
    (assignment.folder / "public.npz").write_bytes(b"damaged")
    assert stale(released, assignment.folder) == ("tiny.py", "public.npz")


def test_a_change_of_a_public_case_makes_the_bundle_stale(tmp_path: Path, runner: Runner) -> None:
    course = make_course(tmp_path)
    assignment = read_assignment(course, "tiny")
    write(release(assignment, "s", runner), assignment)
    rubric = course / "rubrics" / "tiny.yaml"
    rubric.write_text(rubric.read_text("utf-8").replace("B: 2, N: 3", "B: 3, N: 2"), "utf-8")
    again = release(read_assignment(course, "tiny"), "s", runner)
    assert stale(again, assignment.folder) == ("public.json", "public.npz")


def test_another_machines_rounding_makes_no_other_version(tmp_path: Path, runner: Runner) -> None:
    assignment = read_assignment(make_course(tmp_path / "course"), "tiny")
    released = release(assignment, "s", runner)
    write(released, assignment)
    with np.load(io.BytesIO(released.files["public.npz"])) as arrays:
        rounded = {name: arrays[name] * (1 + 1e-15) for name in arrays.files}
    packed = io.BytesIO()
    np.savez_compressed(packed, **rounded)
    elsewhere = replace(released, files={**released.files, "public.npz": packed.getvalue()})
    assert packed.getvalue() != released.files["public.npz"]
    assert hand_out(elsewhere, assignment, Settings()) == hand_out(released, assignment, Settings())
