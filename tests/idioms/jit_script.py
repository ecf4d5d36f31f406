import torch


@torch.jit.script
def gated(x: torch.Tensor, n: int) -> torch.Tensor:
    for _ in range(n):
        x = torch.tanh(x) * 1.5
    return x


class Cell(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.relu() + 1


def run():
    x = torch.linspace(-1, 1, 5)
    return gated(x, 3), torch.jit.script(Cell())(x)
