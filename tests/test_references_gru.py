"""The GRU's reference against torch.nn in values and gradients, and against the counts of torch."""

from pathlib import Path

import pytest
import torch
from torch import nn

from tests.test_references import assert_same, copy, gradients, leaf, load, randomise

gru = load(Path(__file__).parents[1] / "reference" / "gru.py")
KINDS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def setup_module() -> None:
    """Work in float64, as the worker does."""
    torch.set_default_dtype(torch.float64)


def teardown_module() -> None:
    """Give other test modules torch's own default back."""
    torch.set_default_dtype(torch.float32)


def setup_function() -> None:
    """Fix every random draw of a test."""
    torch.manual_seed(20140603)


def test_gru_cell_equals_torch_in_values_and_gradients() -> None:
    cell, twin = gru.GRUCell(3, 5), nn.GRUCell(3, 5)
    randomise(cell)
    copy(dict(cell.named_parameters()), twin)
    inputs = [leaf(2, 3), leaf(2, 5)]
    ours, theirs = [cell(*inputs)], [twin(*inputs)]
    assert_same(ours, theirs)
    twins = [dict(twin.named_parameters())[name] for name, _ in cell.named_parameters()]
    assert_same(
        gradients(ours, inputs + list(cell.parameters())), gradients(theirs, inputs + twins)
    )


def test_gru_cell_starts_from_the_same_draw_as_torch() -> None:
    torch.manual_seed(3)
    cell = gru.GRUCell(3, 5)
    torch.manual_seed(3)
    twin = nn.GRUCell(3, 5)
    for name, parameter in twin.named_parameters():
        assert torch.equal(dict(cell.named_parameters())[name], parameter)


def test_gru_cell_gives_the_worked_example_of_the_hand_out() -> None:
    cell = gru.GRUCell(1, 1)
    with torch.no_grad():
        cell.weight_ih.copy_(torch.tensor([[1.0], [0.5], [-2.0]]))
        cell.weight_hh.copy_(torch.tensor([[-1.0], [0.5], [2.0]]))
        cell.bias_ih.zero_()
        cell.bias_hh.copy_(torch.tensor([0.0, 0.0, -1.0]))
    assert cell(torch.ones(1, 1), torch.ones(1, 1)).item() == pytest.approx(0.4876, abs=5e-5)


@pytest.mark.parametrize(("bias", "kept"), [(50.0, True), (-50.0, False)])
def test_an_update_gate_of_one_keeps_the_state_and_of_zero_takes_the_candidate(
    bias: float, kept: bool
) -> None:
    cell, x, h = gru.GRUCell(3, 5), torch.randn(2, 3), torch.randn(2, 5)
    with torch.no_grad():
        cell.bias_ih[5:10] = bias
        cell.bias_ih[:5] = -50.0  # nothing of the old state reaches the candidate
    candidate = torch.tanh(x @ cell.weight_ih[10:].T + cell.bias_ih[10:])
    assert_same([cell(x, h)], [h if kept else candidate])


@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("with_state", [True, False])
def test_gru_equals_torch_in_values_and_gradients(num_layers: int, with_state: bool) -> None:
    ours, theirs = gru.GRU(3, 5, num_layers), nn.GRU(3, 5, num_layers, batch_first=True)
    randomise(ours)
    names = {
        f"cells.{layer}.{kind}": f"{kind}_l{layer}" for layer in range(num_layers) for kind in KINDS
    }
    copy({names[name]: value for name, value in ours.named_parameters()}, theirs)
    inputs = [leaf(2, 4, 3)]
    if with_state:
        inputs.append(leaf(num_layers, 2, 5))
    mine, twin = list(ours(*inputs)), list(theirs(*inputs))
    assert_same(mine, twin)
    twins = [dict(theirs.named_parameters())[names[name]] for name, _ in ours.named_parameters()]
    assert_same(gradients(mine, inputs + list(ours.parameters())), gradients(twin, inputs + twins))


def test_gru_in_two_chunks_with_the_state_carried_equals_one_run() -> None:
    model, x = gru.GRU(3, 5, 2), torch.randn(2, 7, 3)
    whole, h_n = model(x)
    first, state = model(x[:, :4])
    second, h_end = model(x[:, 4:], state)
    assert_same([torch.cat([first, second], dim=1), h_end], [whole, h_n])


def test_gru_without_a_state_follows_the_dtype_of_its_input() -> None:
    output, h_n = gru.GRU(3, 5).float()(torch.randn(2, 4, 3, dtype=torch.float32))
    assert output.dtype == h_n.dtype == torch.float32


@pytest.mark.parametrize("sizes", [(28, 128, 2), (3, 5, 1), (7, 4, 3)])
def test_the_counts_are_those_of_torchs_own_layers(sizes: tuple[int, int, int]) -> None:
    counted = [sum(p.numel() for p in kind(*sizes).parameters()) for kind in (nn.GRU, nn.LSTM)]
    assert list(gru.compare_parameters(*sizes)) == counted
    if sizes == (28, 128, 2):
        assert counted == [159744, 212992]  # as in the hand-out
