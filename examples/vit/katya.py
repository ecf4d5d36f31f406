import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def patchify(images: Tensor, patch_size: int) -> Tensor:
    # YOUR CODE HERE
    B, C, H, W = images.shape
    n = (H // patch_size) * (W // patch_size)
    return images.view(B, n, C * patch_size * patch_size)


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
        B, L, D = x.shape
        d_k = D // self.n_heads
        q = self.w_q(x).reshape(B, L, self.n_heads, d_k).transpose(1, 2)
        k = self.w_k(x).reshape(B, L, self.n_heads, d_k).transpose(1, 2)
        v = self.w_v(x).reshape(B, L, self.n_heads, d_k).transpose(1, 2)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(d_k), dim=-1)
        out = (weights @ v).transpose(1, 2).reshape(B, L, D)
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
        attn, weights = self.attention(self.norm1(x))
        x = x + attn
        x = x + self.linear2(F.gelu(self.linear1(self.norm2(x))))
        return x, weights


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
        x = self.projection(patchify(images, self.patch_size))
        cls = self.class_token.repeat(x.size(0), 1, 1)
        x = torch.cat([cls, x], dim=1)
        return x + self.positions

    def forward(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        # YOUR CODE HERE
        x = self.embed(images)
        attention_maps = []
        for block in self.blocks:
            x, w = block(x)
            attention_maps.append(w)
        return self.head(self.norm(x)[:, 0]), attention_maps


if __name__ == "__main__":
    from sklearn.datasets import load_digits

    digits = load_digits()
    pixels = torch.tensor(digits.images / 16, dtype=torch.get_default_dtype())
    images = pixels.unsqueeze(1)  # (1797, 1, 8, 8)
    labels = torch.tensor(digits.target, dtype=torch.int64)  # (1797,)


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


if __name__ == "__main__":
    looks = maps[-1][0, :, 0, 1:].mean(dim=0).view(4, 4)  # (4, 4): the grid of patches
    for row in looks.tolist():
        print("  ".join(f"{share:.2f}" for share in row))
