"""Small objects do the work; the functions that are asked for only call them."""

from dataclasses import dataclass
from functools import reduce

import numpy as np


class Counter2D:
    def __init__(self, n):
        self.table = np.zeros((n, n), dtype=int)

    def add(self, sequence):
        for t in range(1, len(sequence)):
            self.table[sequence[t - 1], sequence[t]] += 1
        return self


def transition_counts(sequences: np.ndarray, n_states: int) -> np.ndarray:
    return reduce(lambda counter, row: counter.add(row), sequences, Counter2D(n_states)).table


def probabilities(counts: np.ndarray, smoothing: float) -> np.ndarray:
    def normalise(row):
        row = row + smoothing
        mass = row.sum()
        return row / mass if mass else np.ones_like(row, dtype=float) / len(row)

    return np.apply_along_axis(normalise, -1, np.asarray(counts, dtype=float))


@dataclass
class Chain:
    initial: np.ndarray
    transition: np.ndarray

    def before(self, row, t):
        return self.initial if t == 0 else self.transition[row[t - 1]]

    def conditionals(self, row):
        return np.stack([self.before(row, t) for t in range(len(row))])


def fit_markov_chain(sequences, n_states, smoothing):
    first = np.zeros(n_states)
    np.add.at(first, sequences[:, 0], 1.0)
    counts = transition_counts(sequences, n_states)
    chain = Chain(probabilities(first, smoothing), probabilities(counts, smoothing))
    return chain.initial, chain.transition


def chain_rule(sequences, conditionals):
    batch, steps = sequences.shape
    rows, columns = np.ogrid[:batch, :steps]
    chosen = conditionals[rows, columns, sequences]
    logs = np.full(chosen.shape, -np.inf)
    np.log(chosen, out=logs, where=chosen > 0)
    return logs.sum(1)


def markov_conditionals(sequences, initial, transition):
    chain = Chain(initial, transition)
    return np.array([chain.conditionals(row) for row in sequences])


def markov_log_likelihood(sequences, initial, transition):
    return chain_rule(sequences, markov_conditionals(sequences, initial, transition))


def windows(series, tau):
    count = len(series) - tau
    columns = [series[k : k + count] for k in range(tau)]
    return np.column_stack(columns), series[-count:].copy()


class Linear:
    def __init__(self, coefficients):
        self.bias, self.weights = coefficients[0], np.asarray(coefficients[1:])

    @property
    def tau(self):
        return len(self.weights)

    def __call__(self, window):
        return self.bias + np.dot(window, self.weights)

    @classmethod
    def fitted(cls, inputs, targets):
        middle, level = inputs.mean(0), targets.mean()
        weights = np.linalg.pinv(inputs - middle) @ (targets - level)
        return cls(np.r_[level - middle @ weights, weights])


def fit_ar(series, tau):
    model = Linear.fitted(*windows(series, tau))
    return np.r_[model.bias, model.weights]


def one_step(series, coefficients):
    model = Linear(coefficients)
    return model(windows(series, model.tau)[0])


def forecast(series, coefficients, start, steps):
    model = Linear(coefficients)

    def go_on(window, left):
        if not left:
            return []
        guess = model(window)
        return [guess, *go_on([*window[1:], guess], left - 1)]

    return np.array(go_on(list(series[start - model.tau : start]), steps))


class Latent:
    def __init__(self, h, cell, head):
        self.h, self.cell, self.head = h, cell, head

    def speak(self):
        weight, bias = self.head
        return np.matmul(self.h, weight.transpose()) + bias

    def listen(self, x):
        self.h = latent_step(self.h, x, self.cell)


def latent_step(h, x, cell):
    w_h, w_x, b = cell
    both = np.hstack([h, x]) @ np.hstack([w_h, w_x]).T
    a = np.exp(2 * (both + b))
    return (a - 1) / (a + 1)


def latent_predictions(x, h, cell, head):
    model, said = Latent(h, cell, head), []
    for t in range(x.shape[1]):
        said.append(model.speak()[:, None])
        model.listen(x[:, t])
    return np.concatenate(said, axis=1), model.h


def latent_rollout(h, cell, head, steps):
    model = Latent(h, cell, head)
    said = np.empty((steps, h.shape[0], head[0].shape[0]))
    for t in range(steps):
        said[t] = model.speak()
        model.listen(said[t])
    return np.moveaxis(said, 0, 1)
