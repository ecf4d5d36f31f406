"""A note."""
from __future__ import annotations
import math, torch.nn as nn
from torch import *
class LSTM(nn.Module):
    @property
    def f(self): return f"{self!r:>{10}}"
x: int = 3; y = [i for i in range(x) if (z := i)]
def f(a, /, b=x, *c, d, **e):
    global g
    match a:
        case {"k": [1, *_]}: return lambda: y
    try: a.cuda().float()
    except* ValueError: raise
    return torch.zeros(2, device="cuda", dtype=torch.float32)
if __name__ == "__main__":
    print(f(1, d=2))
