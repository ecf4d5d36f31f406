import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def patchify(images: Tensor, patch_size: int) -> Tensor:
    # YOUR CODE HERE
    strips = torch.stack(images.split(patch_size, dim=2), dim=1)
    squares = torch.stack(strips.split(patch_size, dim=4), dim=2)
    return squares.flatten(3).flatten(1, 2)


class SelfAttention(nn.Module):

    def __init__(self, d_model: int, n_heads: int) -> None:
        super().__init__()
        if d_model % n_heads != 0:
            raise ValueError(
                f"d_model must be a multiple of n_heads, got d_model={d_model}, n_heads={n_heads}"
            )
        self.n_heads = n_heads
        self.w_q = nn.Linear(d_model, d_model)
        self.w_k = nn.Linear(d_model, d_model)
        self.w_v = nn.Linear(d_model, d_model)
        self.w_o = nn.Linear(d_model, d_model)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        # YOUR CODE HERE
        joint = torch.cat([self.w_q.weight, self.w_k.weight, self.w_v.weight])
        bias = torch.cat([self.w_q.bias, self.w_k.bias, self.w_v.bias])
        q, k, v = F.linear(x, joint, bias).unflatten(-1, (3, self.n_heads, -1)).permute(2, 0, 3, 1, 4)
        weights = torch.softmax((q / math.sqrt(q.size(-1))).matmul(k.transpose(-1, -2)), -1)
        out = weights.matmul(v).permute(0, 2, 1, 3).flatten(2)
        return self.w_o(out), weights


class EncoderBlock(nn.Module):

    def __init__(self, d_model: int, n_heads: int, d_mlp: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(d_model)
        self.attention = SelfAttention(d_model, n_heads)
        self.norm2 = nn.LayerNorm(d_model)
        self.linear1 = nn.Linear(d_model, d_mlp)
        self.linear2 = nn.Linear(d_mlp, d_model)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        # YOUR CODE HERE
        def normed(norm, t):
            return F.layer_norm(t, norm.normalized_shape, norm.weight, norm.bias, norm.eps)

        attended, weights = self.attention(normed(self.norm1, x))
        mlp = nn.Sequential(self.linear1, nn.GELU(), self.linear2)
        return (x + attended) + mlp(normed(self.norm2, x + attended)), weights


class VisionTransformer(nn.Module):

    def __init__(
        self,
        height: int,
        width: int,
        patch_size: int,
        channels: int,
        d_model: int,
        n_heads: int,
        d_mlp: int,
        n_layers: int,
        n_classes: int,
    ) -> None:
        super().__init__()
        if height % patch_size != 0 or width % patch_size != 0:
            raise ValueError(
                f"both sides must be multiples of patch_size, got {height} x {width} pixels "
                f"and patch_size={patch_size}"
            )
        self.patch_size = patch_size
        patches = (height // patch_size) * (width // patch_size)
        self.projection = nn.Linear(channels * patch_size**2, d_model)
        self.class_token = nn.Parameter(torch.zeros(1, 1, d_model))  # (1, 1, D)
        self.positions = nn.Parameter(0.02 * torch.randn(1, patches + 1, d_model))  # (1, L, D)
        self.blocks = nn.ModuleList(EncoderBlock(d_model, n_heads, d_mlp) for _ in range(n_layers))
        self.norm = nn.LayerNorm(d_model)
        self.head = nn.Linear(d_model, n_classes)

    def embed(self, images: Tensor) -> Tensor:
        # YOUR CODE HERE
        tokens = F.pad(self.projection(patchify(images, self.patch_size)), (0, 0, 1, 0))
        start = F.pad(self.class_token, (0, 0, 0, tokens.shape[1] - 1))
        return tokens + start + self.positions

    def forward(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        # YOUR CODE HERE
        def onward(x, blocks):
            if not blocks:
                return self.head(self.norm(x)[..., 0, :]), []
            x, weights = blocks[0](x)
            logits, later = onward(x, blocks[1:])
            return logits, [weights, *later]

        return onward(self.embed(images), list(self.blocks))
