# Ingrid - optional assignment 1
# %% [markdown]
# # The vision transformer
#
# Dosovitskiy et al., *An Image Is Worth 16x16 Words: Transformers for Image Recognition at Scale*,
# 2021, section 3.1 and equations 1 to 4; attention as in appendix A, equations 5 to 8.
#
# You cut an image into patches, treat each as a word, put a class token in front, and classify the
# image from what the class token has gathered. On the way every block's attention map is kept, so
# that one can see which patch looked at which.
#
# | letter | size of |
# | --- | --- |
# | `B` | batch |
# | `C` | channels of an image |
# | `P` | side of a patch, in pixels |
# | `N` | patches of an image |
# | `L` | tokens: the class token and the patches, N + 1 |
# | `D` | `d_model`: one vector of the model |
# | `H` | heads |
#
# **Against `torch.nn.TransformerEncoderLayer`.** The norm comes first, as in the paper (there only
# with `norm_first=True`); GELU in place of ReLU; no dropout; the block gives its attention map
# back, head by head. The four projections of attention are layers of their own.

# %%
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# %% [markdown]
# ## Patches
#
# An image is cut into squares of $P$ times $P$ pixels, row by row from the top left. Each square
# becomes one vector: all its pixels of channel 0, row by row, then those of channel 1, and so on.

# %%
def patchify(images: Tensor, patch_size: int) -> Tensor:
    """Cut images into patches."""
    # YOUR CODE HERE
    B, C, H, W = images.shape
    p = patch_size
    x = images.reshape(B, C, H // p, p, W // p, p)
    x = x.permute(0, 2, 4, 1, 3, 5)
    return x.flatten(1, 2).flatten(2)

# %% [markdown]
# ## Attention
#
# Each head looks with its own $D/H$ columns of three projections of the tokens:
#
# $$A_h = \mathrm{softmax}\left(\frac{Q_h K_h^\top}{\sqrt{D/H}}\right), \qquad
# \mathrm{output} = [A_1 V_1, \dots, A_H V_H] \, W_o + b_o$$

# %%
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
        B, L, D = x.shape
        d_k = D // self.n_heads
        q = self.w_q(x).reshape(B, L, self.n_heads, d_k).transpose(1, 2)
        k = self.w_k(x).reshape(B, L, self.n_heads, d_k).transpose(1, 2)
        v = self.w_v(x).reshape(B, L, self.n_heads, d_k).transpose(1, 2)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(d_k), dim=-1)
        out = (weights @ v).transpose(1, 2).reshape(B, L, D)
        return self.w_o(out), weights

# %% [markdown]
# ## A block
#
# Attention, then a small network (MLP) that treats each token alone. Each reads its input through a
# norm, and adds what it finds to the input itself:
#
# $$z' = z + \mathrm{attention}(\mathrm{norm}_1(z))$$
#
# $$z'' = z' + W_2 \, \mathrm{GELU}(W_1 \, \mathrm{norm}_2(z') + b_1) + b_2$$

# %%
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
        attn, weights = self.attention(self.norm1(x))
        x = x + attn
        x = x + self.linear2(F.gelu(self.linear1(self.norm2(x))))
        return x, weights

# %% [markdown]
# ## The whole
#
# Each patch $x_n$ is projected to $D$ numbers. The class token, a vector that is learned, goes in
# front, and then every token gets the embedding of its position, the class token too:
#
# $$z_0 = [c, \; x_1 E, \; x_2 E, \; \dots, \; x_N E] + E_{pos}$$
#
# After all blocks and a last norm, the class token alone decides:
#
# $$\mathrm{logits} = W \, \mathrm{norm}(z)_0 + b$$

# %%
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
        x = self.projection(patchify(images, self.patch_size))
        cls = self.class_token.repeat(x.size(0), 1, 1)
        x = torch.cat([cls, x], dim=1)
        return x + self.positions

    def forward(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Classify images."""
        # YOUR CODE HERE
        x = self.embed(images)
        attention_maps = []
        for block in self.blocks:
            x, w = block(x)
            attention_maps.append(w)
        return self.head(self.norm(x)[:, 0]), attention_maps

# %% [markdown]
# ## Try it: handwritten digits
#
# The digits of scikit-learn, 8 by 8 pixels, in patches of 2 by 2. The next cells run in a notebook
# (or with `python vit.py`), not when the module is imported; they need `pip install scikit-learn`.

# %%
if __name__ == "__main__":
    from sklearn.datasets import load_digits

    digits = load_digits()
    pixels = torch.tensor(digits.images / 16, dtype=torch.get_default_dtype())
    images = pixels.unsqueeze(1)  # (1797, 1, 8, 8)
    labels = torch.tensor(digits.target, dtype=torch.int64)  # (1797,)

# %%
if __name__ == "__main__":
    torch.manual_seed(0)
    model = VisionTransformer(8, 8, 2, 1, d_model=32, n_heads=4, d_mlp=64, n_layers=2, n_classes=10)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(400):
        chosen = torch.randint(1400, (128,))
        loss = F.cross_entropy(model(images[chosen])[0], labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        logits, maps = model(images[1400:])
    accuracy = (logits.argmax(dim=1) == labels[1400:]).double().mean().item()
    print(f"accuracy on unseen digits {accuracy:.1%}")

# %% [markdown]
# How much does the class token look at each patch, in the last block, averaged over the heads?

# %%
if __name__ == "__main__":
    looks = maps[-1][0, :, 0, 1:].mean(dim=0).view(4, 4)  # (4, 4): the grid of patches
    for row in looks.tolist():
        print("  ".join(f"{share:.2f}" for share in row))
