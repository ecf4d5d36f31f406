import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def transition_counts(sequences: np.ndarray, n_states: int) -> np.ndarray:
    flat = sequences[:, :-1] * n_states + sequences[:, 1:]
    return np.bincount(flat.ravel(), minlength=n_states**2).reshape(n_states, n_states)


def probabilities(counts: np.ndarray, smoothing: float) -> np.ndarray:
    weight = np.asarray(counts, dtype=float) + smoothing
    weight = np.where(weight.sum(-1, keepdims=True) == 0, 1.0, weight)
    return weight / weight.sum(-1, keepdims=True)


def fit_markov_chain(sequences, n_states, smoothing):
    starts = (sequences[:, :1] == np.arange(n_states)).sum(0)
    return (
        probabilities(starts, smoothing),
        probabilities(transition_counts(sequences, n_states), smoothing),
    )


def chain_rule(sequences, conditionals):
    one_hot = sequences[..., None] == np.arange(conditionals.shape[-1])
    picked = np.einsum("btk,btk->bt", one_hot, conditionals)
    with np.errstate(all="ignore"):
        return np.einsum("bt->b", np.log(picked))


def markov_conditionals(sequences, initial, transition):
    table = np.vstack([transition, initial])
    previous = np.pad(sequences[:, :-1], ((0, 0), (1, 0)), constant_values=len(initial))
    return table[previous]


def markov_log_likelihood(sequences, initial, transition):
    with np.errstate(divide="ignore"):
        log_initial, log_transition = np.log(initial), np.log(transition)
    steps = log_transition[sequences[:, :-1], sequences[:, 1:]]
    return log_initial[sequences[:, 0]] + steps.sum(1)


def windows(series, tau):
    return sliding_window_view(series, tau)[:-1], series[tau:]


def fit_ar(series, tau):
    inputs, targets = windows(series, tau)
    design = np.insert(inputs, 0, 1.0, axis=1)
    q, r = np.linalg.qr(design)
    return np.linalg.solve(r, q.T @ targets)


def one_step(series, coefficients):
    tau = coefficients.size - 1
    return coefficients[0] + np.correlate(series[:-1], coefficients[1:], mode="valid")[: len(series) - tau]


def forecast(series, coefficients, start, steps):
    tau = coefficients.size - 1
    path = np.empty(tau + steps)
    path[:tau] = series[start - tau : start]
    for k in range(steps):
        path[tau + k] = coefficients[0] + np.vdot(coefficients[1:], path[k : k + tau])
    return path[tau:]


def latent_step(h, x, cell):
    w_h, w_x, b = cell
    return np.tanh(np.einsum("bj,ij->bi", h, w_h) + np.einsum("bj,ij->bi", x, w_x) + b)


def latent_predictions(x, h, cell, head):
    states = [h]
    for seen in x.swapaxes(0, 1):
        states.append(latent_step(states[-1], seen, cell))
    path = np.stack(states[:-1], axis=1)
    return np.einsum("bth,ih->bti", path, head[0]) + head[1], states[-1]


def latent_rollout(h, cell, head, steps):
    out = np.zeros((len(h), steps, len(head[1])))
    for t in range(steps):
        if t:
            h = latent_step(h, out[:, t - 1], cell)
        out[:, t] = np.einsum("bh,ih->bi", h, head[0]) + head[1]
    return out
