import random

import torch


def set_seed(seed):
    random.seed(seed)
    torch.manual_seed(seed)


def run():
    set_seed(3)
    items = list(range(8))
    random.shuffle(items)
    own = random.Random(5)
    return items, random.random(), random.choice("abc"), own.gauss(0, 1), random.sample(range(9), 3)
