"""The references against torch.nn, closed forms and hand-made cases, in float64.

A reference that is wrong marks every right submission wrong, so each is held against an
implementation that shares no line with it, in values and in gradients.
"""

import ast
import importlib.util
import math
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

COURSE = Path(__file__).parents[1]
REFERENCES = sorted((COURSE / "reference").glob("*.py"))
LANGUAGES = ("README.md", "README.ko.md")
REGION = re.compile(
    r"^( *)# BEGIN SOLUTION\n.*?^\1# END SOLUTION\n", flags=re.MULTILINE | re.DOTALL
)


def load(path: Path) -> ModuleType:
    """Import a file by its path; `reference` is no package."""
    spec = importlib.util.spec_from_file_location(f"reference_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


lstm = load(COURSE / "reference" / "lstm.py")
mha = load(COURSE / "reference" / "mha.py")
transformer = load(COURSE / "reference" / "transformer.py")


def setup_module() -> None:
    """Work in float64, as the worker does."""
    torch.set_default_dtype(torch.float64)


def teardown_module() -> None:
    """Give other test modules torch's own default back."""
    torch.set_default_dtype(torch.float32)


def setup_function() -> None:
    """Fix every random draw of a test."""
    torch.manual_seed(20170612)


def leaf(*shape: int) -> Tensor:
    """A random input that wants a gradient."""
    return torch.randn(*shape).requires_grad_()


def randomise(module: nn.Module) -> None:
    """Draw every parameter, biases and gains too: zeros and ones would hide mistakes."""
    for parameter in module.parameters():
        nn.init.uniform_(parameter, -0.8, 0.8)


def copy(source: dict[str, Tensor], module: nn.Module) -> None:
    """Set the parameters of a torch.nn module; every one must be named."""
    module.load_state_dict({name: tensor.detach() for name, tensor in source.items()})


def gradients(outputs: list[Tensor], wanted: list[Tensor], seed: int = 7) -> list[Tensor]:
    """Contract the outputs with fixed random cotangents; the gradient of each wanted tensor."""
    generator = torch.Generator().manual_seed(seed)
    cotangents = [torch.randn(output.shape, generator=generator) for output in outputs]
    return list(torch.autograd.grad(outputs, wanted, cotangents))


def assert_same(ours: list[Tensor], theirs: list[Tensor]) -> None:
    """Equal shapes, and values to 1e-10."""
    assert [tuple(a.shape) for a in ours] == [tuple(b.shape) for b in theirs]
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


# The files themselves


@pytest.mark.parametrize("path", REFERENCES, ids=lambda path: path.stem)
def test_reference_without_its_solutions_still_imports(path: Path, tmp_path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    skeleton, count = REGION.subn(r"\1raise NotImplementedError\n", source)
    assert count == source.count("# BEGIN SOLUTION") == source.count("# END SOLUTION") > 0
    assert "SOLUTION" not in skeleton
    stripped = tmp_path / path.name
    stripped.write_text(skeleton, encoding="utf-8")
    load(stripped)


@pytest.mark.parametrize("path", REFERENCES, ids=lambda path: path.stem)
def test_solutions_are_whole_bodies_and_constructors_are_given(path: Path) -> None:
    skeleton = REGION.sub(r"\1raise NotImplementedError\n", path.read_text(encoding="utf-8"))
    for node in ast.walk(ast.parse(skeleton)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            assert ast.get_docstring(node), node.name
        if isinstance(node, ast.FunctionDef):
            missing = [inner for inner in ast.walk(node) if isinstance(inner, ast.Raise)]
            missing = [inner for inner in missing if isinstance(inner.exc, ast.Name)]
            assert not missing or (len(node.body) == 2 and node.name != "__init__"), node.name


@pytest.mark.parametrize("path", REFERENCES, ids=lambda path: path.stem)
def test_reference_opens_with_prose_and_imports_only_torch_numpy_and_math(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert source.startswith("# %% [markdown]\n# # ")
    imported = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).split(".")[0])
    assert imported <= {"torch", "numpy", "math"}


def test_importing_the_lstm_reference_does_not_load_scikit_learn() -> None:
    program = "import sys, runpy; runpy.run_path(sys.argv[1]); print('sklearn' in sys.modules)"
    command = [sys.executable, "-c", program, str(COURSE / "reference" / "lstm.py")]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


@pytest.mark.parametrize("path", REFERENCES, ids=lambda path: path.stem)
def test_hand_outs_have_a_section_for_every_entry_in_both_languages(path: Path) -> None:
    tree = ast.parse(REGION.sub(r"\1raise NotImplementedError\n", path.read_text("utf-8")))
    entries = {
        node.name.lower()
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and "NotImplemented" in ast.dump(node)
    }
    folder = COURSE / "assignments" / path.stem
    english, korean = (
        re.findall(r'<a id="([^"]+)"></a>', (folder / name).read_text(encoding="utf-8"))
        for name in LANGUAGES
    )
    assert english == korean
    assert entries <= set(english)


def test_digits_file_is_the_head_of_scikit_learns_digits() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    digits = datasets.load_digits()
    with np.load(COURSE / "assignments" / "lstm" / "digits.npz") as stored:
        images, labels = stored["images"], stored["labels"]
    assert images.dtype == np.float64 and labels.dtype == np.int64
    np.testing.assert_array_equal(images, digits.images[:400] / 16)
    np.testing.assert_array_equal(labels, digits.target[:400])


# LSTM


def test_lstm_cell_equals_torch_in_values_and_gradients() -> None:
    cell, twin = lstm.LSTMCell(3, 5), nn.LSTMCell(3, 5)
    randomise(cell)
    copy(dict(cell.named_parameters()), twin)
    inputs = [leaf(2, 3), leaf(2, 5), leaf(2, 5)]
    ours = list(cell(inputs[0], (inputs[1], inputs[2])))
    theirs = list(twin(inputs[0], (inputs[1], inputs[2])))
    assert_same(ours, theirs)
    twins = [dict(twin.named_parameters())[name] for name, _ in cell.named_parameters()]
    assert_same(
        gradients(ours, inputs + list(cell.parameters())), gradients(theirs, inputs + twins)
    )


def test_lstm_cell_starts_from_the_same_draw_as_torch() -> None:
    torch.manual_seed(3)
    cell = lstm.LSTMCell(3, 5)
    torch.manual_seed(3)
    twin = nn.LSTMCell(3, 5)
    for name, parameter in twin.named_parameters():
        assert torch.equal(dict(cell.named_parameters())[name], parameter)


def test_lstm_cell_gives_the_worked_example_of_the_hand_out() -> None:
    cell = lstm.LSTMCell(1, 1)
    nn.init.zeros_(cell.bias_ih)
    nn.init.zeros_(cell.bias_hh)
    with torch.no_grad():
        cell.weight_ih.copy_(torch.tensor([[1.0], [0.5], [0.5], [2.0]]))
        cell.weight_hh.copy_(torch.tensor([[-1.0], [0.5], [0.5], [-2.0]]))
    h, c = cell(torch.ones(1, 1), (torch.ones(1, 1), torch.full((1, 1), 2.0)))
    assert h.item() == pytest.approx(0.4755, abs=5e-5)
    assert c.item() == pytest.approx(1.8429, abs=5e-5)


@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("with_state", [True, False])
def test_lstm_equals_torch_in_values_and_gradients(num_layers: int, with_state: bool) -> None:
    ours, theirs = lstm.LSTM(3, 5, num_layers), nn.LSTM(3, 5, num_layers, batch_first=True)
    randomise(ours)
    names = {
        f"cells.{layer}.{kind}": f"{kind}_l{layer}"
        for layer in range(num_layers)
        for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }
    copy({names[name]: value for name, value in ours.named_parameters()}, theirs)
    inputs = [leaf(2, 4, 3)]
    if with_state:
        inputs += [leaf(num_layers, 2, 5), leaf(num_layers, 2, 5)]
    state = (inputs[1], inputs[2]) if with_state else None
    output, (h_n, c_n) = ours(inputs[0], state)
    their_output, (their_h, their_c) = theirs(inputs[0], state)
    assert_same([output, h_n, c_n], [their_output, their_h, their_c])
    twins = [dict(theirs.named_parameters())[names[name]] for name, _ in ours.named_parameters()]
    assert_same(
        gradients([output, h_n, c_n], inputs + list(ours.parameters())),
        gradients([their_output, their_h, their_c], inputs + twins),
    )


def test_lstm_in_two_chunks_with_the_state_carried_equals_one_run() -> None:
    model, x = lstm.LSTM(3, 5, 2), torch.randn(2, 7, 3)
    whole, (h_n, c_n) = model(x)
    first, state = model(x[:, :4])
    second, (h_end, c_end) = model(x[:, 4:], state)
    assert_same([torch.cat([first, second], dim=1), h_end, c_end], [whole, h_n, c_n])


def test_lstm_without_a_state_follows_the_dtype_of_its_input() -> None:
    output, (h_n, c_n) = lstm.LSTM(3, 5).float()(torch.randn(2, 4, 3, dtype=torch.float32))
    assert output.dtype == h_n.dtype == c_n.dtype == torch.float32


def test_row_classifier_reads_rows_and_uses_the_top_layers_last_state() -> None:
    model, twin = lstm.RowClassifier(6, 5, 4, 2), nn.LSTM(6, 5, 2, batch_first=True)
    randomise(model)
    copy(
        {
            f"{kind}_l{layer}": getattr(model.lstm.cells[layer], kind)
            for layer in range(2)
            for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        },
        twin,
    )
    images = torch.randn(3, 7, 6)
    output, _ = twin(images)
    assert_same([model(images)], [model.output(output[:, -1])])


def test_count_parameters_counts_what_is_trained_and_shared_parameters_once() -> None:
    assert lstm.count_parameters(lstm.RowClassifier(8, 32, 10)) == 5706
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 2))
    model[1].bias.requires_grad_(False)
    assert lstm.count_parameters(model) == 18
    assert lstm.count_parameters(nn.Sequential(model[0], model[0])) == 12


def test_train_is_gradient_descent_and_reports_losses_before_updates() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(6, 3))
    images, labels = torch.randn(5, 2, 3), torch.tensor([0, 1, 2, 0, 1])
    weight, bias = (parameter.detach().clone() for parameter in model.parameters())
    losses = []
    for _ in range(3):
        weight.requires_grad_()
        bias.requires_grad_()
        log_probabilities = torch.log_softmax(images.flatten(1) @ weight.T + bias, dim=1)
        loss = -log_probabilities[torch.arange(5), labels].mean()
        slopes = torch.autograd.grad(loss, [weight, bias])
        weight, bias = (weight - 0.3 * slopes[0]).detach(), (bias - 0.3 * slopes[1]).detach()
        losses.append(loss.item())
    assert lstm.train(model, images, labels, 3, 0.3) == pytest.approx(losses, abs=1e-12)
    assert_same(list(model.parameters()), [weight, bias])


# Attention


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_softmax_equals_torch_in_values_and_gradients(dim: int) -> None:
    x = leaf(3, 4, 5)
    ours, theirs = mha.softmax(x, dim), torch.softmax(x, dim)
    assert_same([ours], [theirs])
    assert_same(gradients([ours], [x]), gradients([theirs], [x]))


def test_softmax_stays_finite_for_large_entries() -> None:
    x = torch.tensor([[1000.0, 1001.0, -1000.0], [-5000.0, -5000.0, -5001.0]])
    assert_same([mha.softmax(x, 1)], [torch.softmax(x, 1)])


def test_softmax_of_nothing_but_minus_infinity_is_zero_without_nan_in_gradients() -> None:
    x = torch.tensor([[-math.inf, -math.inf], [-math.inf, 2.0], [1.0, 1.0]]).requires_grad_()
    result = mha.softmax(x, 1)
    assert_same([result], [torch.tensor([[0.0, 0.0], [0.0, 1.0], [0.5, 0.5]])])
    (slope,) = gradients([result], [x])
    assert slope.isfinite().all()


def test_masks_say_true_where_attention_is_allowed() -> None:
    assert mha.causal_mask(3).tolist() == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
    keep = mha.padding_mask(torch.tensor([2, 0, 3]), 3)
    assert keep.shape == (3, 1, 1, 3) and keep.dtype == torch.bool
    assert keep[:, 0, 0].tolist() == [[True, True, False], [False] * 3, [True] * 3]


@pytest.mark.parametrize("leading", [(), (2,), (2, 3)])
@pytest.mark.parametrize("masked", [True, False])
def test_attention_equals_torch_in_values_and_gradients(
    leading: tuple[int, ...], masked: bool
) -> None:
    inputs = [leaf(*leading, 4, 5), leaf(*leading, 6, 5), leaf(*leading, 6, 7)]
    mask = torch.rand(*leading, 4, 6) < 0.6 if masked else None
    if mask is not None:
        mask[..., 0] = True
    output, weights = mha.scaled_dot_product_attention(*inputs, mask)
    theirs = F.scaled_dot_product_attention(*inputs, attn_mask=mask)
    assert_same([output], [theirs])
    assert_same(gradients([output], inputs), gradients([theirs], inputs))
    identity = torch.eye(6).expand(*leading, 6, 6)
    their_weights = F.scaled_dot_product_attention(*inputs[:2], identity, attn_mask=mask)
    assert_same([weights], [their_weights])
    if mask is not None:
        assert (weights[~mask] == 0).all()


def test_attention_gives_the_lectures_thinking_machines_weights() -> None:
    query = torch.zeros(1, 64)
    key = torch.zeros(2, 64)
    query[0, 0] = 8.0
    key[:, 0] = torch.tensor([14.0, 12.0])
    output, weights = mha.scaled_dot_product_attention(query, key, torch.eye(2))
    assert weights[0].tolist() == pytest.approx([0.8808, 0.1192], abs=5e-5)
    assert_same([output], [weights])


def test_attention_of_a_fully_masked_row_is_zero_without_nan_in_gradients() -> None:
    inputs = [leaf(2, 4, 5), leaf(2, 6, 5), leaf(2, 6, 7)]
    mask = torch.ones(2, 4, 6, dtype=torch.bool)
    mask[0, 1] = False
    output, weights = mha.scaled_dot_product_attention(*inputs, mask)
    assert (output[0, 1] == 0).all() and (weights[0, 1] == 0).all()
    slopes = gradients([output, weights], inputs)
    assert all(slope.isfinite().all() for slope in slopes)
    assert (slopes[0][0, 1] == 0).all()


def test_split_heads_gives_each_head_its_columns_and_merge_heads_undoes_it() -> None:
    x = torch.randn(2, 4, 6)
    heads = mha.split_heads(x, 3)
    assert_same([heads[:, 1]], [x[:, :, 2:4]])
    assert_same([mha.merge_heads(heads)], [x])


@pytest.mark.parametrize("kind", ["none", "causal", "padding", "own"])
def test_multi_head_attention_equals_torch_in_values_and_gradients(kind: str) -> None:
    batch, length, n_heads, d_model = 2, 4, 3, 6
    ours = mha.MultiHeadAttention(d_model, n_heads)
    theirs = nn.MultiheadAttention(d_model, n_heads, batch_first=True)
    randomise(ours)
    stacked = [ours.w_q, ours.w_k, ours.w_v]
    copy(
        {
            "in_proj_weight": torch.cat([linear.weight for linear in stacked]),
            "in_proj_bias": torch.cat([linear.bias for linear in stacked]),
            "out_proj.weight": ours.w_o.weight,
            "out_proj.bias": ours.w_o.bias,
        },
        theirs,
    )
    keys = length if kind == "causal" else 5
    inputs = [leaf(batch, length, d_model), leaf(batch, keys, d_model), leaf(batch, keys, d_model)]
    own = torch.rand(batch, n_heads, length, keys) < 0.6
    own[..., 0] = True
    mask = {
        "none": None,
        "causal": mha.causal_mask(length),
        "padding": mha.padding_mask(torch.tensor([2, 5]), keys),
        "own": own,
    }[kind]
    forbidden = None
    if mask is not None:
        forbidden = ~mask.expand(batch, n_heads, length, keys).flatten(0, 1)
    output, weights = ours(*inputs, mask)
    their_output, their_weights = theirs(*inputs, attn_mask=forbidden, average_attn_weights=False)
    assert_same([output, weights], [their_output, their_weights])

    parameters = [linear.weight for linear in stacked] + [linear.bias for linear in stacked]
    parameters += [ours.w_o.weight, ours.w_o.bias]
    mine = gradients([output, weights], inputs + parameters)
    mine = [*mine[:3], torch.cat(mine[3:6]), torch.cat(mine[6:9]), *mine[9:]]
    twins = [theirs.in_proj_weight, theirs.in_proj_bias]
    twins += [theirs.out_proj.weight, theirs.out_proj.bias]
    assert_same(mine, gradients([their_output, their_weights], inputs + twins))


def test_multi_head_attention_takes_widths_of_its_own() -> None:
    model = mha.MultiHeadAttention(6, 4, d_k=3, d_v=5)
    randomise(model)
    query, key, value = torch.randn(2, 4, 6), torch.randn(2, 7, 6), torch.randn(2, 7, 6)
    output, weights = model(query, key, value)
    heads = [
        F.scaled_dot_product_attention(
            model.w_q(query)[..., 3 * h : 3 * h + 3],
            model.w_k(key)[..., 3 * h : 3 * h + 3],
            model.w_v(value)[..., 5 * h : 5 * h + 5],
        )
        for h in range(4)
    ]
    assert_same([output], [model.w_o(torch.cat(heads, dim=-1))])
    assert weights.shape == (2, 4, 4, 7)


@pytest.mark.parametrize("module", [mha, transformer], ids=["mha", "transformer"])
def test_a_width_that_the_heads_do_not_divide_is_refused_with_both_numbers(
    module: ModuleType,
) -> None:
    with pytest.raises(ValueError, match="d_model=10, n_heads=4"):
        module.MultiHeadAttention(10, 4)


def test_a_fully_masked_item_gives_the_output_bias_in_both_multi_head_attentions() -> None:
    mask = mha.padding_mask(torch.tensor([0, 5]), 5)
    for module in (mha, transformer):
        model = module.MultiHeadAttention(6, 3)
        inputs = [leaf(2, 4, 6), leaf(2, 5, 6), leaf(2, 5, 6)]
        result = model(*inputs, mask)
        output = result[0] if module is mha else result
        assert_same([output[0]], [model.w_o.bias.expand(4, 6)])
        assert all(slope.isfinite().all() for slope in gradients([output], inputs))


def test_dot_products_spread_d_k_times_as_much_as_scaled_ones() -> None:
    query, key = torch.randn(4000, 64), torch.randn(4000, 64)
    variance, scaled = mha.dot_product_variance(query, key)
    products = torch.diagonal(query @ key.T)
    assert_same([variance, scaled], [products.var(correction=0), (products / 8).var(correction=0)])
    assert variance.item() == pytest.approx(64, rel=0.1)
    assert scaled.item() == pytest.approx(1, rel=0.1)


def test_attention_costs_what_its_matrix_products_cost() -> None:
    assert mha.attention_cost(1, 2, 3, 4, 5) == (54, 6)
    once, twice = (mha.attention_cost(8, n, n, 64, 64) for n in (100, 200))
    assert twice == tuple(4 * each for each in once)


# Transformer


def torch_attention(ours: nn.Module, prefix: str) -> dict[str, list[Tensor]]:
    """For each parameter of torch's attention, those of ours that it stacks."""
    stacked = [ours.w_q, ours.w_k, ours.w_v]
    return {
        f"{prefix}.in_proj_weight": [linear.weight for linear in stacked],
        f"{prefix}.in_proj_bias": [linear.bias for linear in stacked],
        f"{prefix}.out_proj.weight": [ours.w_o.weight],
        f"{prefix}.out_proj.bias": [ours.w_o.bias],
    }


def torch_layer(ours: nn.Module) -> dict[str, list[Tensor]]:
    """For each parameter of torch's encoder or decoder layer, those of ours that it stacks."""
    parts = torch_attention(ours.self_attention, "self_attn")
    plain = {"linear1": ours.feed_forward.linear1, "linear2": ours.feed_forward.linear2}
    plain |= {"norm1": ours.norm1, "norm2": ours.norm2}
    if hasattr(ours, "cross_attention"):
        parts |= torch_attention(ours.cross_attention, "multihead_attn")
        plain["norm3"] = ours.norm3
    for name, module in plain.items():
        parts |= {f"{name}.weight": [module.weight], f"{name}.bias": [module.bias]}
    return parts


def assert_layer_equals_torch(
    ours: nn.Module, theirs: nn.Module, inputs: list[Tensor], outputs: tuple[Tensor, Tensor]
) -> None:
    """Same output, same gradients in every input and parameter."""
    parts = torch_layer(ours)
    assert sum(len(stack) for stack in parts.values()) == len(list(ours.parameters()))
    assert_same([outputs[0]], [outputs[1]])
    flat = [parameter for stack in parts.values() for parameter in stack]
    mine = gradients([outputs[0]], inputs + flat)
    slopes = iter(mine[len(inputs) :])
    joined = [torch.cat([next(slopes) for _ in stack]) for stack in parts.values()]
    twins = dict(theirs.named_parameters())
    their_slopes = gradients([outputs[1]], inputs + [twins[name] for name in parts])
    assert_same(mine[: len(inputs)] + joined, their_slopes)


def twin_of(ours: nn.Module, kind: type[nn.Module]) -> nn.Module:
    """Torch's layer with the weights of ours, widths 6, 3 heads, 10, dropout 0."""
    twin = kind(6, 3, 10, dropout=0.0, batch_first=True, norm_first=False)
    copy({name: torch.cat(stack) for name, stack in torch_layer(ours).items()}, twin)
    return twin


def test_encoder_layer_equals_torch_in_values_and_gradients() -> None:
    ours = transformer.EncoderLayer(6, 3, 10, dropout=0.0)
    randomise(ours)
    theirs = twin_of(ours, nn.TransformerEncoderLayer)
    x = leaf(2, 5, 6)
    keep = torch.tensor([[True, True, True, False, False], [True] * 5])
    outputs = ours(x, keep[:, None, None, :]), theirs(x, src_key_padding_mask=~keep)
    assert_layer_equals_torch(ours, theirs, [x], outputs)
    assert_layer_equals_torch(ours, theirs, [x], (ours(x), theirs(x)))


def test_decoder_layer_equals_torch_in_values_and_gradients() -> None:
    ours = transformer.DecoderLayer(6, 3, 10, dropout=0.0)
    randomise(ours)
    theirs = twin_of(ours, nn.TransformerDecoderLayer)
    x, memory = leaf(2, 4, 6), leaf(2, 5, 6)
    keep = torch.tensor([[True, True, True, False, False], [True] * 5])
    causal = torch.ones(4, 4, dtype=torch.bool).tril()
    outputs = (
        ours(x, memory, causal, keep[:, None, None, :]),
        theirs(x, memory, tgt_mask=~causal, memory_key_padding_mask=~keep),
    )
    assert_layer_equals_torch(ours, theirs, [x, memory], outputs)
    assert_layer_equals_torch(ours, theirs, [x, memory], (ours(x, memory), theirs(x, memory)))


def test_transformer_equals_torch_stacks_between_embedding_and_output() -> None:
    model = transformer.Transformer(9, 8, 6, 3, 10, 2, pad=1, dropout=0.0)
    randomise(model)
    source = torch.tensor([[3, 4, 5, 1, 1], [2, 8, 7, 6, 5]])
    target = torch.tensor([[2, 3, 1, 1], [2, 7, 6, 5]])
    x = model.source_embedding(source) * math.sqrt(6) + transformer.positional_encoding(5, 6)
    y = model.target_embedding(target) * math.sqrt(6) + transformer.positional_encoding(4, 6)
    memory = x
    for layer in model.encoder.layers:
        twin = twin_of(layer, nn.TransformerEncoderLayer)
        memory = twin(memory, src_key_padding_mask=source == 1)
    later = torch.ones(4, 4, dtype=torch.bool).triu(1)
    for layer in model.decoder.layers:
        twin = twin_of(layer, nn.TransformerDecoderLayer)
        y = twin(
            y,
            memory,
            tgt_mask=later,
            tgt_key_padding_mask=target == 1,
            memory_key_padding_mask=source == 1,
        )
    assert_same([model.encode(source)], [memory])
    assert_same([model.decode(target, memory, model.source_mask(source))], [y])
    assert_same([model(source, target)], [model.output(y)])


def test_stacks_hold_layers_that_share_nothing() -> None:
    for kind in (transformer.Encoder, transformer.Decoder):
        one, three = kind(1, 6, 3, 10), kind(3, 6, 3, 10)
        sizes = [sum(p.numel() for p in stack.parameters()) for stack in (one, three)]
        assert sizes[1] == 3 * sizes[0]


def test_transformer_masks_hide_padding_and_the_future() -> None:
    model = transformer.Transformer(9, 8, 6, 3, 10, 1, pad=0)
    assert model.source_mask(torch.tensor([[3, 4, 0]])).tolist() == [[[[True, True, False]]]]
    assert model.target_mask(torch.tensor([[3, 0, 4]])).tolist() == [
        [[[True, False, False], [True, False, False], [True, False, True]]]
    ]


def test_padding_at_the_end_of_source_and_target_changes_no_logit() -> None:
    model = transformer.Transformer(9, 8, 6, 3, 10, 2).eval()
    source, target = torch.tensor([[3, 4, 5]]), torch.tensor([[1, 6]])
    longer = F.pad(source, (0, 2)), F.pad(target, (0, 1))
    assert_same([model(*longer)[:, :2]], [model(source, target)])


def test_dropout_stands_on_each_sublayer_and_on_the_embedding_only() -> None:
    layer = transformer.EncoderLayer(6, 3, 10, dropout=1.0)
    x = torch.randn(2, 5, 6)
    assert_same([layer(x)], [layer.norm2(layer.norm1(x))])
    decoder = transformer.DecoderLayer(6, 3, 10, dropout=1.0)
    expected = decoder.norm3(decoder.norm2(decoder.norm1(x)))
    assert_same([decoder(x, torch.randn(2, 4, 6))], [expected])
    model = transformer.Transformer(9, 8, 6, 3, 10, 1, dropout=1.0)
    embedded = model.embed(model.source_embedding, torch.tensor([[3, 4]]))
    assert_same([embedded], [torch.zeros(1, 2, 6)])


def test_positional_encoding_equals_its_closed_form() -> None:
    encoding = transformer.positional_encoding(7, 6)
    assert encoding.dtype == torch.float64
    for p in range(7):
        for i in range(3):
            angle = p / 10000 ** (2 * i / 6)
            assert encoding[p, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-14)
            assert encoding[p, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-14)


def test_sequence_loss_is_the_mean_over_labels_that_are_not_padding() -> None:
    logits = leaf(2, 3, 5)
    labels = torch.tensor([[1, 4, 2], [3, 2, 2]])
    loss = transformer.sequence_loss(logits, labels, pad=2)
    log_probabilities = torch.log_softmax(logits, dim=-1)
    chosen = [log_probabilities[0, 0, 1], log_probabilities[0, 1, 4], log_probabilities[1, 0, 3]]
    by_hand = -torch.stack(chosen).mean()
    assert_same([loss], [by_hand])
    assert_same(gradients([loss], [logits]), gradients([by_hand], [logits]))


def test_sequence_loss_does_not_move_with_more_padding() -> None:
    logits, labels = torch.randn(2, 3, 5), torch.tensor([[1, 4, 2], [3, 1, 0]])
    longer = torch.cat([logits, torch.randn(2, 4, 5)], dim=1)
    padded = F.pad(labels, (0, 4), value=0)
    ours = transformer.sequence_loss(longer, padded, 0)
    assert_same([ours], [transformer.sequence_loss(logits, labels, 0)])


def test_training_step_shifts_the_target_clears_gradients_and_updates_once() -> None:
    model = transformer.Transformer(9, 8, 6, 3, 10, 1, dropout=0.0)
    randomise(model)
    source = torch.tensor([[3, 4, 5], [6, 7, 0]])
    target = torch.tensor([[1, 5, 6, 2], [1, 4, 2, 0]])
    logits = model(source, target[:, :-1])
    loss = F.cross_entropy(logits.transpose(1, 2), target[:, 1:], ignore_index=0)
    slopes = torch.autograd.grad(loss, list(model.parameters()))
    expected = [
        p.detach() - 0.1 * slope for p, slope in zip(model.parameters(), slopes, strict=True)
    ]
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model.eval()
    value = transformer.training_step(model, optimizer, source, target)
    assert isinstance(value, float) and value == pytest.approx(loss.item(), abs=1e-12)
    assert_same(list(model.parameters()), expected)
    assert not model.training


def test_warm_up_follows_its_closed_form_and_peaks_at_the_warm_up_step() -> None:
    rate = transformer.warmup_learning_rate
    for step in range(1, 30):
        straight = step / 10**1.5 if step <= 10 else 1 / math.sqrt(step)
        assert rate(step, 64, 10) == pytest.approx(straight / 8, rel=1e-12)
    assert max(range(1, 30), key=lambda step: rate(step, 64, 10)) == 10
    assert rate(1000, 512, 4000) == pytest.approx(1.747e-4, abs=5e-8)


class Script(nn.Module):
    """A stub that 'predicts' a fixed script, one row for each item, and watches its callers."""

    def __init__(self, script: list[list[int]]) -> None:
        super().__init__()
        self.script = torch.tensor(script)
        self.lengths: list[int] = []
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        assert not self.training and not torch.is_grad_enabled()
        self.lengths.append(target.size(1))
        upcoming = self.script[:, : target.size(1)]
        return self.weight * F.one_hot(upcoming, 10).to(torch.get_default_dtype())


@pytest.mark.parametrize("training", [True, False])
def test_greedy_decoding_fills_ended_rows_and_stops_when_all_have_ended(training: bool) -> None:
    stub = Script([[4, 2, 7, 7, 7, 7], [5, 6, 4, 2, 7, 7]]).train(training)
    source = torch.tensor([[3, 0], [4, 5]])
    before = source.clone()
    tokens = transformer.greedy_decode(stub, source, start=1, end=2, max_length=7)
    assert tokens.dtype == torch.int64 and not tokens.requires_grad
    assert tokens.tolist() == [[1, 4, 2, 2, 2], [1, 5, 6, 4, 2]]
    assert stub.lengths == [1, 2, 3, 4]
    assert stub.training is training
    assert torch.equal(source, before)


def test_greedy_decoding_counts_the_start_token_in_its_limit() -> None:
    source = torch.tensor([[3]])
    for limit in (1, 3):
        stub = Script([[4, 5, 6, 7]])
        tokens = transformer.greedy_decode(stub, source, start=1, end=2, max_length=limit)
        assert tokens.tolist() == [[1, 4, 5][:limit]]


def test_greedy_decoding_equals_one_parallel_run_over_its_own_result() -> None:
    model = transformer.Transformer(9, 8, 6, 3, 10, 2)
    source = torch.tensor([[3, 4, 5], [6, 7, 0]])
    tokens = transformer.greedy_decode(model, source, start=1, end=2, max_length=6)
    assert model.training
    guesses = model.eval()(source, tokens[:, :-1]).argmax(dim=-1)
    for row, guess in zip(tokens.tolist(), guesses.tolist(), strict=True):
        alive = row.index(2) if 2 in row else len(row) - 1
        assert row[1 : alive + 1] == guess[:alive]
