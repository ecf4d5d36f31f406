"""TP modeles autoregressifs, Camille"""
import numpy as np


def transition_counts(sequences, n_states):
    counts = np.zeros((n_states, n_states), dtype=np.int64)
    for seq in sequences:
        for a, b in zip(seq[:-1], seq[1:]):
            counts[a, b] += 1
    return counts


def probabilities(counts, smoothing):
    counts = np.asarray(counts, dtype=float) + smoothing
    sums = counts.sum(axis=-1)[..., np.newaxis]
    out = np.ones(counts.shape) / counts.shape[-1]
    np.divide(counts, sums, out=out, where=sums != 0)
    return out


def fit_markov_chain(sequences, n_states, smoothing):
    debut = np.bincount(sequences[:, 0], minlength=n_states)
    suite = transition_counts(sequences, n_states)
    return probabilities(debut, smoothing), probabilities(suite, smoothing)


def chain_rule(sequences, conditionals):
    b = np.arange(sequences.shape[0])[:, None]
    t = np.arange(sequences.shape[1])[None, :]
    p = conditionals[b, t, sequences]
    with np.errstate(divide="ignore"):
        return np.sum(np.log(p), axis=1)


def markov_conditionals(sequences, initial, transition):
    result = [np.repeat(initial[None], len(sequences), axis=0)]
    for t in range(1, sequences.shape[1]):
        result.append(transition[sequences[:, t - 1]])
    return np.stack(result, axis=1)


def markov_log_likelihood(sequences, initial, transition):
    cond = markov_conditionals(sequences, initial, transition)
    return chain_rule(sequences, cond)


def windows(series, tau):
    x = np.array([series[t - tau:t] for t in range(tau, len(series))])
    return x, series[tau:]


def fit_ar(series, tau):
    x, y = windows(series, tau)
    x1 = np.hstack([np.ones((len(x), 1)), x])
    return np.linalg.solve(x1.T @ x1, x1.T @ y)


def one_step(series, coefficients):
    x, _ = windows(series, len(coefficients) - 1)
    return x @ coefficients[1:] + coefficients[0]


def forecast(series, coefficients, start, steps):
    tau = len(coefficients) - 1
    series = np.asarray(series)
    predictions = []
    for t in range(start, start + steps):
        if t <= len(series):
            window = series[t - tau:t]
        else:  # no more data: go on with the last prediction
            window = np.append(window[1:], predictions[-1])
        predictions.append(coefficients[0] + np.dot(coefficients[1:], window))
    return np.array(predictions)


def latent_step(h, x, cell):
    w_h, w_x, b = cell
    return np.tanh(np.matmul(h, w_h.T) + np.matmul(x, w_x.T) + b)


def latent_predictions(x, h, cell, head):
    w_y, b_y = head
    out = np.zeros_like(x)
    for t in range(x.shape[1]):
        out[:, t] = np.matmul(h, w_y.T) + b_y
        h = latent_step(h, x[:, t], cell)
    return out, h


def latent_rollout(h, cell, head, steps):
    w_y, b_y = head
    out = np.zeros((h.shape[0], steps, w_y.shape[0]))
    for t in range(steps):
        out[:, t] = np.matmul(h, w_y.T) + b_y
        h = latent_step(h, out[:, t], cell)
    return out
