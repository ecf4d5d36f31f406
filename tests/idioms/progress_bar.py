import torch

try:
    from tqdm.auto import tqdm, trange
except ImportError:
    tqdm = lambda iterable, **_: iterable
    trange = lambda n, **_: range(n)


def run():
    total = torch.zeros(1)
    for epoch in trange(3, desc="epochs"):
        for batch in tqdm([1.0, 2.0], leave=False):
            total += batch
    return total
