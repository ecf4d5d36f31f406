"""The comparisons as every peer makes them: one call, the expected values from a file, no grader.

Imported before a submission's code, so that this runs in float64 as it does in `grader`. The file
is named by QUESTIONS; `course.py` writes it. Needs torch and NumPy only.
"""

import inspect
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
QUESTIONS: dict[str, dict[str, Any]] = pickle.loads(Path(os.environ["QUESTIONS"]).read_bytes())


def check(name: str, namespace: dict[str, Any]) -> None:
    """Raises unless the submission's values, and gradients where they are asked, are right."""
    question = QUESTIONS[name]
    torch.manual_seed(question["seed"])
    function = namespace[question["entry"]]
    if inspect.isclass(function):
        function = built(function, question)
    arguments = {key: given(value) for key, value in question["args"].items()}
    sought: dict[str, torch.Tensor] = {}
    if question["gradients"]:
        sought = {k: v for k, v in arguments.items() if is_float(v)}
        for value in sought.values():
            value.requires_grad_()
        if isinstance(function, torch.nn.Module):
            sought |= dict(function.named_parameters())
    outputs = list(leaves(function(**arguments)))
    assert len(outputs) == len(question["expected"]), f"{len(outputs)} outputs"
    for got, expected in zip(outputs, question["expected"], strict=True):
        close(array(got), expected, question)
    if not question["gradients"]:
        return
    floats = [value for value in outputs if is_float(value)]
    total = sum(
        (o * torch.from_numpy(c)).sum() for o, c in zip(floats, question["cotangents"], strict=True)
    )
    grads = torch.autograd.grad(total, list(sought.values()), allow_unused=True)
    got_by_name = dict(zip(sought, grads, strict=True))
    for key, expected in question["gradients"].items():
        gradient = got_by_name.get(key)
        if gradient is None:
            assert np.abs(expected).max(initial=0.0) <= 1e-12, f"no gradient reaches {key}"
            continue
        close(array(gradient), expected, question)


def built(entry: type, question: dict[str, Any]) -> Any:
    """An instance with the given weights."""
    module = entry(**question["config"])
    weights = {key: torch.from_numpy(value) for key, value in question["weights"].items()}
    module.load_state_dict(weights)
    return module.train(question["mode"] == "train")


def given(value: Any) -> Any:
    """An argument of its own for each call."""
    return torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value


def is_float(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and torch.is_floating_point(value)


def leaves(value: Any) -> Any:
    """What stands in the returned tuples, in order."""
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def array(value: Any) -> np.ndarray:
    return value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def close(got: np.ndarray, expected: np.ndarray, question: dict[str, Any]) -> None:
    """Raises unless shape and values agree."""
    assert got.shape == expected.shape, f"expected {expected.shape}, got {got.shape}"
    np.testing.assert_allclose(
        got.astype(np.float64),
        expected.astype(np.float64),
        rtol=question["rtol"],
        atol=question["atol"],
    )
