from torch.nn import TransformerEncoderLayer
