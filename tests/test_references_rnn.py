"""The reference of `rnn` against torch.nn, autograd, finite differences and closed forms."""

import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

COURSE = Path(__file__).parents[1]
PATH = COURSE / "reference" / "rnn.py"
Arrays = list[NDArray[Any]]


def load(path: Path) -> ModuleType:
    """Import a file by its path; `reference` is no package."""
    spec = importlib.util.spec_from_file_location(f"reference_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


rnn = load(PATH)


def setup_module() -> None:
    """Work in float64, as the worker does."""
    torch.set_default_dtype(torch.float64)


def teardown_module() -> None:
    """Give other test modules torch's own default back."""
    torch.set_default_dtype(torch.float32)


def setup_function() -> None:
    """Fix every random draw of a test."""
    torch.manual_seed(19900314)


def leaf(*shape: int) -> Tensor:
    """A random input that wants a gradient."""
    return torch.randn(*shape).requires_grad_()


def gradients(outputs: list[Tensor], wanted: list[Tensor]) -> list[Tensor]:
    """The outputs contracted with fixed random cotangents; the gradient in each wanted tensor."""
    generator = torch.Generator().manual_seed(7)
    cotangents = [torch.randn(output.shape, generator=generator) for output in outputs]
    return list(torch.autograd.grad(outputs, wanted, cotangents))


def assert_same(ours: list[Tensor], theirs: list[Tensor]) -> None:
    """Equal shapes, and values to 1e-10."""
    assert [tuple(a.shape) for a in ours] == [tuple(b.shape) for b in theirs]
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


# Against torch.nn


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_cell_equals_torch_whose_second_bias_is_zero(activation: str) -> None:
    cell, twin = rnn.RNNCell(3, 5, activation), nn.RNNCell(3, 5, nonlinearity=activation)
    twin.load_state_dict(
        {
            "weight_ih": cell.W_x.detach(),
            "weight_hh": cell.W_h.detach(),
            "bias_ih": cell.b_h.detach(),
            "bias_hh": torch.zeros(5),
        }
    )
    inputs = [leaf(2, 3), leaf(2, 5)]
    ours, theirs = [cell(*inputs)], [twin(*inputs)]
    assert_same(ours, theirs)
    own = [cell.W_x, cell.W_h, cell.b_h]
    twins = [twin.weight_ih, twin.weight_hh, twin.bias_ih]
    assert_same(gradients(ours, inputs + own), gradients(theirs, inputs + twins))


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("with_state", [True, False])
@pytest.mark.parametrize("many_to_one", [True, False])
def test_the_network_equals_torch_with_a_linear_layer(
    activation: str, with_state: bool, many_to_one: bool
) -> None:
    ours = rnn.RNN(3, 5, 2, activation, many_to_one)
    body, head = nn.RNN(3, 5, nonlinearity=activation, batch_first=True), nn.Linear(5, 2)
    body.load_state_dict(
        {
            "weight_ih_l0": ours.cell.W_x.detach(),
            "weight_hh_l0": ours.cell.W_h.detach(),
            "bias_ih_l0": ours.cell.b_h.detach(),
            "bias_hh_l0": torch.zeros(5),
        }
    )
    head.load_state_dict({"weight": ours.W_y.detach(), "bias": ours.b_y.detach()})
    inputs = [leaf(2, 6, 3), leaf(2, 5)] if with_state else [leaf(2, 6, 3)]
    outputs, h = ours(*inputs)
    states, h_n = body(inputs[0], inputs[1][None] if with_state else None)
    expected = head(states)[:, -1] if many_to_one else head(states)
    assert_same([outputs, h], [expected, h_n[0]])
    own = [ours.W_y, ours.b_y, ours.cell.W_x, ours.cell.W_h, ours.cell.b_h]
    twins = [
        head.weight,
        head.bias,
        body.weight_ih_l0,
        body.weight_hh_l0,
        body.bias_ih_l0,
    ]
    assert_same(
        gradients([outputs, h], inputs + own), gradients([expected, h_n[0]], inputs + twins)
    )


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu", "linear"])
def test_the_network_in_two_chunks_with_the_state_carried_equals_one_run(activation: str) -> None:
    model, x = rnn.RNN(3, 4, 2, activation), torch.randn(2, 7, 3)
    whole, h = model(x)
    first, carried = model(x[:, :3])
    second, last = model(x[:, 3:], carried)
    assert_same([torch.cat([first, second], dim=1), last], [whole, h])


# Truncated


def test_across_a_cut_the_gradient_is_exactly_zero_and_within_it_is_not() -> None:
    model, x, h = rnn.RNN(3, 4, 2, many_to_one=True), leaf(2, 8, 3), leaf(2, 4)
    outputs, _ = model(x, h, cut=3)
    in_x, in_h = torch.autograd.grad(outputs.sum(), [x, h], allow_unused=True)
    reach = in_x.abs().sum(dim=(0, 2))
    assert (reach[:6] == 0).all() and (reach[6:] > 1e-3).all()
    assert in_h is None or (in_h == 0).all()
    assert_same([outputs], [model(x, h)[0]])


def test_a_cut_network_has_the_gradients_of_its_pieces_run_apart() -> None:
    model, x, h = rnn.RNN(3, 4, 2), leaf(2, 7, 3), leaf(2, 4)
    outputs, last = model(x, h, cut=3)
    pieces, state = [], h
    for start in (0, 3, 6):
        piece, state = model(x[:, start : start + 3], state)
        pieces.append(piece)
        state = state if start == 6 else state.detach()
    wanted = [x, h, *model.parameters()]
    assert_same(
        gradients([outputs, last], wanted),
        gradients([torch.cat(pieces, dim=1), state], wanted),
    )


def test_without_a_detach_the_second_backward_fails_and_training_in_chunks_does_not() -> None:
    model, x, targets = rnn.RNN(3, 4, 2), torch.randn(2, 7, 3), torch.randn(2, 7, 2)
    outputs, state = model(x[:, :3])
    outputs.sum().backward()
    outputs, _ = model(x[:, 3:], state)
    with pytest.raises(RuntimeError, match="second time"):
        outputs.sum().backward()
    losses = rnn.train_truncated(model, x, targets, chunk=3, learning_rate=0.1)
    assert len(losses) == 3 and all(isinstance(loss, float) for loss in losses)


def test_training_in_chunks_makes_the_update_of_each_chunk_by_hand() -> None:
    x, targets = torch.randn(2, 5, 3), torch.randn(2, 5, 4)
    model, twin = nn.GRU(3, 4, batch_first=True), nn.GRU(3, 4, batch_first=True)
    twin.load_state_dict(model.state_dict())
    losses = rnn.train_truncated(model, x, targets, chunk=2, learning_rate=0.3)
    state, expected = torch.zeros(1, 2, 4), []
    for start in (0, 2, 4):
        outputs, state = twin(x[:, start : start + 2], state.detach())
        loss = ((outputs - targets[:, start : start + 2]) ** 2).mean()
        slopes = torch.autograd.grad(loss, list(twin.parameters()))
        with torch.no_grad():
            for parameter, slope in zip(twin.parameters(), slopes, strict=True):
                parameter -= 0.3 * slope
        expected.append(loss.item())
    assert losses == pytest.approx(expected, rel=1e-12)
    assert_same(list(model.parameters()), list(twin.parameters()))


# Collapse


@pytest.mark.parametrize("steps", [1, 2, 6])
def test_a_linear_network_equals_its_one_matrix_and_a_tanh_network_does_not(steps: int) -> None:
    x = torch.randn(4, steps, 3)
    for activation, same in (("linear", True), ("tanh", False)):
        model = rnn.RNN(3, 5, 2, activation, many_to_one=True)
        cell = model.cell
        M, c = rnn.collapse(cell.W_x, cell.W_h, cell.b_h, model.W_y, model.b_y, steps)
        assert M.shape == (2, steps * 3) and c.shape == (2,)
        distance = (x.flatten(1) @ M.T + c - model(x)[0]).abs().max().item()
        assert (distance < 1e-10) is same


# Backpropagation by hand


def drawn(steps: int | None) -> tuple[Arrays, NDArray[Any]]:
    """Arguments of a forward in NumPy, and a gradient in what it returns."""
    draw = np.random.default_rng(5).standard_normal
    time = () if steps is None else (steps,)
    return [
        draw((2, *time, 3)),
        draw((2, 4)),
        0.6 * draw((4, 3)),
        0.6 * draw((4, 4)),
        0.6 * draw(4),
    ], draw((2, *time, 4))


def autograd(arguments: Arrays, upstream: NDArray[Any], steps: int | None) -> list[Tensor]:
    """The torch reference's gradients for the same arguments, by autograd."""
    x, h, W_x, W_h, b = (torch.tensor(each).requires_grad_() for each in arguments)
    cell = rnn.RNNCell(3, 4)
    weights = {"W_x": W_x, "W_h": W_h, "b_h": b}
    sequence = x[:, None] if steps is None else x
    states, state = [], h
    for t in range(sequence.shape[1]):
        state = torch.func.functional_call(cell, weights, (sequence[:, t], state))
        states.append(state)
    outputs = state if steps is None else torch.stack(states, dim=1)
    return list(torch.autograd.grad(outputs, [x, h, W_x, W_h, b], torch.tensor(upstream)))


def differences(
    forward: Callable[..., NDArray[Any]], arguments: Arrays, upstream: NDArray[Any]
) -> Arrays:
    """Central differences of the contracted forward, entry by entry."""
    found = []
    for argument in arguments:
        slopes = np.zeros_like(argument)
        for index in np.ndindex(argument.shape):
            kept, ends = argument[index], []
            for step in (1e-5, -1e-5):
                argument[index] = kept + step
                ends.append((forward(*arguments) * upstream).sum())
            argument[index] = kept
            slopes[index] = (ends[0] - ends[1]) / 2e-5
        found.append(slopes)
    return found


@pytest.mark.parametrize("steps", [None, 1, 6])
def test_the_gradients_by_hand_are_those_of_autograd_and_of_finite_differences(
    steps: int | None,
) -> None:
    forward = rnn.rnn_step_forward if steps is None else rnn.rnn_forward
    backward = rnn.rnn_step_backward if steps is None else rnn.rnn_backward
    arguments, upstream = drawn(steps)
    before = [each.copy() for each in (*arguments, upstream)]
    by_hand = backward(upstream, *arguments)
    for now, then in zip((*arguments, upstream), before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert_same(
        [torch.tensor(each) for each in by_hand],
        autograd(arguments, upstream, steps),
    )
    for ours, slopes in zip(by_hand, differences(forward, arguments, upstream), strict=True):
        np.testing.assert_allclose(ours, slopes, rtol=1e-7, atol=1e-9)


def test_the_forward_by_hand_is_the_torch_references() -> None:
    arguments, _ = drawn(6)
    cell = rnn.RNNCell(3, 4)
    with torch.no_grad():
        for parameter, array in zip(cell.parameters(), arguments[2:], strict=True):
            parameter.copy_(torch.tensor(array))
    state, states = torch.tensor(arguments[1]), []
    for t in range(6):
        state = cell(torch.tensor(arguments[0][:, t]), state)
        states.append(state)
    assert_same([torch.tensor(rnn.rnn_forward(*arguments))], [torch.stack(states, dim=1)])


def test_the_worked_example_of_the_hand_out_is_right_to_its_last_digit() -> None:
    dhs, x = np.array([[[0.0], [1.0]]]), np.array([[[1.0], [0.0]]])
    h_0, W_x, W_h, b = np.zeros((1, 1)), np.ones((1, 1)), np.full((1, 1), 0.5), np.zeros(1)
    np.testing.assert_allclose(
        rnn.rnn_forward(x, h_0, W_x, W_h, b).ravel(), [0.7616, 0.3634], atol=5e-5
    )
    dx, dh_0, dW_x, dW_h, db = rnn.rnn_backward(dhs, x, h_0, W_x, W_h, b)
    np.testing.assert_allclose(dx.ravel(), [0.1823, 0.8679], atol=5e-5)
    found = [float(each.item()) for each in (dh_0, dW_x, dW_h, db)]
    np.testing.assert_allclose(found, [0.0911, 0.1823, 0.6610, 1.0502], atol=5e-5)
    for name in ("README.md", "README.ko.md"):
        text = (COURSE / "assignments" / "rnn" / name).read_text("utf-8")
        for number in ("0.7616", "0.3634", "**0.1823**", "**0.6610**", "**1.0502**", "**0.0911**"):
            assert number in text


# How far a gradient reaches


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu", "linear"])
def test_the_norms_are_those_of_autograds_jacobian_of_the_whole_way(activation: str) -> None:
    W_h, h_0 = torch.randn(4, 4), torch.randn(4)

    def after(steps: int) -> Callable[[Tensor], Tensor]:
        def run(h: Tensor) -> Tensor:
            for _ in range(steps):
                h = rnn.ACTIVATIONS[activation](W_h @ h)
            return h

        return run

    expected = [
        torch.linalg.matrix_norm(torch.autograd.functional.jacobian(after(t), h_0), ord=2)
        for t in range(1, 6)
    ]
    assert_same([rnn.rnn_reach(W_h, h_0, 5, activation)], [torch.stack(expected)])


@pytest.mark.parametrize("radius", [0.5, 1.0, 1.5])
def test_in_a_linear_network_the_log_norm_falls_or_grows_by_the_log_of_the_radius(
    radius: float,
) -> None:
    W_h = torch.randn(6, 6)
    W_h = radius * W_h / torch.linalg.eigvals(W_h).abs().max()
    norms = rnn.rnn_reach(W_h, torch.randn(6), 400, "linear").log()
    slope = (norms[-1] - norms[199]) / 200
    assert slope.item() == pytest.approx(np.log(radius), abs=2e-2)


def test_neither_the_activation_nor_the_matrix_decides_alone() -> None:
    rotation = torch.tensor([[0.6, -0.8], [0.8, 0.6]])
    h_0 = torch.tensor([0.3, 0.1])

    def end(radius: float, activation: str) -> float:
        return float(rnn.rnn_reach(radius * rotation, h_0, 60, activation)[-1])

    assert end(1.0, "linear") == pytest.approx(1.0)
    assert end(1.5, "linear") > 1e10 and end(0.5, "linear") < 1e-15
    assert end(1.5, "sigmoid") < 1e-10  # the matrix alone would explode
    assert end(1.0, "tanh") < 1  # at radius 1 its slopes, below 1, make it shrink
    positive = torch.full((2, 2), 0.25)  # radius 0.5: ReLU lets all of it through, and it vanishes
    assert float(rnn.rnn_reach(positive, h_0.abs(), 60, "relu")[-1]) < 1e-15
    assert float(rnn.rnn_reach(3 * positive, h_0.abs(), 60, "relu")[-1]) > 1e10


def test_an_lstm_with_forget_gate_one_and_no_recurrent_weights_keeps_its_norm_at_one() -> None:
    cell = nn.LSTMCell(3, 4)
    with torch.no_grad():
        cell.weight_hh.zero_()
        cell.weight_ih[4:8] = 0
        cell.bias_ih[4:8] = 50
    inputs, h = torch.randn(9, 1, 3), torch.zeros(1, 4)

    def after(c: Tensor) -> Tensor:
        state = (h, c[None])
        for x in inputs:
            state = cell(x, state)
        return state[1][0]

    jacobian = torch.autograd.functional.jacobian(after, torch.randn(4))
    assert_same([torch.linalg.matrix_norm(jacobian, ord=2)], [torch.ones(())])
    assert_same([rnn.lstm_reach(torch.ones(9, 4))], [torch.ones(9)])


def test_the_reach_along_the_cell_state_is_that_of_torchs_lstm_without_recurrent_weights() -> None:
    cell = nn.LSTMCell(3, 4)
    with torch.no_grad():
        cell.weight_hh.zero_()
    inputs = torch.randn(6, 1, 3)
    forget = torch.stack(
        [(x @ cell.weight_ih.T + cell.bias_ih + cell.bias_hh)[0, 4:8].sigmoid() for x in inputs]
    )

    def after(steps: int) -> Callable[[Tensor], Tensor]:
        def run(c: Tensor) -> Tensor:
            state = (torch.zeros(1, 4), c[None])
            for x in inputs[:steps]:
                state = cell(x, state)
            return state[1][0]

        return run

    c_0 = torch.randn(4)
    expected = [
        torch.linalg.matrix_norm(torch.autograd.functional.jacobian(after(t), c_0), ord=2)
        for t in range(1, 7)
    ]
    assert_same([rnn.lstm_reach(forget)], [torch.stack(expected)])


def test_the_reach_in_attention_is_that_of_torchs_attention() -> None:
    query, keys, values = torch.randn(5), torch.randn(7, 5), torch.randn(7, 4)

    def attend(values: Tensor) -> Tensor:
        return nn.functional.scaled_dot_product_attention(query[None], keys, values)[0]

    jacobian = torch.autograd.functional.jacobian(attend, values)  # (4, 7, 4)
    norms = torch.linalg.matrix_norm(jacobian.transpose(0, 1), ord=2)
    assert_same([rnn.attention_reach(query, keys)], [norms])


# The cells that are given


def test_importing_the_reference_draws_nothing() -> None:
    program = "import sys, runpy; runpy.run_path(sys.argv[1]); print('matplotlib' in sys.modules)"
    command = [sys.executable, "-c", program, str(PATH)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


def test_the_cells_at_the_end_run_without_matplotlib_and_compare_to_rounding() -> None:
    program = (
        "import sys, runpy; sys.modules['matplotlib'] = None\n"
        "runpy.run_path(sys.argv[1], run_name='__main__')"
    )
    command = [sys.executable, "-c", program, str(PATH)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = result.stdout.splitlines()
    compared = [float(line.split()[-1]) for line in lines if re.match("collapsed|by hand", line)]
    assert len(compared) == 4 and max(compared) < 1e-12
    assert len(lines) == 4 + 16


def test_the_notebook_marks_none_of_them() -> None:
    notebook = nbformat.read(COURSE / "assignments" / "rnn" / "rnn.ipynb", as_version=4)
    plots = [cell.source for cell in notebook.cells if "matplotlib" in cell.source]
    code = [source for source in plots if "import matplotlib" in source]
    assert len(code) == 1
    assert code[0].startswith('if __name__ == "__main__":') and "NotImplementedError" not in code[0]
