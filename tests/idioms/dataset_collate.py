import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset


class Sentences(Dataset):
    def __init__(self):
        self.rows = [torch.arange(1, n + 1) for n in (3, 1, 4, 2)]

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.rows[i]


def collate(batch):
    lengths = torch.tensor([len(x) for x in batch])
    return pad_sequence(batch, batch_first=True), lengths


def run():
    torch.manual_seed(0)
    rnn = torch.nn.GRU(1, 3, batch_first=True)
    outs = []
    for padded, lengths in DataLoader(Sentences(), batch_size=2, collate_fn=collate):
        packed = pack_padded_sequence(
            padded[..., None].to(torch.get_default_dtype()), lengths, batch_first=True,
            enforce_sorted=False,
        )
        out, _ = pad_packed_sequence(rnn(packed)[0], batch_first=True)
        outs.append(out.sum())
    return outs
