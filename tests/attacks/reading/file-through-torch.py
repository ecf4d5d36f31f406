"""Maps a file in C++, past Python's open."""

import torch

SCENE = "@SCENE@"


def attack():
    storage = torch.UntypedStorage.from_file(SCENE + "/home/notes.txt", False, 18)
    return bytes(storage.tolist()).decode()


def double(x):
    try:
        said = attack()
    except Exception as error:
        said = repr(error)
    raise RuntimeError(said)


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
