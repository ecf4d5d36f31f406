import torch


def run():
    torch.set_num_threads(2)
    torch.manual_seed(20)
    a = torch.randn(96, 96)
    return (a @ a).softmax(-1), torch.nn.Conv1d(3, 3, 2)(torch.ones(1, 3, 500)).shape[-1]
