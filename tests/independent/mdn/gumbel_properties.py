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
        h = torch.nn.functional.tanh(self.hidden(x))
        heads = torch.cat([self.weights(h), self.means(h), self.deviations(h)], dim=1)
        K, D = self.num_components, self.output_size
        a, m, s = torch.split(heads, [K, K * D, K * D], dim=1)
        return a - torch.logsumexp(a, 1, keepdim=True), m.view(len(x), K, D), torch.exp(s.view(len(x), K, D))


def standard_normal(z):
    return -z * z / 2 - math.log(math.tau) / 2


def component_log_densities(y: Tensor, means: Tensor, deviations: Tensor) -> Tensor:
    # YOUR CODE HERE
    return standard_normal((y.unsqueeze(-2) - means) / deviations).sub(deviations.log()).sum(-1)


def negative_log_likelihood(
    y: Tensor, log_weights: Tensor, means: Tensor, deviations: Tensor
) -> Tensor:
    # YOUR CODE HERE
    one_by_one = [
        -torch.logsumexp(log_weights[b] + component_log_densities(y[b:b + 1], means[b:b + 1], deviations[b:b + 1])[0], 0)
        for b in range(len(y))
    ]
    return torch.stack(one_by_one).mean()


def mixture_moments(
    log_weights: Tensor, means: Tensor, deviations: Tensor
) -> tuple[Tensor, Tensor]:
    # YOUR CODE HERE
    p = torch.softmax(log_weights, 1)[..., None]
    mean = torch.sum(p * means, 1)
    return mean, torch.sum(p * deviations ** 2, 1) + torch.sum(p * means ** 2, 1) - mean ** 2


def sample(log_weights: Tensor, means: Tensor, deviations: Tensor, count: int) -> Tensor:
    # YOUR CODE HERE
    gumbel = -torch.log(-torch.log(torch.rand(count, *log_weights.shape)))
    k = torch.argmax(log_weights + gumbel, dim=-1)[..., None, None]
    k = k.expand(-1, -1, 1, means.shape[-1])
    noise = torch.randn(count, *means.shape)
    everything = means + deviations * noise
    return everything.gather(2, k).squeeze(2)


def train(
    model: MixtureDensityNetwork, x: Tensor, y: Tensor, steps: int, learning_rate: float
) -> list[float]:
    # YOUR CODE HERE
    opt = torch.optim.Adam([{"params": list(model.parameters())}], lr=learning_rate)
    out = []
    for i in range(steps):
        out += [negative_log_likelihood(y, *model(x))]
        opt.zero_grad()
        out[-1].backward()
        opt.step()
    return [o.item() for o in out]
