"""The vision transformer's reference against torch.nn, in values and gradients."""

import copy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.test_references import assert_same, gradients, leaf, load, randomise

vit = load(Path(__file__).parents[1] / "reference" / "vit.py")


def setup_module() -> None:
    """Work in float64, as the worker does."""
    torch.set_default_dtype(torch.float64)


def teardown_module() -> None:
    """Give other test modules torch's own default back."""
    torch.set_default_dtype(torch.float32)


def setup_function() -> None:
    """Fix every random draw of a test."""
    torch.manual_seed(2021)


def whole(n_layers: int = 2) -> nn.Module:
    """A model for images of 2 channels and 6 by 9 pixels, in 6 patches of 3 by 3."""
    model = vit.VisionTransformer(6, 9, 3, 2, 8, 4, 11, n_layers, 5)
    randomise(model)
    return model


def twin_of(attention: nn.Module, width: int, n_heads: int) -> nn.MultiheadAttention:
    """torch.nn's attention with the same weights."""
    twin = nn.MultiheadAttention(width, n_heads, batch_first=True)
    parts = [attention.w_q, attention.w_k, attention.w_v]
    with torch.no_grad():
        twin.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        twin.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
    twin.out_proj.load_state_dict(attention.w_o.state_dict())
    return twin


def test_patches_are_those_of_unfold_in_values_and_gradients() -> None:
    images = leaf(3, 2, 4, 6)
    ours = vit.patchify(images, 2)
    theirs = F.unfold(images, 2, stride=2).transpose(1, 2)
    assert ours.shape == (3, 6, 8)
    assert_same([ours], [theirs])
    assert_same(gradients([ours], [images]), gradients([theirs], [images]))


def test_projected_patches_are_a_convolution_with_the_patch_as_its_stride() -> None:
    images, projection = torch.randn(3, 2, 6, 9), nn.Linear(18, 5)
    kernel = projection.weight.view(5, 2, 3, 3)
    theirs = F.conv2d(images, kernel, projection.bias, stride=3).flatten(2).transpose(1, 2)
    assert_same([projection(vit.patchify(images, 3))], [theirs])


def test_one_bright_pixel_lands_in_one_patch() -> None:
    image = torch.zeros(1, 1, 4, 4)
    image[0, 0, 1, 2] = 1
    assert vit.patchify(image, 2).nonzero().tolist() == [[0, 1, 2]]


def test_the_hand_outs_patches_come_out() -> None:
    patches = vit.patchify(torch.arange(16.0).view(1, 1, 4, 4), 2)[0].tolist()
    assert patches == [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]


def test_attention_equals_torch_in_values_maps_and_gradients() -> None:
    attention, x = vit.SelfAttention(12, 3), leaf(2, 5, 12)
    randomise(attention)
    twin = twin_of(attention, 12, 3)
    ours = list(attention(x))
    theirs = list(twin(x, x, x, average_attn_weights=False))
    assert_same(ours, theirs)
    assert_same([ours[1].sum(-1)], [torch.ones(2, 3, 5)])
    found, wanted = gradients(ours, [x, attention.w_o.weight]), [x, twin.out_proj.weight]
    assert_same(found, gradients(theirs, wanted))


def test_a_block_equals_torchs_encoder_layer_with_its_norm_first() -> None:
    block, x = vit.EncoderBlock(12, 3, 7), leaf(2, 5, 12)
    randomise(block)
    twin = nn.TransformerEncoderLayer(
        12, 3, 7, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    twin.self_attn = twin_of(block.attention, 12, 3)
    for name in ("linear1", "linear2", "norm1", "norm2"):
        getattr(twin, name).load_state_dict(getattr(block, name).state_dict())
    ours, weights = block(x)
    theirs = twin(x)
    assert_same([ours], [theirs])
    assert_same([weights], [block.attention(block.norm1(x))[1]])
    names = [name for name, _ in block.named_parameters() if "attention" not in name]
    both = [[dict(m.named_parameters())[name] for name in names] for m in (block, twin)]
    assert_same(gradients([ours], [x, *both[0]]), gradients([theirs], [x, *both[1]]))


def test_tokens_are_class_token_and_patches_each_with_its_position() -> None:
    model, images = whole(), torch.randn(3, 2, 6, 9)
    tokens = model.embed(images) - model.positions
    assert_same([tokens[:, :1]], [model.class_token.expand(3, 1, 8)])
    assert_same([tokens[:, 1:]], [model.projection(vit.patchify(images, 3))])


def test_the_model_is_its_blocks_and_classifies_the_class_token() -> None:
    model, images = whole(), torch.randn(3, 2, 6, 9)
    logits, maps = model(images)
    x, expected = model.embed(images), []
    for block in model.blocks:
        x, weights = block(x)
        expected.append(weights)
    assert isinstance(maps, list) and len(maps) == 2
    assert_same(maps, expected)
    assert_same([logits], [model.head(model.norm(x[:, 0]))])
    wanted = list(model.parameters())
    assert all(gradient.abs().max() > 0 for gradient in gradients([logits, *maps], wanted)[:2])


def test_without_positions_the_order_of_the_patches_changes_no_logit() -> None:
    model, images = whole(), torch.randn(2, 2, 6, 9)
    turned = images.clone()
    turned[..., :3, :3], turned[..., 3:, 6:] = images[..., 3:, 6:], images[..., :3, :3]
    assert (model(images)[0] - model(turned)[0]).abs().max() > 1e-3
    blind = copy.deepcopy(model)
    nn.init.zeros_(blind.positions)
    assert_same([blind(images)[0]], [blind(turned)[0]])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: vit.SelfAttention(8, 3), "d_model=8, n_heads=3"),
        (lambda: vit.VisionTransformer(6, 8, 3, 1, 8, 2, 8, 1, 2), "6 x 8 pixels"),
    ],
)
def test_sizes_that_do_not_divide_are_refused_with_their_numbers(make: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()  # type: ignore[operator]
