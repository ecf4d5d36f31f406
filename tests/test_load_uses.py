"""The API a submission uses, and the rewrites that make it run anywhere."""

import pytest

from grader.load import load
from grader.types import ApiUse, Loaded, Note, Origin, Submission, SubmittedFile


def module(text: str, *entries: str) -> Loaded:
    file = SubmittedFile(name="mha.py", content=text.encode())
    submission = Submission(student="kim", assignment="mha", path="in/kim", files=(file,))
    return load(submission, entries or ("f",))


def apis(text: str) -> set[str]:
    return {use.api for use in module(text).uses}


def note(loaded: Loaded, code: str) -> Note:
    (found,) = [note for note in loaded.notes if note.code == code]
    return found


def quiet(loaded: Loaded) -> bool:
    return not {x.code for x in loaded.notes} & {"load.device", "load.float32"}


LSTM = "torch.nn.LSTM"
ATTENTION = "torch.nn.functional.scaled_dot_product_attention"
WAYS = {
    "import torch\ndef f(): return torch.nn.LSTM": LSTM,
    "import torch.nn\ndef f(): return torch.nn.LSTM(3, 4)": LSTM,
    "import torch.nn as nn\ndef f(): return nn.LSTM": LSTM,
    "from torch import nn\ndef f(): return nn.LSTM": LSTM,
    "from torch.nn import LSTM as Cell\ndef f(): return Cell(3)": LSTM,
    "from torch import nn\nCell = nn.LSTM\ndef f(): return Cell": LSTM,
    "import torch\nn = torch.nn\nCell = n.LSTM\ndef f(): return Cell": LSTM,
    "import torch\na, b = 1, torch.nn\ndef f(): return b.LSTM": LSTM,
    "def f():\n    import torch.nn as nn\n    return nn.LSTM": LSTM,
    "def f():\n    from torch.nn import LSTM\n    return LSTM": LSTM,
    "from torch.nn import *\ndef f(): return LSTM": LSTM,
    "from torch import *\ndef f(): return nn.LSTM": LSTM,
    "import torch\ndef f(): return getattr(torch.nn, 'LSTM')": LSTM,
    (
        "try:\n    from torch.nn import LSTM\n"
        "except ImportError:\n    LSTM = None\ndef f(): return LSTM"
    ): LSTM,
    "import torch\nclass f(torch.nn.LSTM): pass": LSTM,
    "import torch\n@torch.no_grad()\ndef f(): pass": "torch.no_grad",
    "import torch\ndef f(x: torch.Tensor): pass": "torch.Tensor",
    "import torch\ndef f(x): return f'{torch.nn.LSTM}'": LSTM,
    (
        "import torch.nn.functional as F\ndef f(q): return F.scaled_dot_product_attention(q).sum()"
    ): ATTENTION,
    (
        "import torch\nF = torch.nn.functional\ndef f(q): return F.scaled_dot_product_attention(q)"
    ): ATTENTION,
    (
        "from torch.nn import functional\ndef f(q):\n"
        "    return [functional.scaled_dot_product_attention(x) for x in q]"
    ): ATTENTION,
}


@pytest.mark.parametrize(("text", "api"), WAYS.items())
def test_an_api_is_found_however_it_is_reached(text: str, api: str) -> None:
    assert api in apis(text)


def test_names_of_the_submission_itself_are_no_api() -> None:
    assert (
        apis(
            "from torch import nn\nclass LSTM: pass\n"
            "class nn: LSTM = 3\ndef f(): return nn.LSTM, LSTM"
        )
        == set()
    )
    assert apis("from torch.nn import LSTM, GRU\nclass LSTM: pass\ndef f(): return LSTM, GRU") == {
        "torch.nn.GRU"
    }
    assert apis("import torch\ndef f(torch): return torch.nn.LSTM") == set()
    assert apis("from torch.nn import *\nclass LSTM: pass\ndef f(): return LSTM, len") == set()


def test_what_is_dropped_uses_nothing() -> None:
    assert apis("import torch\nbaseline = torch.nn.LSTM(3, 4)\ndef f(): return torch.ones(1)") == {
        "torch.ones"
    }


def test_a_use_says_where_it_stands_and_in_which_definition() -> None:
    text = (
        "from torch import nn\nCell = nn.LSTM\n\nclass f:\n"
        "    def g(self):\n        return Cell(3, nn)  # here\n"
    )
    assert module(text).uses == (
        ApiUse(
            api=LSTM, definition="Cell", origin=Origin(file="mha.py", line=2), text="Cell = nn.LSTM"
        ),
        ApiUse(
            api=LSTM,
            definition="f",
            origin=Origin(file="mha.py", line=6),
            text="return Cell(3, nn)  # here",
        ),
        ApiUse(
            api="torch.nn",
            definition="f",
            origin=Origin(file="mha.py", line=6),
            text="return Cell(3, nn)  # here",
        ),
    )


def test_an_entry_depends_on_the_definitions_that_hold_its_uses() -> None:
    text = (
        "from torch import nn\nimport torch\n"
        "if torch.cuda.is_available():\n    def g(): return nn.LSTM\n"
        "else:\n    def g(): return nn.GRU\nclass A: pass\n"
        "A.cell = nn.RNN\ndef f(): return g, A\ndef h(): return 3\n"
    )
    loaded = module(text, "f", "h")
    assert loaded.depends == {"f": ("f", "g", "A"), "h": ("h",)}
    holders = {use.api: use.definition for use in loaded.uses if use.api.startswith("torch.nn.")}
    assert holders == {"torch.nn.LSTM": "g", "torch.nn.GRU": "g", "torch.nn.RNN": "A"}


DEVICES = {
    "def f(x): return x.to('cuda')": "def f(x): return x.to('cpu')",
    'def f(x): return x.to("cuda:1")': 'def f(x): return x.to("cpu")',
    "def f(x): return x.to(r'mps'), x.to('cuda')": "def f(x): return x.to(r'cpu'), x.to('cpu')",
    "def f(질의): return '키', 질의.to('cuda')": "def f(질의): return '키', 질의.to('cpu')",
    "a = 1; f = ['cuda', 'cuda:0']": "f = ['cpu', 'cpu']",
    "'키'; f = 'cuda'": "f = 'cpu'",
}


@pytest.mark.parametrize(("text", "expected"), DEVICES.items())
def test_devices_become_the_cpu(text: str, expected: str) -> None:
    loaded = module(text)
    assert loaded.source == expected + "\n"
    assert note(loaded, "load.device").origin == Origin(file="mha.py", line=1)


def test_a_device_is_noted_once_at_its_first_place() -> None:
    loaded = module("def g(x):\n    return x.cuda()\ndef f(x):\n    return g(x).to('cuda')\n")
    assert "x.cuda()" in loaded.source
    found = note(loaded, "load.device")
    assert found.facts == {"was": ".cuda()", "text": "return x.cuda()", "count": 2}
    assert found.origin == Origin(file="mha.py", line=2)


@pytest.mark.parametrize(
    "text",
    [
        "import torch\nf = torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "import torch\nif torch.cuda.is_available():\n    f = 'cuda'\nelse:\n    f = 'cpu'",
        "def f(x): return x.device.type == 'cuda' or x in ('cuda', 'mps')",
        "def f(x):\n    match x:\n        case 'cuda': return 1",
        "def f(x): return f'cuda:{x}', 'cudax', 'cuda:x', 'mpsx', b'cuda'",
        "def f(x): return 'cu' 'da', '''cuda'''",
    ],
)
def test_what_runs_anywhere_already_stays(text: str) -> None:
    loaded = module(text)
    assert loaded.source == text + "\n"
    assert quiet(loaded)


FLOATS = {
    "import numpy as np\ndef f(x): return np.zeros(3, np.float32)": "np.zeros(3, np.float64)",
    "import numpy\ndef f(x): return numpy.single(x)": "numpy.float64(x)",
    (
        "import numpy as np\ndef f(x): return np.zeros(3, dtype='float32')"
    ): "np.zeros(3, dtype='float64')",
    "def f(x): return x.astype('float32')": "x.astype('float64')",
    (
        "from numpy import float32\ndef f(x): return float32(x)"
    ): "from numpy import float64 as float32",
    (
        "from numpy import float32 as f4, ones\ndef f(x): return f4(x)"
    ): "from numpy import float64 as f4",
    "def f(x):\n    import numpy as np\n    return np.float32(x)": "np.float64(x)",
}


@pytest.mark.parametrize(("text", "expected"), FLOATS.items())
def test_float32_of_numpy_becomes_float64(text: str, expected: str) -> None:
    loaded = module(text)
    assert expected in loaded.source
    assert note(loaded, "load.float32").facts["count"] == 1


@pytest.mark.parametrize("line", ["x.float()", "x.to(torch.float32)", "x.to(dtype=torch.float)"])
def test_float32_of_torch_is_only_noted(line: str) -> None:
    text = f"import torch\ndef f(x):\n    return {line}, torch\n"
    loaded = module(text)
    assert loaded.source == text
    assert note(loaded, "load.float32").origin == Origin(file="mha.py", line=3)


def test_the_builtin_float_and_other_names_are_not_noted() -> None:
    assert quiet(
        module("import torch\ndef f(x): return float(x), x.float32, torch.float64, float('inf')")
    )
