import torch


def run():
    torch.manual_seed(27)
    a = torch.randn(4, 4)
    spd = a @ a.T + torch.eye(4)
    q, r = torch.linalg.qr(a)
    values = torch.linalg.eigvalsh(spd)
    return (
        torch.linalg.solve(spd, torch.ones(4)), values, q @ r, torch.linalg.cholesky(spd),
        torch.fft.rfft(torch.arange(8.0)).abs(), torch.linalg.svdvals(a), torch.matrix_exp(a / 10),
    )
