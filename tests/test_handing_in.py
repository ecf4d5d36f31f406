"""The page that a student hands in."""

import json
import re
from pathlib import Path

import pytest
from html_pages import read_page
from tiny_course import RIGHT, WRONG, make_course

from grader.assignment import read_assignment
from grader.author import hand_out, release
from grader.course import Settings
from grader.handing_in import as_cells, report_page
from grader.packing import place
from grader.sandbox.runner import Runner
from grader.student import check_work, public_part, work_in
from grader.types import SubmittedFile

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> [x](javascript:alert(3))"


@pytest.fixture
def home(tmp_path: Path, runner: Runner) -> Path:
    assignment = read_assignment(make_course(tmp_path / "course"), "tiny")
    files = hand_out(release(assignment, "secret", runner), assignment, Settings())
    place(files, "tiny", tmp_path / "home")
    return tmp_path / "home"


def page(home: Path, runner: Runner, language: str = "en") -> str:
    public = public_part(None, None, home)
    submission = work_in(None, home, public)
    return report_page(check_work(submission, public, runner), submission, public, language)


def notebook(*cells: tuple[str, str], output: str = "") -> str:
    made = []
    for number, (kind, source) in enumerate(cells):
        cell = {"cell_type": kind, "id": f"c{number}", "metadata": {}, "source": source}
        if kind == "code":
            data = {"text/html": output} if output else {"text/plain": "1"}
            shown = {"output_type": "display_data", "metadata": {}, "data": data}
            cell |= {"execution_count": None, "outputs": [shown]}
        made.append(cell)
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def test_what_was_found_stands_beside_the_cell_that_it_is_about(home: Path, runner: Runner) -> None:
    double, scale = WRONG.split("class", 1)
    cells = [("markdown", "# My work"), ("code", double), ("code", f"class{scale}")]
    (home / "tiny.ipynb").write_text(notebook(*cells))
    made = page(home, runner)
    read_page(made.lstrip())
    text = re.sub(r"<style>.*?</style>|<[^>]+>", "", made, flags=re.S)
    parts = text.partition("My work")[2]
    assert parts.index("def double") < parts.index("Twice the input: Not right yet")
    assert parts.index("Twice the input: Not right yet") < parts.index("class Scale")
    assert "<h1" in made and "My work" in made


def test_nothing_of_a_notebook_acts_on_the_page(home: Path, runner: Runner) -> None:
    cells = [("markdown", HOSTILE), ("code", WRONG)]
    (home / "tiny.ipynb").write_text(notebook(*cells, output=HOSTILE))
    made = page(home, runner, "ko")
    tags = read_page(made.lstrip())
    assert not [tag for tag, _ in tags.tags if tag in ("script", "iframe", "object")]
    assert not [name for _, name, _ in tags.attributes if name.startswith("on")]
    assert not [v for _, name, v in tags.attributes if name == "href" and "javascript" in v]
    assert "default-src &#39;none&#39;" in made or "default-src 'none'" in made


def test_a_module_is_shown_by_its_cells(home: Path, runner: Runner) -> None:
    (home / "tiny.py").write_text("# %%\n" + WRONG.replace("class", "# %%\nclass"))
    text = re.sub(r"<[^>]+>", "", page(home, runner))
    assert text.index("def double") < text.rindex("Twice the input: Not right yet")
    assert text.rindex("Twice the input: Not right yet") < text.index("class Scale")


@pytest.mark.parametrize("content", [b"{}", b"no json", b'{"cells": 3}', RIGHT.encode()])
def test_a_notebook_that_can_not_be_read_makes_an_empty_page(content: bytes) -> None:
    assert as_cells(SubmittedFile(name="x.ipynb", content=content)).cells == []
