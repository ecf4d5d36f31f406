import torch


def run():
    torch.manual_seed(42)
    first = torch.rand(3)
    state = torch.get_rng_state()
    second = torch.rand(3)
    torch.set_rng_state(state)
    again = torch.rand(3)
    own = torch.Generator(device="cpu").manual_seed(5)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.rand(10)
    return first, torch.equal(second, again), torch.randperm(6, generator=own), torch.rand(1)
