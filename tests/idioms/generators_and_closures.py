import torch


def batches(x, size):
    for i in range(0, len(x), size):
        yield x[i : i + size]


def counter():
    count = 0

    def step():
        nonlocal count
        count += 1
        return count

    return step


def averaged():
    total, n, mean = 0.0, 0, None
    while True:
        value = yield mean
        total, n = total + value, n + 1
        mean = total / n


def run():
    step = counter()
    sums = [b.sum() for b in batches(torch.arange(7.0), 3)]
    running = averaged()
    next(running)
    means = [running.send(v) for v in (1.0, 2.0, 6.0)]
    first, *rest = sums
    return sums, [step() for _ in range(3)], means, len(rest)
