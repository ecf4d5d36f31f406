import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step(x, h, c, Wx, Wh, b):
    i, f, o, g = np.split(x @ Wx + h @ Wh + b, 4, axis=1)
    i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
    new = f * c + i * g
    return o * np.tanh(new), new, (x, h, c, i, f, o, g, new)


def lstm_forward(x, h0, Wx, Wh, b):
    h, c, hs, caches = h0, np.zeros_like(h0), [], []
    for t in range(x.shape[1]):
        h, c, cache = step(x[:, t], h, c, Wx, Wh, b)
        hs.append(h)
        caches.append(cache)
    return np.stack(hs, axis=1), (caches, Wx, Wh, b)


def lstm_backward(dh, cache):
    caches, Wx, Wh, b = cache
    dx, dWx, dWh, db = [], np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)
    dprev, dc = 0, 0
    for t in reversed(range(len(caches))):
        x, h, c, i, f, o, g, new = caches[t]
        d = dh[:, t] + dprev
        tanh = np.tanh(new)
        dc = dc + d * o * (1 - tanh**2)
        da = np.hstack(
            [dc * g * i * (1 - i), dc * c * f * (1 - f), d * tanh * o * (1 - o), dc * i * (1 - g**2)]
        )
        dx.insert(0, da @ Wx.T)
        dprev, dc = da @ Wh.T, dc * f
        dWx += x.T @ da
        dWh += h.T @ da
        db += da.sum(axis=0)
    return np.stack(dx, axis=1), dprev, dWx, dWh, db
