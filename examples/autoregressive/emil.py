import numpy as np




def transition_counts(sequences, n_states):
    result = np.zeros([n_states, n_states])
    for i in range(n_states):
        for j in range(n_states):
            result[i, j] = np.sum((sequences[:, :-1] == i) & (sequences[:, 1:] == j))
    return result


def probabilities(counts, smoothing):
    n = counts.shape[-1]
    total = counts.sum(axis=-1, keepdims=True) + smoothing * n
    with np.errstate(invalid="ignore"):
        result = (counts + smoothing) / total
    result[np.isnan(result)] = 1 / n
    return result


def fit_markov_chain(sequences, n_states, smoothing):
    start = np.array([np.sum(sequences[:, 0] == i) for i in range(n_states)])
    return probabilities(start, smoothing), probabilities(transition_counts(sequences, n_states), smoothing)


def chain_rule(sequences, conditionals):
    out = np.zeros(len(sequences))
    with np.errstate(divide="ignore"):
        for b, seq in enumerate(sequences):
            out[b] = sum(np.log(conditionals[b, t, s]) for t, s in enumerate(seq))
    return out


def markov_conditionals(sequences, initial, transition):
    return np.stack([np.vstack([initial[None], transition[s[:-1]]]) for s in sequences])


def markov_log_likelihood(sequences, initial, transition):
    return chain_rule(sequences, markov_conditionals(sequences, initial, transition))


def windows(series, tau):
    return np.array([series[i : i + tau] for i in range(len(series) - tau)]), series[tau:]


def fit_ar(series, tau):
    raise NotImplementedError


def one_step(series, coefficients):
    raise NotImplementedError


def forecast(series, coefficients, start, steps):
    raise NotImplementedError


def latent_step(h, x, cell):
    raise NotImplementedError


def latent_predictions(x, h, cell, head):
    raise NotImplementedError


def latent_rollout(h, cell, head, steps):
    raise NotImplementedError
