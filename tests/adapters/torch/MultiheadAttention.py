from torch.nn import MultiheadAttention
