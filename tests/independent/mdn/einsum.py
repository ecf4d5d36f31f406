import math

import torch
from torch import Tensor, nn


class MixtureDensityNetwork(nn.Module):
    """From an input to a mixture of K Gaussians over D dimensions."""

    def __init__(
        self, input_size: int, hidden_size: int, num_components: int, output_size: int
    ) -> None:
        """Make the hidden layer and one layer each for weights, means and deviations."""
        super().__init__()
        self.num_components = num_components
        self.output_size = output_size
        self.hidden = nn.Linear(input_size, hidden_size)
        self.weights = nn.Linear(hidden_size, num_components)
        self.means = nn.Linear(hidden_size, num_components * output_size)
        self.deviations = nn.Linear(hidden_size, num_components * output_size)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Describe a mixture for each item."""
        # YOUR CODE HERE
        features = self.hidden(x).tanh()
        scores, centres, spreads = (layer(features) for layer in (self.weights, self.means, self.deviations))
        split = (self.num_components, self.output_size)
        normaliser = scores.exp().sum(-1, keepdim=True).log()
        return scores - normaliser, centres.unflatten(-1, split), spreads.exp().unflatten(-1, split)


def component_log_densities(y: Tensor, means: Tensor, deviations: Tensor) -> Tensor:
    """The log density of each target under each Gaussian."""
    # YOUR CODE HERE
    precision = deviations.pow(-2)
    difference = y[:, None] - means
    mahalanobis = torch.einsum("bkd,bkd,bkd->bk", difference, precision, difference)
    log_determinant = torch.einsum("bkd->bk", deviations.log())
    return -0.5 * (mahalanobis + y.shape[-1] * math.log(2 * math.pi)) - log_determinant


def negative_log_likelihood(
    y: Tensor, log_weights: Tensor, means: Tensor, deviations: Tensor
) -> Tensor:
    """The mean over the batch of the negative log density of each target."""
    # YOUR CODE HERE
    joint = log_weights.add(component_log_densities(y, means, deviations))
    return joint.logsumexp(-1).neg().mean()


def mixture_moments(
    log_weights: Tensor, means: Tensor, deviations: Tensor
) -> tuple[Tensor, Tensor]:
    """The mean and the variance of each item's mixture, in each dimension."""
    # YOUR CODE HERE
    pi = log_weights.exp()
    first = torch.einsum("bk,bkd->bd", pi, means)
    second = torch.einsum("bk,bkd->bd", pi, means.square() + deviations.square())
    return first, second - first.square()


def sample(log_weights: Tensor, means: Tensor, deviations: Tensor, count: int) -> Tensor:
    """Independent samples from each item's mixture."""
    # YOUR CODE HERE
    pi = log_weights.exp()
    picks = torch.nn.functional.one_hot(
        torch.multinomial(pi, count, replacement=True), pi.shape[1]
    ).to(means.dtype)
    centre = torch.einsum("bnk,bkd->nbd", picks, means)
    width = torch.einsum("bnk,bkd->nbd", picks, deviations)
    return torch.normal(centre, width)


def train(
    model: MixtureDensityNetwork, x: Tensor, y: Tensor, steps: int, learning_rate: float
) -> list[float]:
    """Train in place: `torch.optim.Adam` with this learning rate, everything else as by default."""
    # YOUR CODE HERE
    adam = torch.optim.Adam(model.parameters(), learning_rate)
    curve = []
    while len(curve) < steps:
        loss = negative_log_likelihood(y, *model(x))
        curve.append(float(loss.detach()))
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()
    return curve
