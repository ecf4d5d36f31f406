from torch.nn import TransformerDecoderLayer
