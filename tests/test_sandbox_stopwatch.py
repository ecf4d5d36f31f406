"""Seconds by stage: each counted once, and a child's word for its own taken with care."""

import dataclasses
import time
from typing import Any

import numpy as np
import pytest
from sandbox_jobs import ask, trial

from grader.sandbox import stopwatch
from grader.sandbox.runner import Runner
from grader.sandbox.stopwatch import stage, told, watched
from grader.types import Outcome

SECONDS = 0.02


@stage("inner")
def inner() -> None:
    time.sleep(SECONDS)


@stage("outer")
def outer() -> None:
    time.sleep(SECONDS)
    inner()
    inner()


@stage("whole", whole=True)
def whole() -> None:
    inner()


def test_what_stands_within_a_stage_does_not_count_for_the_one_around_it() -> None:
    started = time.perf_counter()
    with watched() as watch:
        outer()
    spent = time.perf_counter() - started
    assert watch.seconds["inner"] >= 2 * SECONDS
    assert SECONDS <= watch.seconds["outer"] <= spent - watch.seconds["inner"]


def test_a_stage_may_count_for_all_within_it() -> None:
    with watched() as watch:
        whole()
    assert list(watch.seconds) == ["whole"] and watch.seconds["whole"] >= SECONDS


def test_nothing_is_counted_where_nobody_watches_and_an_inner_watch_keeps_its_own() -> None:
    outer()
    with watched() as first:
        with watched() as second:
            inner()
        assert first.seconds == {} and list(second.seconds) == ["inner"]


def test_a_stage_that_raises_is_counted() -> None:
    @stage("raises")
    def raises() -> None:
        raise KeyError

    with watched() as watch, pytest.raises(KeyError):
        raises()
    assert "raises" in watch.seconds


def test_what_a_child_tells_counts_and_is_taken_from_the_stage_around_it() -> None:
    @stage("talk")
    def talk() -> None:
        time.sleep(SECONDS)
        told({stopwatch.TOLD: {"run": 15_000, "build": 1_000_000}})

    with watched() as watch:
        talk()
    assert watch.seconds == {"run": 0.015, "build": 1.0, "talk": 0.0}


@pytest.mark.parametrize(
    "frame",
    [
        None,
        [],
        {},
        {"microseconds": None},
        {"microseconds": [1]},
        {"microseconds": {"run": "1", "build": True, "load": -1, "fork": 10**9, "score": 5}},
        {"microseconds": {"run": 1.5, "gradients": None, 3: 4}},
    ],
)
def test_what_has_not_the_form_of_our_worker_is_left_aside(frame: Any) -> None:
    with watched() as watch:
        told(frame)
    assert watch.seconds == {}


def test_a_submission_tells_every_stage_of_its_child(runner: Runner) -> None:
    source = """
        import time
        def f():
            time.sleep(0.05)
            return 1
    """
    with watched() as watch:
        (output,) = ask(runner, source)
    assert output.outcome is Outcome.OK
    assert {"fork", "lock-down", "load", "run", "talk", "end"} <= watch.seconds.keys()
    assert watch.seconds["run"] >= 0.05


def test_a_class_and_its_gradients_are_stages_of_their_own(runner: Runner) -> None:
    source = """
        import torch
        class Layer(torch.nn.Module):
            def forward(self, x):
                return 2 * x
    """
    ones = np.ones(3)
    asked = dataclasses.replace(trial("Layer", x=ones), probe="gradients", cotangents=(ones,))
    with watched() as watch:
        (output,) = ask(runner, source, asked)
    assert output.outcome is Outcome.OK
    assert watch.seconds["build"] > 0 and watch.seconds["gradients"] > 0
