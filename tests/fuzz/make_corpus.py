"""Writes the samples that the fuzzers begin with: `.venv/bin/python tests/fuzz/make_corpus.py`.

Files called `found-*` are inputs that once broke a reader; they are kept by hand.
"""

import json
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import zips  # noqa: E402 - found by the line above

from grader.sandbox import wire  # noqa: E402

CORPUS = Path(__file__).parent / "corpus"
CODE = '''"""A note."""
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
'''


def cell(*lines: str, **more: object) -> dict[str, object]:
    return {"cell_type": "code", "source": list(lines), "metadata": {}, "outputs": [], **more}


def frame(header: bytes) -> bytes:
    """A frame with a header of our choice and no payload."""
    return wire.PREFIX.pack(wire.MAGIC, len(header), 0) + header


def samples() -> dict[str, bytes]:
    answer = {
        "calls": [{"path": "", "kind": "tensor", "dtype": "float64", "value": np.ones((2, 3))}],
        "used": ["torch.nn.LSTM"],
        "gradients": {"x": np.zeros(3), "y": None},
        "inputs": {},
        "printed": ("a", True, -1, 1.5),
    }
    error = {"error": {"type": "ValueError", "message": "no", "line": 3, "memory": False}}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
        cell("%matplotlib inline\n", "!pip install x\n", "import torch\n"),
        {"cell_type": "markdown", "source": "# Title"},
        cell("%%time\n", "def f(x):\n", "    return x?\n"), cell(CODE), cell("%%bash\n", "ls"),
    ]}  # fmt: skip
    old = {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": "f = 1"}]}]}
    small = CODE.encode()
    nested = zips.packed(("hw/lstm.py", small))
    return {
        "wire/answer": wire.encode(answer),
        "wire/error": wire.encode({**error, "used": []}),
        "wire/two": wire.encode({"loaded": True, "used": []}) + wire.encode(None),
        "wire/parameters": wire.encode(
            {"parameters": [{"name": "w", "shape": [2, 3], "trainable": True, "same_as": ""}]}
        ),
        "module/code.py": small,
        "module/korean.py": "# coding: cp949\nf = '가'\n".encode("cp949"),
        "module/wide.py": "\ufefff = 1\n".encode("utf-16"),
        "module/cells.py": b"# %% [markdown]\n# # T\n# %%\nf = 1\n# %%\ndef broken(:\n",
        "module/magic.py": b"%load_ext x\nx = !ls\nf = 1 if x else \\\n  2\n",
        "notebook/usual.ipynb": json.dumps(notebook).encode(),
        "notebook/old.ipynb": json.dumps(old).encode(),
        "notebook/empty.ipynb": b'{"cells": []}',
        "archive/class.zip": zips.packed(("ada/lstm.py", small), ("bo.ipynb", b"{}")),
        "archive/stored.zip": zips.packed(("class/ada/lstm.py", b"f = 1"), method=0),
        "archive/nested.zip": zips.packed(("ada.zip", nested), ("김.py", b"")),
        "archive/hostile.zip": zips.packed(
            ("../x.py", b""), (zips.link("l.py"), b"/etc"), ("A.py", b""), ("a.py", b"")
        ),
        "archive/empty.zip": b"PK\x05\x06" + bytes(18),
        "rubric/tiny.yaml": RUBRIC.encode(),
    }


RUBRIC = """\
assignment: tiny
title: &t {en: Tiny, ko: 작은}
forbidden: [torch.nn.LSTM]
limits: {seconds: 20, memory_mb: 512}
tolerance: {rtol: 1.0e-7}
cases:
  - {id: a, entry: f, show: public, args: {x: "normal(B, 3)"}, sizes: {B: 2}, config: &c {n: 1}}
  - {id: b, entry: f, show: hidden, config: {<<: *c, m: [1, 2.5]}, note: *t}
criteria:
  - {id: shape, entry: f, points: 1/3, title: *t, checks: [shape]}
  - {id: value, entry: f, points: 0.5, title: *t, checks: [{close: {}}], needs: [shape], over: [b]}
  - id: style
    points: 2
    title: *t
    manual: {2: {en: "good", ko: "좋음"}, 0: {en: bad, ko: 나쁨}}
"""

if __name__ == "__main__":
    for name, content in samples().items():
        (CORPUS / name).parent.mkdir(parents=True, exist_ok=True)
        (CORPUS / name).write_bytes(content)
