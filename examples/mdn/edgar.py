import math

import torch
from torch import Tensor, nn


class MixtureDensityNetwork(nn.Module):

    def __init__(
        self, input_size: int, hidden_size: int, num_components: int, output_size: int
    ) -> None:
        super().__init__()
        self.num_components = num_components
        self.output_size = output_size
        self.hidden = nn.Linear(input_size, hidden_size)
        self.weights = nn.Linear(hidden_size, num_components)
        self.means = nn.Linear(hidden_size, num_components * output_size)
        self.deviations = nn.Linear(hidden_size, num_components * output_size)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # YOUR CODE HERE
        h = torch.tanh(self.hidden(x))
        log_weights = torch.log_softmax(self.weights(h), dim=1)
        shape = (-1, self.num_components, self.output_size)
        means = self.means(h).view(*shape)
        deviations = torch.exp(self.deviations(h)).view(*shape)
        return log_weights, means, deviations


def component_log_densities(y: Tensor, means: Tensor, deviations: Tensor) -> Tensor:
    # YOUR CODE HERE
    y = y.unsqueeze(1)
    log_p = -((y - means) ** 2) / (2 * deviations**2)
    log_p = log_p - torch.log(deviations) - 0.5 * math.log(2 * math.pi)
    return log_p.sum(dim=-1)


def negative_log_likelihood(
    y: Tensor, log_weights: Tensor, means: Tensor, deviations: Tensor
) -> Tensor:
    # YOUR CODE HERE
    log_p = component_log_densities(y, means, deviations)
    return -torch.logsumexp(log_weights + log_p, dim=1).mean()


def mixture_moments(
    log_weights: Tensor, means: Tensor, deviations: Tensor
) -> tuple[Tensor, Tensor]:
    # YOUR CODE HERE
    w = log_weights.exp().unsqueeze(-1)
    mean = (w * means).sum(dim=1)
    variance = (w * deviations**2).sum(dim=1)
    return mean, variance


def sample(log_weights: Tensor, means: Tensor, deviations: Tensor, count: int) -> Tensor:
    # YOUR CODE HERE
    out = []
    for n in range(count):
        k = torch.multinomial(log_weights.exp(), 1).squeeze(1)
        b = torch.arange(len(k))
        out.append(means[b, k] + deviations[b, k] ** 2 * torch.randn(means.shape[0], means.shape[2]))
    return torch.stack(out)


def train(
    model: MixtureDensityNetwork, x: Tensor, y: Tensor, steps: int, learning_rate: float
) -> list[float]:
    # YOUR CODE HERE
    opt = torch.optim.Adam(model.parameters(), lr=learning_rate)
    losses = []
    for _ in range(steps):
        loss = negative_log_likelihood(y, *model(x))
        losses.append(loss.item())
        opt.zero_grad()
        loss.backward()
        opt.step()
    return losses
