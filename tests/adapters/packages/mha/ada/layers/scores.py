import math


def scores(q, k, mask=None):
    products = q @ k.mT / math.sqrt(q.size(-1))
    return products if mask is None else products.masked_fill(~mask, -math.inf)
