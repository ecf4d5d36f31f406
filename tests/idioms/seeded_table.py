import random

import numpy as np
import torch

SEED = 1234
torch.manual_seed(SEED)
np.random.seed(SEED)
random.seed(SEED)

PROJECTION = torch.randn(4, 2)
NOISE = np.random.randn(3)
ORDER = random.sample(range(10), 5)


def run():
    return torch.ones(4) @ PROJECTION, NOISE, ORDER
