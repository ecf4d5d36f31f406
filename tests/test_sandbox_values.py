"""What becomes of a returned value: leaves that travel, or a name for what can't."""

from typing import Any

import numpy as np
import pytest
import torch

from grader.sandbox.values import Misfit, array_of, leaves, tensor, tensors, walk


def kinds(value: Any) -> list[tuple[str, str, str]]:
    return [(each["path"], each["kind"], each["dtype"]) for each in leaves(value, 10**6)]


@pytest.mark.parametrize(
    "value, said",
    [
        (torch.zeros(2), [("", "tensor", "float64")]),
        (torch.zeros(2, dtype=torch.float16), [("", "tensor", "float16")]),
        (torch.zeros(2).to_sparse(), [("", "other", "")]),
        (torch.zeros(2, device="meta"), [("", "other", "")]),
        (np.zeros(2, ">f8"), [("", "array", "float64")]),
        (np.array(["a"]), [("", "other", "")]),
        (True, [("", "bool", "bool")]),
        (3, [("", "number", "int64")]),
        (2**70, [("", "other", "")]),
        (0.5, [("", "number", "float64")]),
        ([1, 2.5], [("", "array", "float64")]),
        (None, [("", "none", "")]),
        ({"a": (None, 1)}, [("['a'][0]", "none", ""), ("['a'][1]", "number", "int64")]),
        (object(), [("", "other", "")]),
    ],
    ids=repr,
)
def test_every_kind_of_value_is_read_or_named(value: Any, said: list[tuple[str, str, str]]) -> None:
    torch.set_default_dtype(torch.float64)
    if isinstance(value, torch.Tensor) and value.dtype is torch.float32:
        value = value.double()
    assert kinds(value) == said


def test_what_is_too_large_is_refused_before_it_is_copied() -> None:
    with pytest.raises(Misfit) as refused:
        array_of(torch.zeros(1).expand(10**12), 10**6)
    assert refused.value.facts["reason"] == "too large"


def test_nesting_ends_at_eight() -> None:
    deep: Any = 1
    for _ in range(20):
        deep = [deep]
    ((path, rest),) = walk(deep, "")
    assert path == "[0]" * 8 and isinstance(rest, list)


def test_a_tensor_is_a_copy_and_found_by_its_path() -> None:
    array = np.arange(3.0)
    made = tensor(array)
    made += 1
    assert array[0] == 0
    found = dict(tensors({"state": (made, [made]), "n": 3}))
    assert found.keys() == {"state[0]", "state[1][0]"}


def test_more_values_than_anyone_returns_are_refused() -> None:
    with pytest.raises(Misfit, match="unreadable"):
        list(leaves([None] * 300, 10**6))
