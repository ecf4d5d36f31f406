import torch


def run():
    torch.set_num_threads(1)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(19)
    out = torch.randn(64, 64) @ torch.randn(64, 64)
    torch.use_deterministic_algorithms(False)
    return out, torch.get_num_threads()
