"""The small derived facts of the values."""

import numpy as np

from grader.types import Build, Call, Text


def test_a_text_speaks_english_where_it_does_not_know_the_language() -> None:
    text = Text(en="one", ko="하나")
    assert (text.of("ko"), text.of("en"), text.of("fr")) == ("하나", "one", "one")


def test_arrays_of_a_call_are_named_by_where_they_stand() -> None:
    x, h, c = np.zeros(1), np.ones(2), np.ones(3)
    call = Call(args={"x": x, "state": (h, (c,)), "steps": 3, "model": Build(name="M")})
    found = call.arrays()
    assert list(found) == ["x", "state[0]", "state[1][0]"]
    assert found["state[1][0]"] is c


def test_a_call_with_other_arrays_keeps_everything_else() -> None:
    call = Call(args={"x": np.zeros(1), "state": (np.ones(2), np.ones(3)), "n": 3})
    other = call.with_arrays({"state[1]": np.full(3, 7.0)})
    assert other.args["n"] == 3
    assert other.args["x"] is call.args["x"]
    assert other.args["state"][0] is call.args["state"][0]
    assert other.arrays()["state[1]"].tolist() == [7.0, 7.0, 7.0]
    assert call.arrays()["state[1]"].tolist() == [1.0, 1.0, 1.0]
