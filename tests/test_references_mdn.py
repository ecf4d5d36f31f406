"""The mixture density network's reference against torch.distributions, in values and gradients."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from tests.test_references import COURSE, assert_same, gradients, leaf, load, randomise

mdn = load(Path(__file__).parents[1] / "reference" / "mdn.py")
DIMENSIONS = pytest.mark.parametrize("dimensions", [1, 2, 3])


def setup_module() -> None:
    """Work in float64, as the worker does."""
    torch.set_default_dtype(torch.float64)


def teardown_module() -> None:
    """Give other test modules torch's own default back."""
    torch.set_default_dtype(torch.float32)


def setup_function() -> None:
    """Fix every random draw of a test."""
    torch.manual_seed(1994)


def mixture(dimensions: int, items: int = 5, components: int = 4) -> tuple[list[Tensor], ...]:
    """Log-weights, means and deviations of random mixtures; the leaves that they come from.

    torch.distributions normalises weights once more, so gradients are those of the scores.
    """
    scores, means = leaf(items, components), leaf(items, components, dimensions)
    deviations = torch.empty(items, components, dimensions).uniform_(0.3, 2).requires_grad_()
    return [scores.log_softmax(1), means, deviations], [scores, means, deviations]


def distribution(log_weights: Tensor, means: Tensor, deviations: Tensor) -> MixtureSameFamily:
    """The same in torch.distributions."""
    chosen = Categorical(logits=log_weights)
    return MixtureSameFamily(chosen, Independent(Normal(means, deviations), 1))


def test_the_network_gives_normalised_weights_and_positive_deviations() -> None:
    network = mdn.MixtureDensityNetwork(3, 7, 4, 2)
    randomise(network)
    x = leaf(5, 3)
    log_weights, means, deviations = network(x)
    hidden = torch.tanh(network.hidden(x))
    assert_same([log_weights.exp().sum(1)], [torch.ones(5)])
    assert_same([log_weights], [torch.softmax(network.weights(hidden), 1).log()])
    assert (means.shape, deviations.shape) == ((5, 4, 2), (5, 4, 2))
    assert (deviations > 0).all()
    assert_same([means[:, 1]], [network.means(hidden)[:, 2:4]])
    assert_same([deviations[:, 3].log()], [network.deviations(hidden)[:, 6:8]])


@DIMENSIONS
def test_component_log_densities_equal_torch_in_values_and_gradients(dimensions: int) -> None:
    y, ((_, means, deviations), _) = leaf(5, dimensions), mixture(dimensions)
    ours = mdn.component_log_densities(y, means, deviations)
    theirs = Independent(Normal(means, deviations), 1).log_prob(y.unsqueeze(1))
    assert_same([ours], [theirs])
    wanted = [y, means, deviations]
    assert_same(gradients([ours], wanted), gradients([theirs], wanted))


@DIMENSIONS
@pytest.mark.parametrize("away", [0.0, 1000.0])
def test_the_loss_equals_torch_in_values_and_gradients_near_and_far(
    dimensions: int, away: float
) -> None:
    parts, leaves = mixture(dimensions)
    y = (torch.randn(5, dimensions) + away).requires_grad_()
    ours = mdn.negative_log_likelihood(y, *parts)
    theirs = -distribution(*leaves).log_prob(y).mean()
    assert torch.isfinite(ours)
    torch.testing.assert_close(ours, theirs, rtol=1e-14, atol=1e-10)
    found = gradients([ours], [y, *leaves])
    for one, other in zip(found, gradients([theirs], [y, *leaves]), strict=True):
        assert torch.isfinite(one).all()
        torch.testing.assert_close(one, other, rtol=1e-13, atol=1e-10)


def test_equal_components_are_one_and_their_order_makes_no_difference() -> None:
    y, ((log_weights, means, deviations), _) = torch.randn(5, 2), mixture(2)
    same = means[:, :1].expand_as(means), deviations[:, :1].expand_as(deviations)
    one = Independent(Normal(same[0][:, 0], same[1][:, 0]), 1)
    assert_same([mdn.negative_log_likelihood(y, log_weights, *same)], [-one.log_prob(y).mean()])
    order = torch.tensor([2, 0, 3, 1])
    moved = [part[:, order] for part in (log_weights, means, deviations)]
    assert_same(
        [mdn.negative_log_likelihood(y, *moved)],
        [mdn.negative_log_likelihood(y, log_weights, means, deviations)],
    )


def test_a_narrow_component_at_the_target_gives_a_negative_loss() -> None:
    one = torch.zeros(1, 1), torch.zeros(1, 1, 1), torch.full((1, 1, 1), 0.01)
    loss = mdn.negative_log_likelihood(torch.zeros(1, 1), *one)
    assert loss.item() == pytest.approx(math.log(0.01) + 0.5 * math.log(2 * math.pi), abs=1e-12)


@DIMENSIONS
def test_moments_equal_torch_in_values_and_gradients(dimensions: int) -> None:
    parts, leaves = mixture(dimensions)
    ours, theirs = list(mdn.mixture_moments(*parts)), distribution(*leaves)
    assert_same(ours, [theirs.mean, theirs.variance])
    assert_same(gradients(ours, leaves), gradients([theirs.mean, theirs.variance], leaves))


def test_the_hand_outs_example_comes_out() -> None:
    y, weights = torch.ones(1, 1), torch.tensor([[0.25, 0.75]])
    parts = weights.log(), torch.tensor([[[0.0], [2.0]]]), torch.tensor([[[1.0], [0.5]]])
    densities = mdn.component_log_densities(y, *parts[1:]).tolist()[0]
    assert densities == pytest.approx([-1.4189, -2.2258], abs=5e-5)
    assert mdn.negative_log_likelihood(y, *parts).item() == pytest.approx(1.9556, abs=5e-5)
    mean, variance = mdn.mixture_moments(*parts)
    assert (mean.item(), variance.item()) == pytest.approx((1.5, 1.1875), abs=1e-12)


@DIMENSIONS
def test_samples_are_spread_as_torchs_by_every_number_and_together(dimensions: int) -> None:
    with torch.no_grad():
        parts, _ = mixture(dimensions, items=2, components=3)
        ours = mdn.sample(*parts, 20000)
        theirs = distribution(*parts).sample((20000,))
    assert ours.shape == theirs.shape == (20000, 2, dimensions)
    limit = math.sqrt(math.log(math.e * 100 / 1e-6) / 20000)
    both = [x.flatten(1) for x in (ours, theirs)]
    both = [torch.cat([x, x.cumsum(1), x.diff(dim=1)], dim=1) for x in both]
    for one, other in zip(both[0].T, both[1].T, strict=True):
        every = torch.cat([one, other])
        shares = [torch.searchsorted(x.sort().values, every, right=True) for x in (one, other)]
        assert (shares[0] - shares[1]).abs().max() / 20000 < limit


def test_training_is_adam_and_reports_losses_before_updates() -> None:
    network, twin = mdn.MixtureDensityNetwork(2, 5, 3, 1), mdn.MixtureDensityNetwork(2, 5, 3, 1)
    twin.load_state_dict(network.state_dict())
    x, y = torch.randn(20, 2), torch.randn(20, 1)
    losses = mdn.train(network, x, y, steps=4, learning_rate=0.05)
    optimizer, expected = torch.optim.Adam(twin.parameters(), lr=0.05), []
    for _ in range(4):
        loss = -distribution(*twin(x)).log_prob(y).mean()
        expected.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses == pytest.approx(expected, abs=1e-10)
    assert_same(list(network.parameters()), list(twin.parameters()))


def test_the_points_that_the_course_ships_are_those_of_bishops_inverse_problem() -> None:
    with np.load(COURSE / "assignments" / "mdn" / "inverse.npz") as stored:
        x, y = stored["x"], stored["y"]
    assert x.shape == y.shape == (300, 1) and x.dtype == y.dtype == np.float64
    assert y.min() >= 0 and y.max() <= 1
    assert np.abs(x - y - 0.3 * np.sin(2 * np.pi * y)).max() <= 0.1 + 1e-5
