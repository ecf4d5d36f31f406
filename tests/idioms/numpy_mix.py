import numpy as np
import torch


def run():
    np.random.seed(0)
    rng = np.random.default_rng(1)
    a = np.random.randn(3, 2)
    b = rng.normal(size=(2, 3))
    product = torch.from_numpy(a @ b)
    u, s, vt = np.linalg.svd(a)
    back = product.softmax(-1).numpy()
    return product, s, back, np.einsum("ij,ij->i", a, a), np.where(a > 0, 1, 0).sum()
