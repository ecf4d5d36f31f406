# %% [markdown]
# # Mixture density network
#
# Bishop, *Mixture Density Networks*, Neural Computing Research Group Report NCRG/94/004, Aston
# University, 1994, sections 3 (the network and its error) and 5 (the inverse problem).
#
# A network that answers with a number gives one answer, and where two are right it gives their
# mean, which is wrong. You build a network that answers with a distribution: a mixture of
# Gaussians. Then its loss, its mean and variance, samples from it, and its training.
#
# | letter | size of |
# | --- | --- |
# | `B` | batch |
# | `I` | input |
# | `H` | hidden layer |
# | `K` | components: Gaussians in the mixture |
# | `D` | dimensions of the target `y` |
# | `N` | samples of the mixture, for each item of the batch |
#
# **Against `torch.distributions`.** What you build is
# `MixtureSameFamily(Categorical(logits=log_weights), Independent(Normal(means, deviations), 1))`:
# its `log_prob`, `mean`, `variance` and `sample`. Bishop's Gaussians have one deviation each; here
# each has one for every dimension.

# %%
import math

import torch
from torch import Tensor, nn

# %% [markdown]
# ## The network
#
# A hidden layer with tanh, and three linear layers that read it. Weights must be positive and add
# up to 1, so they go through a softmax, and come back as logarithms, which do not underflow.
# Deviations must be positive, so they are exponentials. With $h = \tanh(W_h x + b_h)$:
#
# $$\log \pi_k = \log \frac{e^{a_k}}{\sum_j e^{a_j}}, \qquad \mu_k = m_k, \qquad \sigma_k = e^{s_k}$$

# %%
class MixtureDensityNetwork(nn.Module):
    """From an input to a mixture of K Gaussians over D dimensions."""

    def __init__(
        self, input_size: int, hidden_size: int, num_components: int, output_size: int
    ) -> None:
        """Make the hidden layer and one layer each for weights, means and deviations.

        The last two give K D numbers: D for component 0, then D for component 1, and so on.
        """
        super().__init__()
        self.num_components = num_components
        self.output_size = output_size
        self.hidden = nn.Linear(input_size, hidden_size)
        self.weights = nn.Linear(hidden_size, num_components)
        self.means = nn.Linear(hidden_size, num_components * output_size)
        self.deviations = nn.Linear(hidden_size, num_components * output_size)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Describe a mixture for each item.

        Args:
            x: (B, I).

        Returns:
            `(log_weights, means, deviations)`: logarithms of weights that add up to 1 over the
            components, (B, K); means, (B, K, D); deviations, all positive, (B, K, D).
        """
        # YOUR CODE HERE
        h = torch.tanh(x @ self.hidden.weight.T + self.hidden.bias)
        logits = h @ self.weights.weight.T + self.weights.bias
        mu = []
        sigma = []
        for k in range(self.num_components):
            rows = slice(k * self.output_size, (k + 1) * self.output_size)
            mu.append(h @ self.means.weight[rows].T + self.means.bias[rows])
            sigma.append(torch.exp(h @ self.deviations.weight[rows].T + self.deviations.bias[rows]))
        return torch.log_softmax(logits, dim=-1), torch.stack(mu, dim=1), torch.stack(sigma, dim=1)

# %% [markdown]
# ## The loss
#
# How likely is the target under one component? Its dimensions are independent there, so their log
# densities add up:
#
# $$\log N_k(y) = \sum_{d=1}^{D} \left( -\frac{(y_d - \mu_{kd})^2}{2 \sigma_{kd}^2}
# - \log \sigma_{kd} - \frac{1}{2} \log 2\pi \right)$$

# %%
def component_log_densities(y: Tensor, means: Tensor, deviations: Tensor) -> Tensor:
    """The log density of each target under each Gaussian.

    Args:
        y: targets, (B, D).
        means: (B, K, D).
        deviations: standard deviations, not variances, (B, K, D).

    Returns:
        (B, K).
    """
    # YOUR CODE HERE
    columns = []
    for k in range(means.shape[1]):
        total = torch.zeros(len(y))
        for d in range(y.shape[1]):
            sigma = deviations[:, k, d]
            z = (y[:, d] - means[:, k, d]) / sigma
            total = total - z * z / 2 - torch.log(sigma * math.sqrt(2 * math.pi))
        columns.append(total)
    return torch.stack(columns, dim=1)

# %% [markdown]
# Under the mixture, densities (not their logarithms) add up, each with its weight. Far from every
# mean all of them underflow to 0, and the logarithm of 0 is of no use; so the sum is taken
# in logarithms from beginning to end (`torch.logsumexp`):
#
# $$L = -\frac{1}{B} \sum_{b=1}^{B} \log \sum_{k=1}^{K} e^{\log \pi_{bk} + \log N_{bk}(y_b)}$$

# %%
def negative_log_likelihood(
    y: Tensor, log_weights: Tensor, means: Tensor, deviations: Tensor
) -> Tensor:
    """The mean over the batch of the negative log density of each target.

    Args:
        y: targets, (B, D).
        log_weights: logarithms of weights that add up to 1, (B, K). Take them as they are.
        means: (B, K, D).
        deviations: (B, K, D).

    Returns:
        The loss, (). It is finite, with finite gradients, however far the targets lie.
    """
    # YOUR CODE HERE
    terms = log_weights + component_log_densities(y, means, deviations)
    largest = terms.max(dim=1, keepdim=True).values.detach()
    return -(largest.squeeze(1) + torch.log(torch.exp(terms - largest).sum(dim=1))).mean()

# %% [markdown]
# ## Mean and variance
#
# The mean of a mixture is the mean of the means: what a network trained on squared errors would
# say. Its variance has two parts: how broad the components are, and how far they lie apart.
#
# $$\bar\mu = \sum_k \pi_k \mu_k, \qquad
# v = \sum_k \pi_k \left( \sigma_k^2 + (\mu_k - \bar\mu)^2 \right)$$

# %%
def mixture_moments(
    log_weights: Tensor, means: Tensor, deviations: Tensor
) -> tuple[Tensor, Tensor]:
    """The mean and the variance of each item's mixture, in each dimension.

    Args:
        log_weights: (B, K).
        means: (B, K, D).
        deviations: (B, K, D).

    Returns:
        `(mean, variance)`, each (B, D).
    """
    # YOUR CODE HERE
    mean = 0
    for k in range(means.shape[1]):
        mean = mean + torch.exp(log_weights[:, k, None]) * means[:, k]
    variance = 0
    for k in range(means.shape[1]):
        spread = deviations[:, k] ** 2 + (means[:, k] - mean) ** 2
        variance = variance + torch.exp(log_weights[:, k, None]) * spread
    return mean, variance

# %% [markdown]
# ## Samples
#
# A sample takes two draws. First one component is chosen, each with the probability that its
# weight says. Then the whole of $y$ comes from this component, with noise $\epsilon \sim N(0, 1)$
# for each dimension:
#
# $$k \sim \pi, \qquad y_d = \mu_{kd} + \sigma_{kd} \, \epsilon_d$$

# %%
def sample(log_weights: Tensor, means: Tensor, deviations: Tensor, count: int) -> Tensor:
    """Independent samples from each item's mixture.

    Args:
        log_weights: (B, K).
        means: (B, K, D).
        deviations: (B, K, D).
        count: N, how many samples of each item.

    Returns:
        (N, B, D).
    """
    # YOUR CODE HERE
    result = torch.empty(count, *means.shape[::2])
    for b in range(len(means)):
        u = torch.rand(count)
        edges = torch.exp(log_weights[b]).cumsum(0)
        k = torch.searchsorted(edges, u).clamp(max=len(edges) - 1)
        for d in range(means.shape[2]):
            result[:, b, d] = means[b, k, d] + deviations[b, k, d] * torch.randn(count)
    return result

# %% [markdown]
# ## Training
#
# Adam with the whole data set in every step, on the loss above.

# %%
def train(
    model: MixtureDensityNetwork, x: Tensor, y: Tensor, steps: int, learning_rate: float
) -> list[float]:
    """Train in place: `torch.optim.Adam` with this learning rate, everything else as by default.

    Args:
        model: gives `(log_weights, means, deviations)` for inputs.
        x: inputs, (B, I), all of them used in every step.
        y: targets, (B, D).
        steps: number of updates.
        learning_rate: the same in every step.

    Returns:
        The negative log-likelihood of each step, computed before that step's update: `steps`
        floats.
    """
    # YOUR CODE HERE
    optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate)
    losses = []
    for step in range(steps):
        optimiser.zero_grad()
        mixture = model(x)
        loss = negative_log_likelihood(y, mixture[0], mixture[1], mixture[2])
        losses.append(loss.item())
        loss.backward()
        optimiser.step()
    return losses

# %% [markdown]
# ## Try it: Bishop's inverse problem
#
# The targets are spread evenly, and the input is a function of the target: from $x$ back to $y$
# there are up to three right answers. The next cells run in a notebook (or with `python mdn.py`),
# not when the module is imported.
