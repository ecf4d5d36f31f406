# TP melange de gaussiennes - Benoit
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
        couche = torch.tanh(self.hidden(x))
        scores = self.weights(couche)
        # log-softmax a la main
        scores = scores - scores.max(dim=1, keepdim=True).values
        log_poids = scores - torch.log(torch.exp(scores).sum(dim=1, keepdim=True))
        forme = (x.shape[0], self.num_components, self.output_size)
        moyennes = self.means(couche).reshape(forme)
        ecarts = torch.exp(self.deviations(couche)).reshape(forme)
        return log_poids, moyennes, ecarts


def component_log_densities(y: Tensor, means: Tensor, deviations: Tensor) -> Tensor:
    """The log density of each target under each Gaussian."""
    # YOUR CODE HERE
    log_norm = torch.log(deviations * math.sqrt(2 * math.pi))
    carre = torch.square((y.unsqueeze(1) - means) / deviations)
    return torch.sum(-carre / 2 - log_norm, dim=-1)


def negative_log_likelihood(
    y: Tensor, log_weights: Tensor, means: Tensor, deviations: Tensor
) -> Tensor:
    """The mean over the batch of the negative log density of each target."""
    # YOUR CODE HERE
    termes = log_weights + component_log_densities(y, means, deviations)
    m = termes.max(dim=1)[0]
    somme = torch.exp(termes - m.unsqueeze(1)).sum(dim=1)
    return torch.mean(-(m + torch.log(somme)))


def mixture_moments(
    log_weights: Tensor, means: Tensor, deviations: Tensor
) -> tuple[Tensor, Tensor]:
    """The mean and the variance of each item's mixture, in each dimension."""
    # YOUR CODE HERE
    poids = torch.exp(log_weights).unsqueeze(-1)
    moyenne = torch.sum(poids * means, dim=1)
    moment2 = torch.sum(poids * (deviations ** 2 + means ** 2), dim=1)
    return moyenne, moment2 - moyenne ** 2


def sample(log_weights: Tensor, means: Tensor, deviations: Tensor, count: int) -> Tensor:
    """Independent samples from each item's mixture."""
    # YOUR CODE HERE
    tirages = []
    for b in range(means.shape[0]):
        u = torch.rand(count, 1)
        bornes = torch.cumsum(torch.exp(log_weights[b]), dim=0)
        k = (u > bornes[:-1]).sum(dim=1)
        bruit = torch.randn(count, means.shape[2])
        tirages.append(means[b][k] + deviations[b][k] * bruit)
    return torch.stack(tirages, dim=1)


def train(
    model: MixtureDensityNetwork, x: Tensor, y: Tensor, steps: int, learning_rate: float
) -> list[float]:
    """Train in place: `torch.optim.Adam` with this learning rate, everything else as by default."""
    # YOUR CODE HERE
    optimiseur = torch.optim.Adam(model.parameters(), lr=learning_rate)
    pertes = []
    for _ in range(steps):
        perte = negative_log_likelihood(y, *model(x))
        pertes.append(perte.item())
        optimiseur.zero_grad()
        perte.backward()
        optimiseur.step()
    return pertes


if __name__ == "__main__":
    torch.manual_seed(0)
    y = torch.rand(1000, 1)
    x = y + 0.3 * torch.sin(2 * math.pi * y) + 0.1 * (2 * torch.rand(1000, 1) - 1)
    model = MixtureDensityNetwork(input_size=1, hidden_size=20, num_components=3, output_size=1)
    losses = train(model, x, y, steps=1500, learning_rate=0.02)
    print(f"negative log-likelihood {losses[0]:.3f} -> {losses[-1]:.3f}")


if __name__ == "__main__":
    with torch.no_grad():
        log_weights, means, deviations = model(torch.tensor([[0.5]]))
        mean, variance = mixture_moments(log_weights, means, deviations)
        drawn = sample(log_weights, means, deviations, count=2000).flatten()
    print(f"at x = 0.5: mean {mean.item():.2f}, deviation {variance.item() ** 0.5:.2f}, samples:")
    counts = torch.histc(drawn, bins=20, min=0.0, max=1.0)
    for index, number in enumerate(counts.tolist()):
        print(f"{index / 20:.2f} {'#' * int(number / 8)}")
