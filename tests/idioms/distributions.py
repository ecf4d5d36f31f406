import torch
from torch.distributions import Bernoulli, Categorical, Normal, kl_divergence


def run():
    torch.manual_seed(26)
    logits = torch.randn(4, requires_grad=True)
    policy = Categorical(logits=logits)
    action = policy.sample()
    policy.log_prob(action).backward()
    kl = kl_divergence(Normal(0.0, 1.0), Normal(torch.tensor(1.0), 2.0))
    return action, logits.grad, kl, Normal(0.0, 1.0).rsample((3,)), Bernoulli(0.3).entropy()
