import functools
import operator

import torch


@functools.lru_cache(maxsize=None)
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


@functools.cache
def mask(n):
    return torch.triu(torch.full((n, n), float("-inf")), diagonal=1)


def logged(f):
    @functools.wraps(f)
    def inner(*args, **kwargs):
        inner.calls += 1
        return f(*args, **kwargs)

    inner.calls = 0
    return inner


@logged
def add(a, b=2):
    return a + b


@functools.singledispatch
def kind(x):
    return "other"


@kind.register
def _(x: int):
    return "int"


def run():
    total = functools.reduce(operator.mul, range(1, 6))
    plus = functools.partial(add, b=10)
    plus(1)
    return fibonacci(40), mask(3) is mask(3), mask(3), total, plus(5), add.calls, add.__name__, kind(3)
