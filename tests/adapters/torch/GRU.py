from torch.nn import GRU
