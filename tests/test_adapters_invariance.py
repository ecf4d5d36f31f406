"""One submission in random layouts, each with its adapter: the same marks, gradients, diagnosis."""

import random
from pathlib import Path

import numpy as np
import pytest
import yaml

from grader.collect import collect
from grader.expected import top_level
from grader.instructor import Marker
from grader.pipeline import Desk, asked
from grader.sandbox.runner import Runner
from grader.types import Grade, RawOutput

ROOT = Path(__file__).resolve().parent.parent
LAYOUTS = 6
GATES = "ifgo"


def lstm_cell(dice: random.Random, last: str) -> tuple[str, dict[str, object]]:
    """A right LSTM cell (where `last` is right) in a random layout, and what its adapter says."""
    order = dice.sample(GATES, 4)
    blocks = " ".join(order)
    joint, turned, first = dice.random() < 0.5, dice.random() < 0.5, dice.choice(["x", "h"])
    biases, time = dice.choice([1, 2]), dice.choice(["rows", "columns"])
    sizes = {"x": "I", "h": "H"}
    ours = {"x": f"weight_ih[{blocks}]", "h": f"weight_hh[{blocks}]"}
    params: dict[str, object] = {}
    made, affine = [], []
    parts = [first, "h" if first == "x" else "x"]

    def matrix(name: str, rows: str, columns: str) -> str:
        shape = f"{columns}, {rows}" if turned else f"{rows}, {columns}"
        made.append(f"self.{name} = nn.Parameter(torch.empty({shape}))")
        return f"self.{name}" if turned else f"self.{name}.T"

    if joint:
        params["W"] = (
            [f"{ours[p]}.T" for p in parts] if turned else {"columns": [ours[p] for p in parts]}
        )
        affine.append(f"torch.cat([{', '.join(parts)}], 1) @ {matrix('W', '4 * H', 'I + H')}")
    else:
        for part in parts:
            name = f"W{part}"
            params[name] = f"{ours[part]}.T" if turned else ours[part]
            affine.append(f"{part} @ {matrix(name, '4 * H', sizes[part])}")
    for number in range(biases):
        made.append(f"self.b{number} = nn.Parameter(torch.empty(4 * H))")
        affine.append(f"self.b{number}")
    sides = ["bias_ih", "bias_hh"]
    whole = " + ".join(f"{side}[{blocks}]" for side in sides)
    if biases == 1:
        params["b0"] = whole
    else:
        params |= {f"b{n}": f"{side}[{blocks}]" for n, side in enumerate(sides)}
    turn = ".T" if time == "columns" else ""
    source = f"""
import torch
from torch import nn


class Cell(nn.Module):
    def __init__(self, I, H):
        super().__init__()
        {chr(10).join(f"{'' if n == 0 else '        '}{line}" for n, line in enumerate(made))}

    def forward(self, h, c, x):
        h, c, x = h{turn}, c{turn}, x{turn}
        {", ".join(order)} = ({" + ".join(affine)}).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return {{"c": c{turn}, "h": ({last}){turn}}}
"""
    says: dict[str, object] = {
        "name": "Cell",
        "init": ["input_size", "hidden_size"],
        "call": ["state[0]", "state[1]", "x"],
        "returns": {"h": "h", "c": "c"},
        "blocks": "i f g o",
        "params": params,
    }
    if time == "columns":
        names = ("state[0]", "state[1]", "h", "c")
        says["axes"] = {"x": "b i -> i b", **dict.fromkeys(names, "b h -> h b")}
    return source, says


@pytest.fixture
def graded(runner: Runner, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Grades a layout; gives the grade and what came back, as the checks see it."""

    def grade(number: int, last: str) -> tuple[Grade, dict[tuple[str, str], RawOutput]]:
        source, says = lstm_cell(random.Random(f"layout {number}"), last)
        adapter, file = tmp_path / f"{number}.yaml", tmp_path / f"layout{number}.py"
        adapter.write_text(yaml.safe_dump({"assignment": "lstm", "entries": {"LSTMCell": says}}))
        file.write_text(source)
        marker = Marker(ROOT, "lstm", runner, adapter=adapter)
        (submission,) = collect([file], "lstm").submissions
        standard = marker.standard
        desk = Desk(
            standard=standard,
            skeleton=b"",
            open=runner.open,
            mistakes=marker.mistakes,
            adapter=marker.adapter,
        )
        loaded = marker.adapter.load(
            submission,
            top_level(standard.rubric),
            skeleton=None,
            prefer="module",
            everything=False,
        )
        return marker.mark(submission), asked(loaded, desk)

    return grade


RIGHT, WRONG = "torch.sigmoid(o) * torch.tanh(c)", "torch.sigmoid(o) * c"


def test_a_right_submission_gets_the_same_marks_and_gradients_in_every_layout(graded) -> None:  # type: ignore[no-untyped-def]
    (first, wanted), *others = [graded(number, RIGHT) for number in range(LAYOUTS)]
    assert first.earned == first.possible
    for grade, answers in others:
        assert (grade.earned, grade.possible) == (first.earned, first.possible)
        assert answers.keys() == wanted.keys()
        for key, output in answers.items():
            assert output.gradients.keys() == wanted[key].gradients.keys()
            for name, gradient in output.gradients.items():
                other = wanted[key].gradients[name]
                assert gradient is not None and other is not None
                assert np.abs(gradient - other).max() <= 1e-12 * max(1, np.abs(other).max())


def test_a_wrong_submission_gets_the_same_diagnosis_in_every_layout(graded) -> None:  # type: ignore[no-untyped-def]
    grades = [graded(number, WRONG)[0] for number in range(3)]
    assert {grade.earned for grade in grades} == {grades[0].earned}
    said = {each.alternatives for grade in grades for each in grade.diagnoses}
    assert said == {(("no-tanh-on-cell",),)}
