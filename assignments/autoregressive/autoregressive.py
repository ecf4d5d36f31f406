# %% [markdown]
# # Autoregressive models
#
# Zhang et al., *Dive into Deep Learning*, 2023, section 9.1 (working with sequences); the Markov
# chain over letters is that of Shannon, *A Mathematical Theory of Communication*, 1948, section 3,
# the linear model that of Yule, *On a Method of Investigating Periodicities*, 1927.
#
# You predict the next element of a sequence from those before it, in three ways: by counting what
# follows what, by least squares over a window, and from a hidden state that sums up the past. All
# of it in NumPy.
#
# | letter | size of |
# | --- | --- |
# | `B` | batch: sequences |
# | `T` | time: steps in a sequence |
# | `K` | states: values that a token may have, 0 to K-1 |
# | `tau` | window: past steps that the linear model sees |
# | `I` | numbers in one step, where a step is a vector |
# | `H` | hidden state |
#
# **Against `torch.nn`.** There is no layer for the first two. The latent model is
# `torch.nn.RNNCell` with one bias, read one step late: what it says about step $t$ it says before
# it has seen $x_t$.

# %%
import numpy as np

# %% [markdown]
# ## A Markov chain, by counting
#
# A Markov chain of first order keeps one step of the past:
#
# $$p(x_t \mid x_1, \dots, x_{t-1}) = p(x_t \mid x_{t-1})$$
#
# The matrix that makes the data most likely is the counts, each row divided by its sum; smoothing
# adds a little to every count first:
#
# $$\hat A_{ij} = \frac{n_{ij} + \alpha}{\sum_k (n_{ik} + \alpha)}$$
#
# where $n_{ij}$ counts how often $j$ comes right after $i$. With $\alpha = 0$ that is maximum
# likelihood; $\alpha > 0$ leaves something for what has not been seen yet.


# %%
def transition_counts(sequences: np.ndarray, n_states: int) -> np.ndarray:
    """Count which state comes right after which.

    Args:
        sequences: tokens, int64, (B, T). The sequences have nothing to do with one another.
        n_states: K; some states may not occur.

    Returns:
        (K, K): entry (i, j) says how often j comes right after i.
    """
    # YOUR CODE HERE
    raise NotImplementedError


# %%
def probabilities(counts: np.ndarray, smoothing: float) -> np.ndarray:
    """Turn counts into distributions along the last axis.

    Args:
        counts: (..., K), none negative.
        smoothing: alpha, added to every count; 0 for maximum likelihood.

    Returns:
        The shape of `counts`; sums to 1 along the last axis. Where there is nothing to divide, all
        K are equally likely.
    """
    # YOUR CODE HERE
    raise NotImplementedError


# %%
def fit_markov_chain(
    sequences: np.ndarray, n_states: int, smoothing: float
) -> tuple[np.ndarray, np.ndarray]:
    """Estimate how a sequence begins and how it goes on.

    Args:
        sequences: tokens, int64, (B, T).
        n_states: K.
        smoothing: alpha, for both.

    Returns:
        `(initial, transition)`: how likely each state is at step 1, (K,), and after each state,
        (K, K), one row for each state that is left.
    """
    # YOUR CODE HERE
    raise NotImplementedError


# %% [markdown]
# ## The chain rule
#
# Whatever the model, a sequence is as likely as its steps, one after the other:
#
# $$p(x_1, \dots, x_T) = p(x_1) \prod_{t=2}^{T} p(x_t \mid x_1, \dots, x_{t-1})$$
#
# A product of hundreds of such numbers is 0 in a computer, a sum of their logarithms is not.


# %%
def chain_rule(sequences: np.ndarray, conditionals: np.ndarray) -> np.ndarray:
    """How likely each sequence is, by the chain rule.

    Args:
        sequences: tokens, int64, (B, T).
        conditionals: (B, T, K): entry (b, t) is the distribution of the token at step t of
            sequence b, given the tokens before it.

    Returns:
        The natural logarithm of each sequence's probability, (B,); minus infinity where that is 0.
    """
    # YOUR CODE HERE
    raise NotImplementedError


# %%
def markov_conditionals(
    sequences: np.ndarray, initial: np.ndarray, transition: np.ndarray
) -> np.ndarray:
    """What a Markov chain says about each token before it sees it.

    Args:
        sequences: tokens, int64, (B, T).
        initial: (K,).
        transition: (K, K), one row for each state that is left.

    Returns:
        (B, T, K): the distribution of each token given the tokens before it.
    """
    # YOUR CODE HERE
    raise NotImplementedError


# %%
def markov_log_likelihood(
    sequences: np.ndarray, initial: np.ndarray, transition: np.ndarray
) -> np.ndarray:
    """How likely each sequence is under a Markov chain: order matters.

    Args:
        sequences: tokens, int64, (B, T).
        initial: (K,).
        transition: (K, K), one row for each state that is left.

    Returns:
        The natural logarithm of each sequence's probability, (B,).
    """
    # YOUR CODE HERE
    raise NotImplementedError


# %% [markdown]
# ## A window of the past, by least squares
#
# An AR($\tau$) model predicts a number from the $\tau$ numbers before it:
#
# $$\hat x_t = c + \sum_{k=1}^{\tau} w_k x_{t-\tau-1+k}$$
#
# so $w_1$ belongs to the oldest number of the window and $w_\tau$ to $x_{t-1}$. The coefficients
# $(c, w_1, \dots, w_\tau)$ are those with the least sum of squared errors.


# %%
def windows(series: np.ndarray, tau: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut a series into windows and what follows each.

    Args:
        series: (T,), longer than `tau`.
        tau: length of a window.

    Returns:
        `(inputs, targets)`: every window that something follows, (T - tau, tau), the oldest number
        first, and the number right after each, (T - tau,).
    """
    # YOUR CODE HERE
    raise NotImplementedError


# %%
def fit_ar(series: np.ndarray, tau: int) -> np.ndarray:
    """Fit an AR(tau) model by least squares.

    Args:
        series: (T,), with T - tau at least tau + 1.
        tau: length of the window.

    Returns:
        The coefficients, (tau + 1,): the intercept, then the weights, the oldest number's first.
    """
    # YOUR CODE HERE
    raise NotImplementedError


# %%
def one_step(series: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Predict each number from the true numbers before it.

    Args:
        series: (T,).
        coefficients: (tau + 1,), as `fit_ar` returns them.

    Returns:
        Predictions for the last T - tau numbers of the series, (T - tau,).
    """
    # YOUR CODE HERE
    raise NotImplementedError


# %% [markdown]
# To look further ahead, predictions stand in for the numbers that are not known yet, and their
# errors are carried along.


# %%
def forecast(series: np.ndarray, coefficients: np.ndarray, start: int, steps: int) -> np.ndarray:
    """Predict several steps from what comes before `start`.

    Args:
        series: (T,). What stands at `start` and after is the future: it is not looked at.
        coefficients: (tau + 1,), as `fit_ar` returns them.
        start: index of the first number that is predicted, at least tau.
        steps: how many are predicted; they may reach beyond the series.

    Returns:
        Predictions for the indices `start` to `start + steps - 1`, (steps,).
    """
    # YOUR CODE HERE
    raise NotImplementedError


# %% [markdown]
# ## A state that sums up the past
#
# A latent autoregressive model has no window. It keeps a state and predicts from that:
#
# $$h_t = \tanh(W_h h_{t-1} + W_x x_{t-1} + b), \qquad \hat x_t = W_y h_t + b_y$$
#
# The state at step $t$ has seen everything up to $x_{t-1}$, and not $x_t$.


# %%
def latent_step(
    h: np.ndarray, x: np.ndarray, cell: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> np.ndarray:
    """Take one step: `(h_{t-1}, x_{t-1}) -> h_t`.

    Args:
        h: the state h_{t-1}, (B, H).
        x: what was seen at that step, x_{t-1}, (B, I).
        cell: `(w_h, w_x, b)`: (H, H), (H, I), (H,).

    Returns:
        The next state h_t, (B, H).
    """
    # YOUR CODE HERE
    raise NotImplementedError


# %%
def latent_predictions(
    x: np.ndarray,
    h: np.ndarray,
    cell: tuple[np.ndarray, np.ndarray, np.ndarray],
    head: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Predict every step of a sequence from the true steps before it.

    Args:
        x: the sequence x_1 to x_T, (B, T, I).
        h: the state h_1, which has seen nothing of it, (B, H).
        cell: `(w_h, w_x, b)`: (H, H), (H, I), (H,).
        head: `(w_y, b_y)`: (I, H), (I,).

    Returns:
        `(predictions, h)`: the prediction of x_t from h_t for every t, (B, T, I), and the state
        h_{T+1}, which has seen the whole sequence, (B, H).
    """
    # YOUR CODE HERE
    raise NotImplementedError


# %%
def latent_rollout(
    h: np.ndarray,
    cell: tuple[np.ndarray, np.ndarray, np.ndarray],
    head: tuple[np.ndarray, np.ndarray],
    steps: int,
) -> np.ndarray:
    """Go on alone: each prediction is taken for what is seen next.

    Args:
        h: the state before the first step that is predicted, (B, H).
        cell: `(w_h, w_x, b)`: (H, H), (H, I), (H,).
        head: `(w_y, b_y)`: (I, H), (I,).
        steps: how many steps are predicted, at least 1.

    Returns:
        The predictions, (B, steps, I), the first one straight from `h`.
    """
    # YOUR CODE HERE
    raise NotImplementedError


# %% [markdown]
# ## Try it: one step is easy
#
# The next cells run in a notebook (or with `python autoregressive.py`), not when the module is
# imported. First a noisy sine: predicting one step from true numbers looks good, predicting fifty
# steps from predictions shows what the model knows. Then letters: the same letters in another
# order are another word.

# %%
if __name__ == "__main__":
    rng = np.random.default_rng(0)
    sine = np.sin(0.1 * np.arange(400)) + 0.2 * rng.standard_normal(400)  # (400,)
    fitted = fit_ar(sine[:300], tau=8)  # (9,)
    near = one_step(sine, fitted)[300 - 8 :]  # (100,)
    far = forecast(sine, fitted, start=300, steps=100)  # (100,)
    for name, guess in (("one step ahead", near), ("from step 300 on", far)):
        print(f"{name}: root mean square error {np.sqrt(np.mean((guess - sine[300:]) ** 2)):.3f}")

# %%
if __name__ == "__main__":
    text = "the theory of the thing is that the other three then thought there "
    letters = sorted(set(text))
    codes = np.array([[letters.index(letter) for letter in text]])  # (1, T)
    chain = fit_markov_chain(codes, len(letters), smoothing=0.1)
    for word in ("other", "rothe", "hrtoe"):
        coded = np.array([[letters.index(letter) for letter in word]])  # (1, 5)
        print(f"log p({word}) = {markov_log_likelihood(coded, *chain)[0]:.2f}")
