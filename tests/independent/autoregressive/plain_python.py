"""Lists, dictionaries and loops; NumPy only at the door."""

import math
from collections import Counter

import numpy as np


def transition_counts(sequences, n_states):
    pairs = Counter()
    for row in sequences.tolist():
        pairs.update(zip(row, row[1:]))
    return np.array([[pairs[i, j] for j in range(n_states)] for i in range(n_states)])


def _share(row, alpha):
    total = sum(row) + alpha * len(row)
    if total == 0:
        return [1 / len(row)] * len(row)
    return [(count + alpha) / total for count in row]


def probabilities(counts, smoothing):
    def down(values):
        if isinstance(values[0], list):
            return [down(value) for value in values]
        return _share(values, smoothing)

    return np.array(down(np.asarray(counts).tolist()))


def fit_markov_chain(sequences, n_states, smoothing):
    firsts = [0] * n_states
    for row in sequences.tolist():
        firsts[row[0]] += 1
    counts = transition_counts(sequences, n_states).tolist()
    return np.array(_share(firsts, smoothing)), np.array([_share(r, smoothing) for r in counts])


def _log(p):
    return math.log(p) if p > 0 else -math.inf


def chain_rule(sequences, conditionals):
    answers = []
    for tokens, rows in zip(sequences.tolist(), conditionals.tolist()):
        answers.append(math.fsum(_log(row[token]) for token, row in zip(tokens, rows)))
    return np.array(answers)


def markov_conditionals(sequences, initial, transition):
    out = []
    for tokens in sequences.tolist():
        out.append([initial.tolist()] + [transition[token].tolist() for token in tokens[:-1]])
    return np.array(out)


def markov_log_likelihood(sequences, initial, transition):
    answers = []
    for tokens in sequences.tolist():
        total = _log(initial[tokens[0]])
        for previous, current in zip(tokens, tokens[1:]):
            total += _log(transition[previous, current])
        answers.append(total)
    return np.array(answers)


def windows(series, tau):
    numbers = series.tolist()
    rows = [numbers[i : i + tau] for i in range(len(numbers) - tau)]
    return np.array(rows), np.array(numbers[tau:])


def fit_ar(series, tau):
    rows, targets = windows(series, tau)
    a = np.array([[1.0, *row] for row in rows.tolist()])
    return np.linalg.solve(a.T @ a, a.T @ targets)


def _next(window, coefficients):
    return coefficients[0] + sum(w * x for w, x in zip(coefficients[1:], window))


def one_step(series, coefficients):
    c = coefficients.tolist()
    tau = len(c) - 1
    return np.array([_next(series[i - tau : i], c) for i in range(tau, len(series))])


def forecast(series, coefficients, start, steps):
    c = coefficients.tolist()
    tau = len(c) - 1
    known = series[:start].tolist()
    for _ in range(steps):
        known.append(_next(known[-tau:], c))
    return np.array(known[start:])


def latent_step(h, x, cell):
    w_h, w_x, b = cell
    rows = []
    for state, seen in zip(h, x):
        row = []
        for unit in range(len(b)):
            total = b[unit]
            total += sum(w * s for w, s in zip(w_h[unit], state))
            total += sum(w * s for w, s in zip(w_x[unit], seen))
            row.append(math.tanh(total))
        rows.append(row)
    return np.array(rows)


def _say(h, head):
    w, b = head
    return np.array([[sum(w[i] * state) + b[i] for i in range(len(b))] for state in h])


def latent_predictions(x, h, cell, head):
    said = np.empty(x.shape)
    for t in range(x.shape[1]):
        said[:, t] = _say(h, head)
        h = latent_step(h, x[:, t], cell)
    return said, h


def latent_rollout(h, cell, head, steps):
    said = [_say(h, head)]
    while len(said) < steps:
        h = latent_step(h, said[-1], cell)
        said.append(_say(h, head))
    return np.array(said).transpose(1, 0, 2)
