from torch.nn import RNN
