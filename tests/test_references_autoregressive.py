"""The autoregressive reference against torch and closed forms, in float64."""

import importlib.util
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.distributions import Categorical

COURSE = Path(__file__).parents[1]
Array = NDArray[np.float64]


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"reference_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


auto = load(COURSE / "reference" / "autoregressive.py")
HAND = np.array([[0, 1, 1, 1], [1, 1, 0, 1]])


@pytest.fixture()
def rng() -> np.random.Generator:
    return np.random.default_rng(20170612)


def a_chain(rng: np.random.Generator, n_states: int) -> tuple[Array, Array]:
    return rng.dirichlet(np.ones(n_states)), rng.dirichlet(np.ones(n_states), n_states)


# -- a Markov chain -----------------------------------------------------------------------------


def test_the_hand_outs_chain_is_what_it_says() -> None:
    assert auto.transition_counts(HAND, 2).tolist() == [[0, 2], [1, 3]]
    smoothed = auto.probabilities(np.array([[0, 2], [1, 3]]), 1.0)
    np.testing.assert_allclose(smoothed, [[1 / 4, 3 / 4], [2 / 6, 4 / 6]])
    initial, transition = auto.fit_markov_chain(HAND, 2, 0.0)
    np.testing.assert_allclose(initial, [0.5, 0.5])
    np.testing.assert_allclose(transition, [[0, 1], [1 / 4, 3 / 4]])
    logs = auto.markov_log_likelihood(HAND, initial, transition)
    np.testing.assert_allclose(logs, [-1.2685, -2.3671], atol=5e-5)


def test_counts_are_those_of_a_loop_and_sequences_do_not_touch(rng: np.random.Generator) -> None:
    sequences = rng.integers(0, 4, (5, 30))
    counted = np.zeros((6, 6))
    for row in sequences:
        for i, j in pairwise(row):
            counted[i, j] += 1
    assert np.array_equal(auto.transition_counts(sequences, 6), counted)
    assert counted.sum() == 5 * 29


def test_without_smoothing_no_other_chain_makes_the_data_more_likely(
    rng: np.random.Generator,
) -> None:
    sequences = rng.integers(0, 3, (6, 20))
    best = auto.markov_log_likelihood(sequences, *auto.fit_markov_chain(sequences, 3, 0.0)).sum()
    for _ in range(200):
        assert auto.markov_log_likelihood(sequences, *a_chain(rng, 3)).sum() < best


def test_smoothing_is_maximum_likelihood_with_that_many_more_counts(
    rng: np.random.Generator,
) -> None:
    counts = rng.integers(0, 9, (3, 4))
    more = auto.probabilities(counts + 2, 0.0)
    np.testing.assert_allclose(auto.probabilities(counts, 2.0), more, atol=1e-15)


def test_where_nothing_was_counted_all_states_are_equally_likely() -> None:
    with np.errstate(all="raise"):
        rows = auto.probabilities(np.array([[0, 0, 0, 0], [2, 0, 0, 0]]), 0.0)
    np.testing.assert_allclose(rows, [[0.25] * 4, [1, 0, 0, 0]])


# -- the chain rule -----------------------------------------------------------------------------


def test_the_chain_rule_is_the_sum_of_torchs_log_probabilities(rng: np.random.Generator) -> None:
    sequences = rng.integers(0, 5, (3, 800))
    conditionals = rng.dirichlet(np.ones(5), (3, 800))
    theirs = Categorical(probs=torch.tensor(conditionals)).log_prob(torch.tensor(sequences))
    np.testing.assert_allclose(
        auto.chain_rule(sequences, conditionals), theirs.sum(1).numpy(), rtol=0, atol=1e-10
    )


def test_a_step_that_can_not_happen_makes_the_sequence_impossible() -> None:
    conditionals = np.array([[[0.5, 0.5], [1.0, 0.0]]])
    with np.errstate(all="raise"):
        assert auto.chain_rule(np.array([[0, 1]]), conditionals).tolist() == [-np.inf]


def test_probabilities_of_all_sequences_of_a_length_sum_to_one(rng: np.random.Generator) -> None:
    every = np.stack(np.meshgrid(*[np.arange(3)] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
    logs = auto.markov_log_likelihood(every, *a_chain(rng, 3))
    assert np.exp(logs).sum() == pytest.approx(1.0, abs=1e-12)


def test_the_same_tokens_in_another_order_are_another_sequence(rng: np.random.Generator) -> None:
    orders = np.array([[0, 1, 2, 2, 1], [2, 1, 0, 1, 2], [1, 2, 2, 0, 1]])
    logs = auto.markov_log_likelihood(orders, *a_chain(rng, 3))
    assert len(set(logs.round(9))) == 3
    same = np.broadcast_to(rng.dirichlet(np.ones(3)), (3, 3))
    independent = auto.markov_log_likelihood(orders, same[0], same)
    np.testing.assert_allclose(independent, independent[0])


def test_what_a_chain_says_about_a_token_does_not_depend_on_it(rng: np.random.Generator) -> None:
    sequences = rng.integers(0, 4, (2, 6))
    initial, transition = a_chain(rng, 4)
    before = auto.markov_conditionals(sequences, initial, transition)
    sequences[:, 3] = (sequences[:, 3] + 1) % 4
    after = auto.markov_conditionals(sequences, initial, transition)
    changed = (before != after).any(axis=(0, 2))
    assert changed.tolist() == [False, False, False, False, True, False]


# -- a window of the past -------------------------------------------------------------------------


def test_the_hand_outs_series_goes_on_with_16_and_22() -> None:
    series = np.array([1.0, 2, 4, 7, 11])
    inputs, targets = auto.windows(series, 2)
    assert inputs.tolist() == [[1, 2], [2, 4], [4, 7]] and targets.tolist() == [4, 7, 11]
    coefficients = auto.fit_ar(series, 2)
    np.testing.assert_allclose(coefficients, [1, -1, 2], atol=1e-10)
    np.testing.assert_allclose(auto.forecast(series, coefficients, 5, 2), [16, 22], atol=1e-9)


def test_the_fit_is_torchs_and_its_errors_are_orthogonal_to_the_windows(
    rng: np.random.Generator,
) -> None:
    series = 3 + rng.standard_normal(50)
    inputs, targets = auto.windows(series, 4)
    design = torch.tensor(np.column_stack([np.ones(46), inputs]))
    theirs = torch.linalg.lstsq(design, torch.tensor(targets)).solution.numpy()
    ours = auto.fit_ar(series, 4)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10)
    errors = targets - auto.one_step(series, ours)
    assert abs(errors.sum()) < 1e-10 and np.abs(inputs.T @ errors).max() < 1e-9


def test_a_series_without_noise_gives_its_own_coefficients_and_future() -> None:
    made = [0.3, -1.0, 0.7]
    for _ in range(30):
        made.append(0.5 + 0.2 * made[-3] - 0.6 * made[-2] + 0.9 * made[-1])
    series = np.array(made)
    coefficients = auto.fit_ar(series[:20], 3)
    np.testing.assert_allclose(coefficients, [0.5, 0.2, -0.6, 0.9], atol=1e-9)
    np.testing.assert_allclose(auto.forecast(series, coefficients, 20, 13), series[20:], atol=1e-8)


def test_a_forecast_begins_like_one_step_and_does_not_see_the_future(
    rng: np.random.Generator,
) -> None:
    series, coefficients = rng.standard_normal(20), 0.5 * rng.standard_normal(4)
    path = auto.forecast(series, coefficients, 8, 5)
    assert path[0] == pytest.approx(auto.one_step(series, coefficients)[8 - 3], abs=1e-12)
    series[8:] = 99.0
    np.testing.assert_array_equal(auto.forecast(series, coefficients, 8, 5), path)


# -- a state that sums up the past ----------------------------------------------------------------


def latent(rng: np.random.Generator) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    cell = rng.standard_normal((5, 5)), rng.standard_normal((5, 3)), rng.standard_normal(5)
    return cell, (rng.standard_normal((3, 5)), rng.standard_normal(3))


def test_the_latent_model_is_torchs_rnn_read_one_step_late(rng: np.random.Generator) -> None:
    (w_h, w_x, b), head = latent(rng)
    twin = torch.nn.RNN(3, 5, batch_first=True, dtype=torch.float64)
    twin.load_state_dict(
        {
            "weight_ih_l0": torch.tensor(w_x),
            "weight_hh_l0": torch.tensor(w_h),
            "bias_ih_l0": torch.tensor(b),
            "bias_hh_l0": torch.zeros(5),
        }
    )
    x, h = rng.standard_normal((2, 7, 3)), rng.standard_normal((2, 5))
    with torch.no_grad():
        states, last = twin(torch.tensor(x), torch.tensor(h)[None])
    late = np.concatenate([h[:, None], states[:, :-1].numpy()], axis=1)
    predictions, end = auto.latent_predictions(x, h, (w_h, w_x, b), head)
    np.testing.assert_allclose(predictions, late @ head[0].T + head[1], rtol=0, atol=1e-10)
    np.testing.assert_allclose(end, last[0].numpy(), rtol=0, atol=1e-10)
    step = auto.latent_step(h, x[:, 0], (w_h, w_x, b))
    np.testing.assert_allclose(step, states[:, 0].numpy(), rtol=0, atol=1e-10)


def test_a_prediction_depends_on_what_came_before_and_on_nothing_else(
    rng: np.random.Generator,
) -> None:
    cell, head = latent(rng)
    x, h = rng.standard_normal((2, 6, 3)), rng.standard_normal((2, 5))
    before, _ = auto.latent_predictions(x, h, cell, head)
    x[:, 2] += 1.0
    after, _ = auto.latent_predictions(x, h, cell, head)
    assert (before != after).any(axis=(0, 2)).tolist() == [False] * 3 + [True] * 3


def test_a_roll_out_predicts_what_it_is_then_shown(rng: np.random.Generator) -> None:
    cell, head = latent(rng)
    h = rng.standard_normal((2, 5))
    rolled = auto.latent_rollout(h, cell, head, 6)
    predictions, _ = auto.latent_predictions(rolled, h, cell, head)
    np.testing.assert_allclose(predictions, rolled, rtol=0, atol=1e-12)
