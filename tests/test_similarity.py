"""Code is near-identical however it is disguised, and not because many wrote it."""

import random
import subprocess
import sys
import time

import pytest
from hypothesis import given as given_by
from hypothesis import settings
from hypothesis import strategies as st

from grader.similarity import LEAST_TOKENS, alike
from grader.types import SubmittedFile

SKELETON = b'''import torch


class Cell(torch.nn.Module):
    """A cell."""

    def __init__(self, size):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(size))
        self.bias = torch.nn.Parameter(torch.zeros(size))

    def forward(self, x, state):
        """One step."""
        raise NotImplementedError
'''
BODY = """        gates = x @ self.weight + state @ self.weight.T + self.bias
        first, second, third = gates.chunk(3, dim=-1)
        kept = torch.sigmoid(first) * state + torch.tanh(second)
        blend = kept * torch.sigmoid(third) - 0.5 * kept.mean(dim=-1, keepdim=True)
        for index in range(3):
            blend = blend + kept[..., index : index + 1] * state
        return torch.where(blend > 0, blend, kept), kept
"""
ONE = SKELETON.decode().replace("        raise NotImplementedError\n", BODY)
RENAMED = (
    ONE.replace("gates", "z").replace("kept", "cell_state").replace("blend", "out")
    .replace("        for index", "        # a loop\n\n        for index")
    .replace('"""One step."""', '"""Mine."""')
)  # fmt: skip


def file(text: str, name: str = "cell.py") -> SubmittedFile:
    return SubmittedFile(name=name, content=text.encode())


def students(**sources: str) -> tuple[tuple[str, ...], ...]:
    found = alike({name: file(text) for name, text in sources.items()}, [SKELETON])
    assert found is not None
    return tuple(each.students for each in found)


def unlike(seed: int, lines: int = 12) -> str:
    """Code of its own: no line of it stands in another's."""
    chosen = random.Random(seed)
    calls = ("exp", "log", "sin", "cos", "abs", "sqrt", "tanh", "sigmoid")
    body = "".join(
        f"        v{i} = torch.{chosen.choice(calls)}(x * {chosen.random():.6f}) "
        f"{chosen.choice('+-*')} {'state' if chosen.random() < 0.5 else 'x'}[{i}]\n"
        for i in range(lines)
    )
    return ONE.replace(BODY, f"{body}        return v0\n")


def test_names_comments_layout_and_docstrings_disguise_nothing() -> None:
    assert RENAMED != ONE
    assert students(ada=ONE, bob=RENAMED, cho=unlike(1)) == (("ada", "bob"),)


def test_a_line_more_or_less_disguises_nothing() -> None:
    more = ONE.replace("        for index", "        state = state.clone()\n        for index")
    assert students(ada=ONE, bob=more) == (("ada", "bob"),)


def test_code_of_ones_own_is_like_no_other() -> None:
    assert students(**{f"s{seed}": unlike(seed) for seed in range(20)}) == ()


def test_what_the_hand_out_gives_does_not_count() -> None:
    long = SKELETON.decode() + "".join(f"GIVEN_{i} = torch.zeros({i}, 3)\n" for i in range(80))
    sources = {name: file(long + f"\n\nMINE = {name!r}\n") for name in ("ada", "bob")}
    assert alike(sources, [long.encode()]) == ()
    assert alike(sources, []) != ()


def test_what_is_too_short_to_tell_is_not_told() -> None:
    assert students(ada=SKELETON.decode(), bob=SKELETON.decode()) == ()
    short = SKELETON.decode().replace("raise NotImplementedError", "return x @ self.weight, state")
    assert students(ada=short, bob=short) == ()
    assert LEAST_TOKENS > 20


def test_what_many_write_says_nothing_of_two_of_them_but_a_copy_is_a_copy() -> None:
    # The same lines in thirty texts, each with one more of its own.
    many = {f"s{i:02}": ONE + f"\n\nOWN_{i} = torch.arange({i}) * {i}\n" for i in range(30)}
    assert students(**many) == ()
    copied = {f"c{i:02}": ONE for i in range(30)}
    assert students(**copied) == (tuple(copied),)


def test_a_notebook_is_like_a_module() -> None:
    cells = ONE.replace("\n", "\\n").replace('"', '\\"')
    notebook = f'{{"cells": [{{"cell_type": "code", "source": "{cells}"}}]}}'
    found = alike({"ada": file(ONE), "bob": file(notebook, "cell.ipynb")}, [SKELETON])
    assert found is not None and [each.students for each in found] == [("ada", "bob")]


def test_groups_come_largest_first_with_the_least_that_joins_them() -> None:
    other = unlike(5, 30)
    found = alike(
        {
            "ada": file(ONE), "bob": file(ONE), "cho": file(other), "dan": file(other),
            "eve": file(other.replace("x * ", "x / ", 1)),
        },
        [SKELETON],
    )  # fmt: skip
    assert found is not None
    assert [each.students for each in found] == [("cho", "dan", "eve"), ("ada", "bob")]
    assert 95 <= found[0].percent < 100 and found[1].percent == 100


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"def f(:", b"x = " + b"(" * 5000, b"x" + b".a" * 20000, b"{"]
)
def test_what_cannot_be_read_is_like_nothing(content: bytes) -> None:
    bad = SubmittedFile(name="cell.py", content=content)
    found = alike({"ada": bad, "bob": bad, "cho": file(ONE), "dan": file(RENAMED)}, [SKELETON])
    assert found is not None and [each.students for each in found] == [("cho", "dan")]


@settings(deadline=None, max_examples=40)
@given_by(st.permutations(["ada", "bob", "cho", "dan"]))
def test_the_order_of_the_class_changes_nothing(order: list[str]) -> None:
    sources = {"ada": ONE, "bob": RENAMED, "cho": unlike(1), "dan": unlike(2)}
    assert students(**{name: sources[name] for name in order}) == (("ada", "bob"),)


def test_without_the_library_nothing_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert alike({"ada": file(ONE), "bob": file(ONE)}, [SKELETON]) is None


def test_the_library_is_not_imported_before_it_is_needed() -> None:
    assert "grader.similarity" in sys.modules
    # Another test of this process may have compared by now, so a new one is asked.
    import_only = "import sys, grader.instructor; sys.exit('rapidfuzz' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", import_only]).returncode == 0


def test_the_work_grows_with_the_class_and_not_with_its_square() -> None:
    def seconds(count: int) -> float:
        sources = {f"s{seed}": file(unlike(seed, 20)) for seed in range(count)}
        started = time.process_time()
        assert alike(sources, [SKELETON]) == ()
        return time.process_time() - started

    seconds(20)
    small, large = seconds(60), seconds(600)
    assert large < 30 * small
