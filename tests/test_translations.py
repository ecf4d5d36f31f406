"""Nothing that a student is told is without its Korean sentence."""

import ast
import re
from pathlib import Path

import pytest

import grader
from grader.errors import UsageError
from grader.reports.messages import catalogue
from grader.spoken import refusal_text

PACKAGE = Path(grader.__file__).parent
STUDENTS = [
    PACKAGE / name
    for name in (
        *("student.py", "checking.py", "notebook.py", "handing_in.py", "packing.py", "replay.py"),
        *("expected/bundle.py", "cli/check.py", "cli/replay.py", "pytest_plugin.py"),
    )
]
REFUSALS = {"UsageError", "CourseError"}
TEMPLATES = sorted(
    PACKAGE / "reports" / "templates" / name
    for name in ("check.html", "beside.html", "handed_in.html", "report.html", "_parts.html")
)


def raised(path: Path) -> list[ast.Call]:
    """Every refusal that a module makes."""
    return [
        node
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in REFUSALS
    ]


@pytest.mark.parametrize("path", STUDENTS, ids=lambda path: path.name)
def test_every_refusal_on_a_students_road_has_its_sentence_in_the_catalogue(path: Path) -> None:
    for call in raised(path):
        named = {each.arg: each.value for each in call.keywords}
        assert "code" in named, f"{path.name}:{call.lineno} has no translation"
        code = ast.literal_eval(named["code"])
        facts = {ast.literal_eval(key) for key in getattr(named["facts"], "keys", [])}
        needed = set(re.findall(r"\{([a-z_]+)", catalogue()[code].ko))
        assert needed <= facts, f"{path.name}:{call.lineno} lacks {needed - facts}"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_holds_no_words_of_its_own(path: Path) -> None:
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|<style>.*?</style>|<[^>]*>", " ", path.read_text("utf-8"))
    assert re.findall(r"[A-Za-z가-힣]{2,}", text) == []


@pytest.mark.parametrize("code", sorted(catalogue()))
def test_a_korean_sentence_is_korean(code: str) -> None:
    said = catalogue()[code]
    words = re.sub(r"`[^`]*`|\{[^}]*\}", "", said.en)
    if len(re.findall(r"[A-Za-z]{2,}", words)) > 3:
        assert re.search("[가-힣]", said.ko), code


@pytest.mark.parametrize("path", STUDENTS, ids=lambda path: path.name)
def test_nothing_is_printed_that_is_not_from_the_catalogue(path: Path) -> None:
    """Looks for sentences given to print or to Console.print as they are."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("print", "write")):
            for argument in node.args:
                text = argument.value if isinstance(argument, ast.Constant) else ""
                assert not re.search(r"[A-Za-z]{3,} [A-Za-z]{2,}", str(text)), ast.unparse(node)


def test_a_refusal_without_a_sentence_would_be_seen() -> None:
    assert refusal_text(UsageError("plain English"), "ko") == "plain English"
