"""What is kept though no name needs it: the recursion limit, and seeds of what is drawn."""

import pytest

from grader.load import load
from grader.types import Loaded, Submission, SubmittedFile


def read(source: str) -> Loaded:
    file = SubmittedFile(name="mha.py", content=source.encode())
    return load(Submission(student="kim", assignment="mha", path="in/kim", files=(file,)), ("run",))


def lines(source: str) -> list[str]:
    return [line for line in read(source).source.splitlines() if line]


TABLE = "import torch\nW = torch.randn(3)\ndef run(): return W\n"


@pytest.mark.parametrize(
    "setting",
    [
        "import sys\nsys.setrecursionlimit(5000)",
        "from sys import setrecursionlimit as limit\nlimit(5000)",
        "import torch\ntorch.manual_seed(0)",
        "from torch import manual_seed\nSEED = 3\nmanual_seed(SEED)",
        "import numpy as np\nnp.random.seed(0)",
        "import random\nrandom.seed(0)",
    ],
)
def test_a_setting_is_kept_with_what_it_needs(setting: str) -> None:
    source = setting + "\n" + TABLE
    assert lines(source) == source.splitlines()


@pytest.mark.parametrize(
    "other",
    [
        "SEED = ARGS.seed\ntorch.manual_seed(SEED)",
        "torch.manual_seed(int(input()))",
        "torch.set_default_dtype(torch.float32)",
        "torch.manual_seed(0, 1)",
        "seed(0)",
        "def manual_seed(x): pass\nmanual_seed(0)",
    ],
)
def test_what_is_computed_or_something_else_is_dropped(other: str) -> None:
    assert lines(f"import torch\n{other}\n{TABLE}") == TABLE.splitlines()


def test_a_seed_of_what_nothing_needs_is_dropped() -> None:
    source = "import torch\ntorch.manual_seed(0)\nx = torch.randn(3)\ndef run(): return torch\n"
    assert lines(source) == ["import torch", "def run(): return torch"]


REGISTRIES = [
    "import functools\n@functools.singledispatch\ndef run(x): return 1\n"
    "@run.register\ndef _(x: int): return 2\n@run.register(str)\ndef _(x): return 3\n",
    "TABLE = {}\ndef add(f):\n    TABLE[f.__name__] = f\n    return f\n"
    "@add\ndef lstm(): pass\ndef run(): return TABLE\n",
    "TABLE = {}\ndef add(name):\n    def wrap(f):\n        TABLE.setdefault(name, f)\n"
    "        return f\n    return wrap\n@add('x')\nclass Lstm: pass\ndef run(): return TABLE\n",
    "TABLE = []\ndef add(f): TABLE.append(f)\nclass Lstm: pass\nadd(Lstm)\n"
    "add(lambda: 3)\ndef run(): return TABLE\n",
]


@pytest.mark.parametrize("source", REGISTRIES)
def test_what_is_entered_in_a_table_is_kept_where_the_table_is_needed(source: str) -> None:
    assert lines(source) == source.splitlines()
    assert read(source).notes == ()
    without = source.replace("def run(): return TABLE", "def run(): return 1")
    if without != source:
        assert lines(without) == ["def run(): return 1"]


def test_a_call_that_only_shows_something_is_dropped() -> None:
    source = "memo = {}\nx = 3\ndef run(x):\n    memo[1] = x\n    return memo\nrun(x)\n"
    assert "run(x)" not in lines(source)


def test_a_loader_with_workers_is_told_of_once() -> None:
    source = (
        "from torch.utils.data import DataLoader\nimport torch.utils.data as D\n"
        "class Loader: pass\n"
        "def run(x):\n    a = DataLoader(x, num_workers=0)\n    b = Loader(num_workers=2)\n"
        "    c = D.DataLoader(x, 1, False, None, None, 4)\n"
        "    return DataLoader(x, num_workers=x)\n"
    )
    (note,) = read(source).notes
    assert note.code == "load.workers" and note.facts["count"] == 2
    assert note.facts["text"] == "c = D.DataLoader(x, 1, False, None, None, 4)"
    assert note.origin is not None and note.origin.line == 7
