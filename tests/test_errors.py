"""The exception tree is the one that its module draws."""

import re

import grader.errors as errors


def test_the_drawn_tree_is_the_real_one() -> None:
    drawn = re.findall(r"^[├└]── (\w+)", errors.__doc__ or "", re.M)
    real = [each.__name__ for each in errors.GraderError.__subclasses__()]
    assert sorted(drawn) == sorted(real)


def test_an_error_carries_a_code_and_facts_for_the_student() -> None:
    error = errors.SubmissionError("no notebook", code="load.not_a_notebook", facts={"file": "x"})
    assert (str(error), error.code, error.facts) == (
        "no notebook",
        "load.not_a_notebook",
        {"file": "x"},
    )
    assert errors.UsageError("no").facts == {}
