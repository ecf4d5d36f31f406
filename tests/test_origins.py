"""Where a finding is about, and which name may have been meant."""

from typing import Any

import pytest

from grader.origins import located
from grader.types import Finding, Loaded, Origin, Verdict

ORIGINS = tuple(Origin(file="a.ipynb", line=line, cell=2) for line in (1, 2, 5))


def placed(code: str, names: tuple[str, ...] = (), **facts: Any) -> Finding:
    finding = Finding(check="close", case="c", verdict=Verdict.ERROR, code=code, facts=facts)
    loaded = Loaded(source="a\nb\nc\n", origins=ORIGINS, names=names)
    located_findings = located({"criterion": (finding,), "empty": ()}, loaded)
    assert located_findings["empty"] == ()
    (found,) = located_findings["criterion"]
    return found


def test_a_line_of_the_loaded_source_becomes_the_students_own() -> None:
    assert placed("outcome.raised", line=3).origin == Origin(file="a.ipynb", line=5, cell=2)


@pytest.mark.parametrize("line", [0, 4, -1, None, "2", 2.0, True])
def test_a_line_outside_the_source_is_no_place(line: Any) -> None:
    assert placed("outcome.raised", line=line).origin is None


def test_a_finding_without_a_line_stays_as_it_is() -> None:
    found = placed("close.mismatch", worst=1.0)
    assert found.origin is None and found.facts == {"worst": 1.0}


@pytest.mark.parametrize("near", ["lstm", "LSTMs", "Lstm", "LSTM_"])
def test_a_missing_name_is_told_with_the_one_that_is_alike(near: str) -> None:
    found = placed("outcome.missing", ("x", near, "train"), entry="LSTM")
    assert (found.code, found.facts) == ("outcome.missing_near", {"entry": "LSTM", "near": near})


@pytest.mark.parametrize("names", [(), ("train",), ("LSTM",)])
def test_a_missing_name_without_one_that_is_alike_stays_missing(names: tuple[str, ...]) -> None:
    assert placed("outcome.missing", names, entry="LSTM").code == "outcome.missing"


def test_a_missing_method_is_not_taken_for_its_class() -> None:
    found = placed("outcome.missing", ("Encoder",), entry="Encoder.go")
    assert found.code == "outcome.missing"


def test_only_what_is_missing_is_looked_for() -> None:
    assert placed("outcome.raised", ("lstm",), entry="LSTM").code == "outcome.raised"
