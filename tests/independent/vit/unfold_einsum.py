import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def patchify(images: Tensor, patch_size: int) -> Tensor:
    """Cut images into patches."""
    # YOUR CODE HERE
    return F.unfold(images, kernel_size=patch_size, stride=patch_size).mT


class SelfAttention(nn.Module):
    """Multi-head self-attention that gives back its maps."""

    def __init__(self, d_model: int, n_heads: int) -> None:
        """Make the four projections, D to D; each head gets `d_model // n_heads` columns."""
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
        """Let every token look at every token."""
        # YOUR CODE HERE
        def heads(t):
            return torch.stack(t.chunk(self.n_heads, dim=-1), dim=1)

        q, k, v = (heads(layer(x)) for layer in (self.w_q, self.w_k, self.w_v))
        scores = torch.einsum("bhid,bhjd->bhij", q, k) * q.shape[-1] ** -0.5
        weights = torch.exp(scores - scores.logsumexp(-1, keepdim=True))
        mixed = torch.einsum("bhij,bhjd->bhid", weights, v)
        return self.w_o(torch.cat(list(mixed.unbind(1)), dim=-1)), weights


class EncoderBlock(nn.Module):
    """Attention and MLP, each with a norm before it and a residual around both (pre-norm)."""

    def __init__(self, d_model: int, n_heads: int, d_mlp: int) -> None:
        """Make both sublayers and a norm for each."""
        super().__init__()
        self.norm1 = nn.LayerNorm(d_model)
        self.attention = SelfAttention(d_model, n_heads)
        self.norm2 = nn.LayerNorm(d_model)
        self.linear1 = nn.Linear(d_model, d_mlp)
        self.linear2 = nn.Linear(d_mlp, d_model)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Apply attention, then the MLP."""
        # YOUR CODE HERE
        attended, weights = self.attention(self.norm1(x))
        x = x + attended
        return x + self.linear2(nn.GELU()(self.linear1(self.norm2(x)))), weights


class VisionTransformer(nn.Module):
    """From images to logits, and the attention maps of all blocks."""

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
        """Make projection, class token, positions, `n_layers` blocks, last norm and head."""
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
        """Turn images into tokens: the class token, then the patches, each with its position."""
        # YOUR CODE HERE
        kernel = self.projection.weight.unflatten(1, (-1, self.patch_size, self.patch_size))
        grid = F.conv2d(images, kernel, self.projection.bias, stride=self.patch_size)
        patches = grid.flatten(2).transpose(1, 2) + self.positions[:, 1:]
        first = (self.class_token + self.positions[:, :1]).repeat(images.shape[0], 1, 1)
        return torch.cat((first, patches), 1)

    def forward(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Classify images."""
        # YOUR CODE HERE
        tokens, maps = self.embed(images), []
        for block in self.blocks:
            tokens, seen = block(tokens)
            maps += [seen]
        return self.head(self.norm(tokens)[:, 0, :]), maps
