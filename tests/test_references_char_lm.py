"""The character language model's reference against torch.nn, and in pieces against the whole."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.test_references import COURSE, assert_same, gradients, leaf, load, randomise

char_lm = load(Path(__file__).parents[1] / "reference" / "char_lm.py")


def setup_module() -> None:
    """Work in float64, as the worker does."""
    torch.set_default_dtype(torch.float64)


def teardown_module() -> None:
    """Give other test modules torch's own default back."""
    torch.set_default_dtype(torch.float32)


def setup_function() -> None:
    """Fix every random draw of a test."""
    torch.manual_seed(1609)


def whole(n_layers: int = 2) -> nn.Module:
    """A model of 11 characters that reads up to 14."""
    model = char_lm.CharLM(11, 14, 12, 3, 7, n_layers)
    randomise(model)
    return model


def later(length: int) -> Tensor:
    """torch's mask, True where attention is not allowed."""
    return torch.ones(length, length, dtype=torch.bool).triu(1)


def twin_of(attention: nn.Module, width: int, n_heads: int) -> nn.MultiheadAttention:
    """torch.nn's attention with the same weights."""
    twin = nn.MultiheadAttention(width, n_heads, batch_first=True)
    parts = [attention.w_q, attention.w_k, attention.w_v]
    with torch.no_grad():
        twin.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        twin.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
    twin.out_proj.load_state_dict(attention.w_o.state_dict())
    return twin


def test_causal_attention_equals_torch_in_values_and_gradients() -> None:
    attention, x = char_lm.CausalSelfAttention(12, 3), leaf(2, 5, 12)
    randomise(attention)
    twin = twin_of(attention, 12, 3)
    ours, (keys, values) = attention(x)
    theirs, _ = twin(x, x, x, attn_mask=later(5))
    assert_same([ours], [theirs])
    assert keys.shape == values.shape == (2, 3, 5, 4)
    found = gradients([ours], [x, attention.w_o.weight])
    assert_same(found, gradients([theirs], [x, twin.out_proj.weight]))


@pytest.mark.parametrize("cuts", [(3,), (1, 2, 3, 4), (2, 5)])
def test_attention_in_pieces_equals_attention_at_once_in_values_and_gradients(
    cuts: tuple[int, ...],
) -> None:
    attention, x = char_lm.CausalSelfAttention(12, 3), leaf(2, 6, 12)
    randomise(attention)
    cache, outputs = None, []
    for piece in x.tensor_split(cuts, dim=1):
        output, cache = attention(piece, cache)
        outputs.append(output)
    pieces, at_once = torch.cat(outputs, dim=1), attention(x)
    assert_same([pieces, *cache], [at_once[0], *at_once[1]])
    wanted = [x, *attention.parameters()]
    assert_same(gradients([pieces], wanted), gradients([at_once[0]], wanted))


def test_a_cache_that_is_given_stays_as_it_is() -> None:
    attention, x = char_lm.CausalSelfAttention(12, 3), torch.randn(2, 3, 12)
    cache = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    before = [each.clone() for each in cache]
    attention(x, cache)
    assert_same(list(cache), before)


def test_a_block_equals_torchs_encoder_layer_with_norm_first_and_a_causal_mask() -> None:
    block, x = char_lm.Block(12, 3, 7), leaf(2, 5, 12)
    randomise(block)
    twin = nn.TransformerEncoderLayer(
        12, 3, 7, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    twin.self_attn = twin_of(block.attention, 12, 3)
    for name in ("linear1", "linear2", "norm1", "norm2"):
        getattr(twin, name).load_state_dict(getattr(block, name).state_dict())
    ours, theirs = block(x)[0], twin(x, src_mask=later(5))
    assert_same([ours], [theirs])
    names = [name for name, _ in block.named_parameters() if "attention" not in name]
    both = [[dict(m.named_parameters())[name] for name in names] for m in (block, twin)]
    assert_same(gradients([ours], [x, *both[0]]), gradients([theirs], [x, *both[1]]))


def test_the_model_is_embedding_positions_blocks_norm_and_the_embedding_again() -> None:
    model, tokens = whole(), torch.randint(11, (3, 6))
    x = model.embedding(tokens) + model.positions.weight[:6]
    for block in model.blocks:
        x, _ = block(x)
    assert_same([model(tokens)[0]], [F.linear(model.norm(x), model.embedding.weight)])
    assert {name.split(".")[0] for name, _ in model.named_parameters()} == {
        "embedding", "positions", "blocks", "norm",
    }  # fmt: skip


@pytest.mark.parametrize("cut", [1, 4, 5])
def test_reading_with_caches_equals_reading_the_whole(cut: int) -> None:
    model, tokens = whole(), torch.randint(11, (3, 6))
    first, caches = model(tokens[:, :cut])
    second, caches = model(tokens[:, cut:], caches)
    logits, at_once = model(tokens)
    assert_same([torch.cat([first, second], dim=1)], [logits])
    for cache, other in zip(caches, at_once, strict=True):
        assert_same(list(cache), list(other))


def test_a_token_moves_no_logits_before_it() -> None:
    model, tokens = whole(), torch.randint(11, (3, 6))
    changed = tokens.clone()
    changed[:, 3] = (changed[:, 3] + 1) % 11
    difference = (model(tokens)[0] - model(changed)[0]).abs().amax(dim=(0, 2))
    assert (difference[:3] == 0).all() and (difference[3:] > 1e-6).all()


def test_the_loss_judges_each_token_but_the_first_by_the_logits_before_it() -> None:
    logits, tokens = leaf(3, 5, 7), torch.randint(7, (3, 5))
    ours = char_lm.next_token_loss(logits, tokens)
    chosen = logits.log_softmax(2)[:, :-1].gather(2, tokens[:, 1:, None])
    assert_same([ours], [-chosen.mean()])
    assert_same(gradients([ours], [logits]), gradients([-chosen.mean()], [logits]))


def test_the_hand_outs_examples_come_out() -> None:
    logits = torch.tensor([[[0.0, math.log(3)], [0.0, 0.0], [5.0, -5.0]]])
    loss = char_lm.next_token_loss(logits, torch.tensor([[0, 1, 0]]))
    assert loss.item() == pytest.approx(0.4904, abs=5e-5)
    attention = char_lm.CausalSelfAttention(1, 1)
    with torch.no_grad():
        for parameter in attention.parameters():
            parameter.zero_()
        attention.w_q.bias.fill_(1)  # every query is 1
        attention.w_v.weight.fill_(1)  # the values are what comes in
        attention.w_o.weight.fill_(1)
        past = torch.tensor([0.0, math.log(2)]), torch.tensor([6.0, 3.0])
        attention.w_k.bias.fill_(math.log(3))
        cache = (past[0].view(1, 1, 2, 1), past[1].view(1, 1, 2, 1))
        output, (keys, values) = attention(torch.tensor([[[2.0]]]), cache)
    assert output.item() == pytest.approx(3)
    assert (keys.numel(), values.flatten().tolist()) == (3, [6, 3, 2])


def test_training_is_adam_and_reports_losses_before_updates() -> None:
    model, twin = whole(1), whole(1)
    twin.load_state_dict(model.state_dict())
    windows = torch.randint(11, (4, 9))
    losses = char_lm.train(model, windows, steps=3, learning_rate=0.02)
    optimizer, expected = torch.optim.Adam(twin.parameters(), lr=0.02), []
    for _ in range(3):
        logits = twin(windows[:, :-1])[0]
        loss = F.cross_entropy(logits.transpose(1, 2), windows[:, 1:])
        expected.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses == pytest.approx(expected, abs=1e-10)
    assert_same(list(model.parameters()), list(twin.parameters()))


def test_writing_equals_reading_the_whole_text_anew_for_every_token() -> None:
    model, prompt = whole(), torch.randint(11, (5, 4))
    text = prompt
    for _ in range(10):  # to the very end of the context
        text = torch.cat([text, model(text)[0][:, -1:].argmax(2)], dim=1)
    written = char_lm.generate(model, prompt, 10)
    assert written.dtype == torch.int64 and written.tolist() == text.tolist()
    assert not written.requires_grad


def test_the_windows_that_the_course_ships_are_those_of_the_references_sonnet() -> None:
    source = (COURSE / "reference" / "char_lm.py").read_text("utf-8")
    found = re.search(r'sonnet = """\\\n(.*?)"""', source, flags=re.DOTALL)
    assert found is not None
    sonnet, alphabet = found[1], sorted(set(found[1]))
    codes = np.array([alphabet.index(character) for character in sonnet])
    with np.load(COURSE / "assignments" / "char_lm" / "sonnet.npz") as stored:
        windows = stored["windows"]
    assert windows.dtype == np.int64 and windows.shape == (99, 33) and len(alphabet) == 39
    np.testing.assert_array_equal(windows, np.lib.stride_tricks.sliding_window_view(codes, 33)[::6])
