import ast
import re
from collections import Counter
from pathlib import Path

import pytest

import grader
from grader.reports.messages import (
    LANGUAGES,
    CatalogueError,
    CatalogueWarning,
    catalogue,
    fill,
    phrase,
    placeholders,
    say,
)

GRADER = Path(grader.__file__).parent
PREFIXES = sorted({code.partition(".")[0] for code in catalogue()} - {"ui"})
KINDS = {"position", "shape", "line", "kinds"}
STUDENT_TEXT = {
    "message", "type", "text", "near", "names", "reason", "module", "file", "other", "others",
    "encoding", "got", "missing", "unexpected", "line:line", "found", "argument", "name", "entry",
}  # fmt: skip
NUMBERS_OF_OURS = {("parameters.count", "got")}
CODES = sorted(catalogue())


@pytest.mark.parametrize("code", CODES)
def test_a_code_has_both_languages_with_the_same_placeholders(code: str) -> None:
    english, korean = (placeholders(code, language) for language in LANGUAGES)
    assert english == korean
    english, korean = (placeholders(code, language, optional=True) for language in LANGUAGES)
    assert english == korean
    for language in LANGUAGES:
        assert catalogue()[code].of(language).strip()


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_template_is_well_formed(code: str, language: str) -> None:
    template = catalogue()[code].of(language)
    assert template.count("`") % 2 == 0
    assert all(part.count("`") % 2 == 0 for part in re.findall(r"\[\[(.*?)\]\]", template))
    kinds = set(re.findall(r"\{[a-z_]+:([a-z]+)\}", template))
    assert kinds <= KINDS
    rest = re.sub(r"\{[a-z_]+(:[a-z]+)?\}|\[\[|\]\]", "", template)
    assert not set("{}[]") & set(rest)


@pytest.mark.parametrize("code", [code for code in CODES if not code.startswith("ui.")])
@pytest.mark.parametrize("language", LANGUAGES)
def test_text_of_a_students_making_is_always_set_as_code(code: str, language: str) -> None:
    outside = "".join(catalogue()[code].of(language).split("`")[::2])
    for fact in re.findall(r"\{([a-z_:]+)\}", outside):
        assert fact not in STUDENT_TEXT or (code, fact) in NUMBERS_OF_OURS


@pytest.mark.parametrize("code", CODES)
def test_no_korean_particle_has_to_agree_with_a_fact(code: str) -> None:
    found = re.search(r"\}`?(을|를|이|가|은|는|과|와|으로|로)(?![가-힣])", catalogue()[code].ko)
    assert found is None


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_can_be_said(code: str, language: str) -> None:
    names = placeholders(code, language, optional=True)
    for value in ("text", 3, 0.25, [0, 2], ["a", "b"], None, {"a": 1}, [], True, ""):
        assert fill(code, dict.fromkeys(names, value), language)


def test_the_catalogue_names_every_code_once() -> None:
    lines = (GRADER / "reports" / "messages.yaml").read_text(encoding="utf-8").splitlines()
    counts = Counter(line for line in lines if line and not line.startswith((" ", "#")))
    assert max(counts.values()) == 1


def test_every_code_in_the_source_is_in_the_catalogue() -> None:
    pattern = re.compile(rf"({'|'.join(PREFIXES)})(\.[a-z_]*[a-z])+")
    unknown = {}
    for path in sorted(GRADER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and pattern.fullmatch(text) and text not in catalogue():
                unknown[text] = path.name
    assert not unknown


def test_numbers_shapes_positions_and_lists_are_readable() -> None:
    facts = {
        "output": "output", "wrong": 3, "total": 12, "worst": 0.412734, "at": [0, 2, 1],
        "expected": 0.183251, "got": -0.229479, "allowed": 1.018e-7,
    }  # fmt: skip
    assert say("close.mismatch", facts, "en") == (
        "output: 3 of 12 values differ. The largest difference is 0.4127, at [0, 2, 1]: "
        "expected 0.1833, got -0.2295 (allowed difference: 1.018e-7)."
    )
    shape = {"output": "h", "axes": "B, T", "expected": [2, 3], "got": [7]}
    assert say("shape.mismatch", shape, "en") == (
        "h has another shape: expected (2, 3) (axes B, T), got (7,)."
    )
    names = {"entry": "LSTM", "names": ["W_i", "W_f"]}
    assert "W_i, W_f" in say("outcome.mismatch_missing", names, "ko")


def test_expected_and_got_get_as_many_digits_as_tell_them_apart() -> None:
    facts = {"step": 6, "expected": 1.000001, "got": 1.000002, "allowed": 1e-7}
    sentence = say("curve.mismatch", facts, "en")
    assert "expected 1.000001, got 1.000002" in sentence


def test_an_optional_stretch_goes_where_its_fact_is_missing_or_empty() -> None:
    facts = {"output": "q", "axes": "", "expected": [2], "got": [3]}
    assert say("shape.mismatch", facts, "en") == "q has another shape: expected (2,), got (3,)."


def test_an_exception_without_a_message_leaves_no_dangling_colon() -> None:
    facts = {"entry": "LSTM", "type": "AssertionError", "message": ""}
    assert say("outcome.raised", facts, "en") == "LSTM stopped with AssertionError."


def test_a_single_number_that_is_not_finite_has_no_place() -> None:
    facts = {"output": "loss", "bad": 1, "total": 1, "at": []}
    assert say("finite.not_finite", facts, "en") == "NaN or infinite values in loss: 1 of 1."
    assert "first at [2]" in say("finite.not_finite", facts | {"at": [2]}, "en")


def test_a_line_is_shown_as_text_or_as_a_number() -> None:
    assert say("forbidden.used", {"api": "torch.nn.LSTM", "line": 12}, "en").endswith("line 12")
    assert say("forbidden.used", {"api": "x", "line": "nn.LSTM(1)"}, "en").endswith("nn.LSTM(1)")


def test_facts_are_only_ever_text() -> None:
    nasty = "{entry.__class__} {0} `{message}` [[{type}]] %s"
    facts = {"entry": nasty, "type": "E", "message": nasty}
    pieces = phrase("outcome.raised", facts, "en")
    assert [piece.text for piece in pieces if piece.code] == [nasty, "E", nasty]


@pytest.mark.parametrize(
    ("code", "facts"), [("no.such_code", {}), ("close.mismatch", {"output": "x"})]
)
def test_what_cannot_be_said_is_an_error_under_test_and_neutral_at_run_time(
    code: str, facts: dict[str, object]
) -> None:
    with pytest.raises(CatalogueError):
        fill(code, facts, "en")
    with pytest.warns(CatalogueWarning):
        assert say(code, facts, "en") == catalogue()["ui.neutral"].en


def test_an_unknown_language_is_answered_in_english() -> None:
    assert say("ui.points", {}, "fr") == "points"
