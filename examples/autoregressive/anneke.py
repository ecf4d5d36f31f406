import numpy as np


def transition_counts(sequences: np.ndarray, n_states: int) -> np.ndarray:
    """Count which state comes right after which."""
    counts = np.zeros((n_states, n_states), dtype=int)
    B, T = sequences.shape
    for b in range(B):
        for t in range(T - 1):
            counts[sequences[b, t], sequences[b, t + 1]] += 1
    return counts


def probabilities(counts: np.ndarray, smoothing: float) -> np.ndarray:
    """Turn counts into distributions along the last axis."""
    K = counts.shape[-1]
    top = counts + smoothing
    bottom = top.sum(axis=-1, keepdims=True)
    empty = bottom == 0
    # avoid 0/0, then put the uniform distribution there
    p = top / np.where(empty, 1, bottom)
    return np.where(empty, 1 / K, p)


def fit_markov_chain(sequences, n_states, smoothing):
    starts = np.zeros(n_states)
    for s in sequences:
        starts[s[0]] += 1
    return (
        probabilities(starts, smoothing),
        probabilities(transition_counts(sequences, n_states), smoothing),
    )


def chain_rule(sequences, conditionals):
    B, T = sequences.shape
    total = np.zeros(B)
    with np.errstate(divide="ignore"):
        for t in range(T):
            total += np.log(conditionals[np.arange(B), t, sequences[:, t]])
    return total


def markov_conditionals(sequences, initial, transition):
    B, T = sequences.shape
    out = np.zeros((B, T, len(initial)))
    out[:, 0] = initial
    for t in range(1, T):
        out[:, t] = transition[sequences[:, t - 1]]
    return out


def markov_log_likelihood(sequences, initial, transition):
    return chain_rule(sequences, markov_conditionals(sequences, initial, transition))


def windows(series, tau):
    n = len(series) - tau
    return np.stack([series[i : i + tau] for i in range(n)]), series[tau:]


def fit_ar(series, tau):
    X, y = windows(series, tau)
    X = np.concatenate([np.ones((X.shape[0], 1)), X], axis=1)
    return np.linalg.lstsq(X, y, rcond=None)[0]


def one_step(series, coefficients):
    X, _ = windows(series, len(coefficients) - 1)
    return coefficients[0] + X @ coefficients[1:]


def forecast(series, coefficients, start, steps):
    tau = len(coefficients) - 1
    past = list(series[start - tau : start])
    for _ in range(steps):
        past.append(coefficients[0] + np.dot(coefficients[1:], past[-tau:]))
    return np.array(past[tau:])


def latent_step(h, x, cell):
    w_h, w_x, b = cell
    return np.tanh(h @ w_h.T + x @ w_x.T + b)


def latent_predictions(x, h, cell, head):
    w_y, b_y = head
    B, T, I = x.shape
    predictions = np.zeros((B, T, I))
    for t in range(T):
        predictions[:, t, :] = h @ w_y.T + b_y  # before x_t is seen
        h = latent_step(h, x[:, t, :], cell)
    return predictions, h


def latent_rollout(h, cell, head, steps):
    w_y, b_y = head
    predictions = []
    for _ in range(steps):
        x_hat = h @ w_y.T + b_y
        predictions.append(x_hat)
        h = latent_step(h, x_hat, cell)
    return np.stack(predictions, axis=1)


if __name__ == "__main__":
    seqs = np.array([[0, 1, 1, 1], [1, 1, 0, 1]])
    init, A = fit_markov_chain(seqs, 2, 0.0)
    print(init, A, np.exp(markov_log_likelihood(seqs, init, A)))
