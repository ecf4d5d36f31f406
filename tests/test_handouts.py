"""What a hand-out has to be: whole, the same in both languages, its equations safe on GitHub."""

import json
import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from grader.assignment import assignment_names, read_assignment

ROOT = Path(__file__).resolve().parent.parent
NAMES = assignment_names(ROOT)
FILES = ("README.md", "README.ko.md")
BOTH = [(name, file) for name in NAMES for file in FILES]
SECTIONS = ("goal", "equations", "worked-example", "marking", "out-of-scope", "check")

FENCED = re.compile(r"^```.*?^```$", re.M | re.S)
CODE = re.compile(r"`[^`]+`")
DISPLAYED = re.compile(r"\$\$.+?\$\$", re.S)
INLINE = re.compile(r"\$[^$]+\$")
COMMANDS = re.compile(
    "alpha|bar|cdots?|dots|epsilon|eta|frac|hat|ldots|left(arrow)?|log|mathrm|max|mid|min|mu|nabla|"
    "ne|l?e|ge|odot|partial|pi|prod|q?quad|right|sigma|sim|sqrt|sum|tanh|tau|text|theta|thinspace|"
    "tilde|top|varphi|cos|sin|tfrac"
)
"""What equations may be made of: the part of LaTeX that both MathJax and KaTeX know."""


def read(name: str, file: str) -> str:
    return (ROOT / "assignments" / name / file).read_text("utf-8")


def prose(text: str) -> str:
    """The text without its code, in which a dollar is a dollar."""
    return CODE.sub("code", FENCED.sub("", text))


def displayed(text: str) -> list[str]:
    return DISPLAYED.findall(prose(text))


def inline(text: str) -> list[str]:
    return INLINE.findall(DISPLAYED.sub("", prose(text)))


def headings(text: str) -> list[tuple[str, str, list[str]]]:
    """Anchor, level and code of each heading, without its words."""
    found = re.findall(r'^(?:<a id="(.+)"></a>\n)?(#+) (.*)$', FENCED.sub("", text), re.M)
    return [(anchor, level, CODE.findall(words)) for anchor, level, words in found]


def without_words(equation: str) -> str:
    return re.sub(r"\\text\{[^}]*\}", "words", equation)


def faults(text: str) -> list[str]:
    """What keeps an equation of a Markdown text from being shown."""
    found = []
    plain = prose(text)
    if DISPLAYED.sub("", plain).count("$") % 2:
        return ["a dollar without its partner"]
    for equation in displayed(text) + inline(text):
        bare = re.sub(r"\\[{}]", "", equation)
        if bare.count("{") != bare.count("}"):
            found.append(f"braces that do not match: {equation}")
        if equation.count(r"\left") - equation.count(r"\leftarrow") != equation.count(r"\right"):
            found.append(f"a left without its right: {equation}")
        for command in re.findall(r"\\([a-zA-Z]+)", equation):
            if not COMMANDS.fullmatch(command):
                found.append(f"a command that is not on the list: {command}")
    for equation in inline(text):
        if "\n" in equation or equation[1].isspace() or equation[-2].isspace():
            found.append(f"white space at a dollar, or a line's end inside: {equation}")
    return found


def faults_on_github(text: str) -> list[str]:
    """What GitHub adds: Markdown is read first, and a dollar has to stand free.

    A backslash before a punctuation mark is eaten, underscores may become emphasis; before an
    opening dollar there has to be white space, after a closing one no letter or digit of ASCII.
    """
    found = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        children = token.children or []
        shown = "".join(
            "\n" if child.type == "softbreak" else child.content
            for child in children
            if child.type in ("text", "softbreak", "code_inline")
        )
        for equation in displayed(token.content) + inline(token.content):
            if equation not in shown:
                found.append(f"Markdown changes it: {equation}")
    spread = DISPLAYED.sub("\n", prose(text))
    for match in INLINE.finditer(spread):
        before, after = spread[match.start() - 1], spread[match.end()]
        if not before.isspace() or re.match(r"[A-Za-z0-9]", after):
            found.append(f"it touches what stands beside it: {before}{match[0]}{after}")
    for match in DISPLAYED.finditer(prose(text)):
        if not prose(text)[: match.start()].endswith("\n\n"):
            found.append(f"it does not begin a paragraph: {match[0]}")
    return found


@pytest.mark.parametrize(("name", "file"), BOTH)
def test_every_equation_of_a_hand_out_can_be_shown(name: str, file: str) -> None:
    text = read(name, file)
    assert displayed(text)
    assert faults(text) + faults_on_github(text) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_equation_of_a_notebook_can_be_shown(name: str) -> None:
    notebook = json.loads(read(name, f"{name}.ipynb"))
    cells = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown"]
    assert any(displayed(cell) for cell in cells)
    said = [(cell, fault) for cell in cells for fault in faults(cell.replace(r"\,", " "))]
    assert said == []


BROKEN = {
    "a dollar alone": r"costs $x and no more",
    "braces": r"$\frac{1}{2$ of it",
    "left alone": r"$\left( x$ of it",
    "a command that no renderer knows": r"$\softmax_x$ of it",
    "a space after the dollar": r"$ x$ of it",
}
BROKEN_ON_GITHUB = {
    "a backslash that Markdown eats": "so:\n\n$$a \\, b$$\n",
    "underscores that make emphasis": "so:\n\n$$\\mathrm{softmax}_s (q) = \\sum_s a_{t}$$\n",
    "a bracket before the dollar": "AR($x$) it is",
    "a letter after the dollar": "the $x$s are",
    "in the middle of a line": "so $$x = 1$$ it is",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_broken_equation_is_found(text: str) -> None:
    assert len(faults(text)) >= 1


@pytest.mark.parametrize("text", BROKEN_ON_GITHUB.values(), ids=BROKEN_ON_GITHUB)
def test_an_equation_that_github_would_break_is_found(text: str) -> None:
    assert faults(text.replace(r"\,", "")) == []
    assert len(faults_on_github(text)) == 1


@pytest.mark.parametrize(("name", "file"), BOTH)
def test_a_hand_out_has_every_section_and_one_of_its_own_for_each_entry(
    name: str, file: str
) -> None:
    text = read(name, file)
    anchors = re.findall(r'<a id="([^"]+)"></a>', text)
    assert len(set(anchors)) == len(anchors)
    assert set(SECTIONS) <= set(anchors)
    rubric = read_assignment(ROOT, name).rubric
    assert {each.read for each in rubric.criteria if each.read} <= set(anchors)
    linked = set(re.findall(r"\]\(#([^)]+)\)", text))
    assert linked <= set(anchors)


@pytest.mark.parametrize("name", NAMES)
def test_the_seconds_of_a_hand_out_are_those_of_its_rubric(name: str) -> None:
    seconds = read_assignment(ROOT, name).rubric.limits.trial_seconds
    word = {2: "Two", 3: "Three", 4: "Four"}[int(seconds)]
    assert f"{word} seconds are allowed" in prose_of(read(name, "README.md"))
    assert f"{seconds:g}초까지" in prose_of(read(name, "README.ko.md"))


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_have_the_same_headings_equations_numbers_and_code(name: str) -> None:
    english, korean = (read(name, file) for file in FILES)
    assert headings(english) == headings(korean)
    assert [without_words(each) for each in displayed(english)] == [
        without_words(each) for each in displayed(korean)
    ]
    assert set(inline(english)) == set(inline(korean))
    numbers = r"\d+\.\d+(?:e-?\d+)?|\*\*\d+\*\*"
    assert sorted(re.findall(numbers, english)) == sorted(re.findall(numbers, korean))
    ascii_code = {code for code in CODE.findall(prose_of(english)) if code.isascii()}
    korean_code = set(CODE.findall(prose_of(korean)))
    translated = {"`model(source, tokens so far)`"}
    assert ascii_code - korean_code <= translated


def prose_of(text: str) -> str:
    """The text without its blocks of code, its lines joined."""
    return " ".join(FENCED.sub("", text).split())


@pytest.mark.parametrize("name", NAMES)
def test_korean_is_written_in_one_style(name: str) -> None:
    text = prose_of(read(name, "README.ko.md"))
    mixed = ("사영", "보고서", "리포트", "소프트맥스", "한다.", "이다.", "해요.")
    assert [word for word in mixed if word in text] == []
