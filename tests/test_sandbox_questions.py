"""What a worker is told, and what it is not."""

from dataclasses import replace
from typing import Any

import numpy as np

from grader.sandbox import wire
from grader.sandbox.questions import job_tree, plan_tree, trial_tree
from grader.types import Build, Call, Job, Optimizer, StoredLogits, Trial

SECRET = "only-the-trusted-side-knows"

TRIAL = Trial(
    case=SECRET,
    variant=SECRET,
    entry="train",
    config={"width": 4, "rate": 0.1, "betas": (0.9, 2), "name": "a", "flag": True},
    weights={"w": np.ones((2, 2))},
    calls=(
        Call(
            args={
                "model": Build(name="Net", config={"p": 0.5}, weights={"w": np.zeros(1)}),
                "bare": Build(name="Net", frozen=("w",), mode="train"),
                "table": StoredLogits(table=np.zeros((1, 2, 3, 3)), pad=2),
                "optimizer": Optimizer(name="SGD", of="model", config={"lr": 0.5}),
                "state": (np.zeros(2), [1, None, 2.5]),
            },
            feed={"state": 1},
        ),
    ),
    cotangents=(np.ones(3),),
    seed=7,
)


def texts(tree: Any) -> list[str]:
    if isinstance(tree, dict):
        return [*map(str, tree), *(text for value in tree.values() for text in texts(value))]
    if isinstance(tree, (list, tuple)):
        return [text for value in tree for text in texts(value)]
    return [tree] if isinstance(tree, str) else []


def test_a_worker_learns_no_name_of_a_case_or_a_variant() -> None:
    assert SECRET not in texts(trial_tree(TRIAL))
    assert SECRET.encode() not in wire.encode(trial_tree(TRIAL))


def test_a_trial_survives_the_wire() -> None:
    sent = wire.decode(wire.encode(trial_tree(TRIAL)), wire.Caps())
    call = sent["calls"][0]
    assert sent["config"]["rate"]["number"] == 0.1 and sent["config"]["flag"] is True
    assert call["args"]["state"][1][2]["number"] == 2.5
    assert call["args"]["model"]["weights"]["w"].tolist() == [0]
    assert call["args"]["bare"]["weights"] is None and call["args"]["bare"]["frozen"] == ["w"]
    assert call["args"]["table"]["stored_logits"].shape == (1, 2, 3, 3)
    assert call["args"]["optimizer"]["of"] == "model"
    assert call["feed"] == {"state": 1} and sent["seed"] == 7


def test_a_job_says_what_runs_and_what_is_recorded() -> None:
    job = Job(source="x = 1", modules={"m": "y = 2"}, trials=(TRIAL,), forbidden=("torch.nn.LSTM",))
    tree = job_tree(job)
    assert tree["source"] == "x = 1" and tree["modules"] == {"m": "y = 2"}
    assert tree["forbidden"] == ["torch.nn.LSTM"] and tree["result_bytes"] == 64_000_000
    assert "trials" not in tree


def test_weights_that_trials_share_travel_once() -> None:
    weights = {"w": np.ones((2, 3))}
    first = replace(TRIAL, weights=weights)
    tree = plan_tree((first, replace(first, seed=1), replace(first, weights=dict(weights)), TRIAL))
    assert [each["weights"] for each in tree["trials"]][:3] == [0, 0, 1]
    assert len(tree["weights"]) == (3 if TRIAL.weights is not None else 2)
