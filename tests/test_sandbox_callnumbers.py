"""The table of call numbers against the headers of the kernel, where they are installed."""

import importlib.util
import os
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from grader.sandbox import kernel
from grader.sandbox.callnumbers import NUMBERS

GENERATOR = Path(__file__).resolve().parent / "call_numbers.py"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("call_numbers", GENERATOR)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_the_numbers_are_those_of_the_headers(architecture: str) -> None:
    made = generator()
    if shutil.which("gcc") is None:
        pytest.skip("expected gcc, for its preprocessor; found none")
    try:
        told: dict[str, int] = made.numbers(architecture)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    assert len(told) > 280
    # Other headers may be older or younger than those that the table was made from: what both
    # know, they agree on.
    shared = told.keys() & NUMBERS[architecture].keys()
    assert len(shared) > 280
    assert {name: told[name] for name in shared} == {
        name: NUMBERS[architecture][name] for name in shared
    }


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_a_number_stands_for_one_call(architecture: str) -> None:
    numbers = list(NUMBERS[architecture].values())
    assert len(numbers) == len(set(numbers))


def test_some_numbers_that_everybody_knows() -> None:
    assert (NUMBERS["x86_64"]["read"], NUMBERS["aarch64"]["read"]) == (0, 63)
    assert (NUMBERS["x86_64"]["execve"], NUMBERS["aarch64"]["execve"]) == (59, 221)
    assert "open" not in NUMBERS["aarch64"] and "fork" not in NUMBERS["aarch64"]
    for table in NUMBERS.values():
        assert (table["clone3"], table["landlock_create_ruleset"]) == (435, 444)


@pytest.mark.skipif(not kernel.CALLS, reason="another machine")
def test_the_running_kernel_agrees() -> None:
    assert kernel.call("getpid") == os.getpid()
    assert kernel.call("geteuid") == os.geteuid()
