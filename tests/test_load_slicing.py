"""What is kept, what is dropped, and where it stands afterwards."""

import json
import sys

import pytest

from grader.load import load
from grader.types import Loaded, Note, Origin, Submission, SubmittedFile


def module(text: str, *entries: str, everything: bool = False, **others: str) -> Loaded:
    files = {"mha.py": text} | {f"{name}.py": other for name, other in others.items()}
    return handed_in(files, entries, everything)


def notebook(cells: list[str], *entries: str, everything: bool = False) -> Loaded:
    book = {"cells": [{"cell_type": "code", "source": cell} for cell in cells]}
    return handed_in({"mha.ipynb": json.dumps(book)}, entries, everything)


def handed_in(files: dict[str, str], entries: tuple[str, ...], everything: bool) -> Loaded:
    submitted = tuple(SubmittedFile(name=k, content=v.encode()) for k, v in files.items())
    submission = Submission(student="kim", assignment="mha", path="in/kim", files=submitted)
    return load(submission, entries or ("f",), everything=everything)


def kept(loaded: Loaded) -> list[str]:
    return [line for line in loaded.source.split("\n") if line]


def run(loaded: Loaded) -> dict[str, object]:
    names: dict[str, object] = {"__name__": "loaded"}
    exec(compile(loaded.source, "loaded", "exec"), names)
    return names


def notes(loaded: Loaded, code: str) -> list[Note]:
    return [note for note in loaded.notes if note.code == code]


REAL = [
    "!pip install -q torch wandb\n%matplotlib inline",
    (
        "import math, wandb\nimport torch\n"
        "from torch import nn, optim\nimport matplotlib.pyplot as plt"
    ),
    "torch.manual_seed(0)\ntorch.set_default_dtype(torch.float32)\n"
    "device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
    "!wget https://example.org/data.zip\nimport urllib.request\n"
    "urllib.request.urlretrieve('https://example.org', 'x')",
    "d_model, n_heads = 64, 4\nhidden = d_model * 2\nepochs = 10",
    "class Head(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.w = nn.Linear(d_model, hidden)\n    def forward(self, x):\n"
    "        print(x.shape)\n        return helper(self.w(x)).to(device)",
    "class Net(Head):\n    pass\n\nmodel = Net()\nprint(model)",
    "def helper(x):\n    return x / math.sqrt(n_heads)",
    "for epoch in range(epochs):\n    loss = model(torch.ones(1)).sum()\n    loss.backward()",
    "plt.plot([1, 2])\nplt.show()",
    "if __name__ == '__main__':\n    main()",
    "x = (oops",
]


def test_a_real_notebook_keeps_definitions_and_hyper_parameters_and_drops_the_rest() -> None:
    loaded = notebook(REAL, "Net")
    assert kept(loaded)[:7] == [
        "import math",
        "import torch",
        "from torch import nn",
        "device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "d_model, n_heads = 64, 4",
        "hidden = d_model * 2",
        "class Head(nn.Module):",
    ]
    text = loaded.source
    for word in ("wandb", "optim", "plt", "seed", "dtype", "urllib", "epochs", "model =", "main"):
        assert word not in text
    assert loaded.depends == {
        "Net": ("Net", "device", "d_model", "n_heads", "hidden", "Head", "helper")
    }
    (dropped,) = notes(loaded, "load.dropped")
    assert set(dropped.facts["kinds"]) == {"magics", "calls", "loops", "assignments", "main_guards"}
    assert dropped.facts["count"] == 3 + 2 + 1 + 1 + 2 + 1 + 2 + 1
    assert not notes(loaded, "load.missing_module")
    assert "Net" in loaded.names
    assert "model" in loaded.names


def test_every_kept_line_says_where_it_came_from() -> None:
    loaded = notebook(REAL, "Net")
    assert len(loaded.origins) == loaded.source.count("\n")
    for line, origin in zip(loaded.source.split("\n"), loaded.origins, strict=False):
        assert origin.cell is not None
        if line and not line.startswith(("import math", "from torch")):
            assert REAL[origin.cell - 1].split("\n")[origin.line - 1] == line


def test_a_module_keeps_its_line_numbers() -> None:
    text = "import os\n\nprint(1)\n\n\ndef f():\n    return (\n        1\n    )\nf()\n"
    loaded = module(text)
    assert loaded.source.split("\n")[5] == "def f():"
    assert loaded.origins[5] == Origin(file="mha.py", line=6)
    assert kept(loaded) == ["def f():", "    return (", "        1", "    )"]


def test_of_a_name_defined_twice_the_last_definition_wins() -> None:
    loaded = notebook(["def f(): return 1", "def f(): return 2"])
    assert kept(loaded) == ["def f(): return 2"]


def test_an_earlier_definition_stays_where_something_needs_it_as_it_runs() -> None:
    loaded = module("def g(): return 1\nx = g()\ndef g(): return 2\ndef f(): return x, g()\n")
    assert kept(loaded) == loaded.source.strip().split("\n")
    assert run(loaded)["f"]() == (1, 2)  # type: ignore[operator]


def test_what_a_name_calls_stays_where_a_change_of_that_name_calls_it() -> None:
    text = "c = 2\ndef b(): return c\nif b() > 4:\n    a = 0\nelse:\n    b = 2\nc = 0\n"
    assert run(module(text, "b"))["b"] == 2


def test_a_subclass_does_not_revive_what_its_base_no_longer_calls() -> None:
    text = (
        "def g(): return 1\nclass A:\n    def h(self): return g()\n"
        "class f(A): pass\ndef g(): return 2\n"
    )
    assert "return 1" not in module(text).source


def test_functions_see_the_last_value_of_a_global_and_defaults_the_first() -> None:
    loaded = module("k = 1\ndef f(a=k): return a, k\nk = 2\n")
    assert run(loaded)["f"]() == (1, 2)  # type: ignore[operator]
    assert kept(module("k = 1\ndef f(a): return a, k\nk = 2\n"))[0] == "def f(a): return a, k"


CHANGES = {
    "an attribute": "class A: pass\nA.size = 3\nf = lambda: A.size\n",
    "an item": "t = {}\nt['a'] = 3\nf = lambda: t['a']\n",
    "an augmented assignment": "t = 1\nt += 2\nf = lambda: t\n",
    "a method": "t = []\nt.append(3)\nf = lambda: t[0]\n",
    "a loop": "t = []\nfor i in range(4):\n    t.append(i)\nf = lambda: t[3]\n",
    "a with block": (
        "import contextlib\nwith contextlib.suppress(KeyError):\n    t = 3\nf = lambda: t\n"
    ),
    "a deleted item": "t = [1, 3]\ndel t[0]\nf = lambda: t[0]\n",
    "setattr": "class A: pass\nsetattr(A, 'size', 3)\nf = lambda: A.size\n",
    "a call in a class body": "k = 3\nclass A:\n    n = (lambda: k)()\nk = 4\nf = lambda: A.n\n",
    "a decorator": "def add(c):\n    return lambda g: setattr(c, g.__name__, g)\nclass A: pass\n"
    "@add(A)\ndef size(self): return 3\nf = lambda: A().size()\n",
    "a call that sets a global": "def init():\n    global t\n    t = 3\ninit()\nf = lambda: t\n",
    "a tuple target": "class A: pass\nA.size, b = 3, 4\nf = lambda: A.size\n",
    "a star target": "a, *t = 1, 3\nf = lambda: t[0]\n",
    "a walrus": "(t := 3)\nf = lambda: t\n",
    "a walrus in a comprehension": "s = [t := i for i in range(4)]\nf = lambda: t\n",
    "an annotated assignment": "t: int = 3\nf = lambda: t\n",
    "a chain": "t = u = 3\nf = lambda: t\n",
    "match": "match (3, 4):\n    case (t, _):\n        pass\nf = lambda: t\n",
    "a conditional definition": "import sys\nif sys.maxsize > 9:\n    def t(): return 3\n"
    "else:\n    def t(): return 4\nf = lambda: t()\n",
    "try": "try:\n    import no_such_module\nexcept ImportError:\n    no_such_module = 3\n"
    "f = lambda: no_such_module\n",
    "while": "t = 0\nwhile t < 3:\n    t += 1\nf = lambda: t\n",
    "a class body": "k = 3\nclass A:\n    k = k\n    l = [k for _ in (1,)]\nf = lambda: A.l[0]\n",
    "a comprehension": "n = 4\nx = 9\nt = [x for x in range(n)]\nf = lambda: t[3]\n",
    "a key function": (
        "w = {1: 2, 3: 1}\nt = sorted(w, key=lambda x: w[x])\nw = 7\nf = lambda: t[0]\n"
    ),
    "a dataclass": "from dataclasses import dataclass, field\n"
    "@dataclass\nclass C:\n    n: int = field(default=3)\n"
    "f = lambda: C().n\n",
    "a shared line": "a = 1; t = 3; print(a); u = 4\nf = lambda: t\n",
    "a line after a bracket": "a = [1,\n2]; t = 3\nf = lambda: t\n",
    "text that is not ASCII": "s = '질의'; t = '키'; u = 3\nf = lambda: u if t == '키' else 0\n",
    "an alias of an alias": "import math\nm = math\nroot = m.sqrt\nf = lambda: int(root(9))\n",
    "a decorator on its own line": "def d(g): return lambda: 3\n@(\n    d\n)\ndef f(): return 4\n",
}


@pytest.mark.parametrize("text", CHANGES.values(), ids=CHANGES.keys())
def test_what_changes_a_needed_name_is_kept(text: str) -> None:
    loaded = module("print('before')\n" + text + "print(f())\n")
    assert "print('before')" not in loaded.source
    assert run(loaded)["f"]() == 3  # type: ignore[operator]


def test_changes_of_names_that_nothing_needs_are_dropped() -> None:
    text = (
        "import torch\nh = []\nh.append(1)\nh[0] = 2\ntorch.manual_seed(0)\ndef f(): return torch\n"
    )
    assert kept(module(text)) == ["import torch", "def f(): return torch"]


def test_calls_on_imported_modules_classes_and_functions_are_no_changes() -> None:
    text = "import torch\nclass f(torch.nn.Module): pass\ntorch.set_default_dtype(1)\nf.train(3)\n"
    assert kept(module(text)) == ["import torch", "class f(torch.nn.Module): pass"]


def test_local_names_are_not_taken_for_globals() -> None:
    text = "x = print('x')\ny = print('y')\ndef f(x):\n    y = 1\n    return [y for y in (x,)]\n"
    assert kept(module(text))[0] == "def f(x):"


def test_inheritance_reaches_over_cells() -> None:
    loaded = notebook(
        [
            "class A:\n    n = 3",
            "class B(A):\n    def g(self): return super().n",
            "class f(B): pass",
        ]
    )
    assert loaded.depends["f"] == ("f", "A", "B")


def test_a_main_guard_is_dropped_even_where_it_defines_a_name() -> None:
    text = "if '__main__' == __name__:\n    k = 3\ndef f(): return k\n"
    loaded = module(text)
    assert kept(loaded) == ["def f(): return k"]
    assert "k" in loaded.names


def test_imports_are_split() -> None:
    text = (
        "import os, math as m, json\nfrom math import (sin,\n"
        "    cos as c,\n    tan)\ndef f(): return m.pi + c(0)\n"
    )
    loaded = module(text)
    assert kept(loaded) == [
        "import math as m",
        "from math import cos as c",
        "def f(): return m.pi + c(0)",
    ]
    assert loaded.source.split("\n")[4] == "def f(): return m.pi + c(0)"


def test_submodules_of_one_package_are_all_kept() -> None:
    text = "import os\nimport xml.dom\nimport xml.sax\ndef f(): return xml.dom, xml.sax\n"
    assert kept(module(text))[:2] == ["import xml.dom", "import xml.sax"]


def test_future_imports_go_to_the_top() -> None:
    loaded = notebook(
        ["import math", "from __future__ import annotations", "def f(x: Undefined): return 3"]
    )
    assert kept(loaded)[0] == "from __future__ import annotations"
    assert loaded.origins[0] == Origin(file="mha.ipynb", line=1, cell=2)
    assert run(loaded)["f"](1) == 3  # type: ignore[operator]
    assert len(loaded.origins) == loaded.source.count("\n")


def test_an_unknown_future_drops_alone() -> None:
    loaded = notebook(["from __future__ import braces", "def f(): return 3"])
    assert run(loaded)["f"]() == 3  # type: ignore[operator]
    assert notes(loaded, "load.cell_syntax")[0].facts["line"] == 1


def test_type_checking_blocks_are_harmless() -> None:
    text = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from numpy import ndarray\n"
        "def f(x: 'ndarray') -> int: return 3\n"
    )
    assert run(module(text))["f"](1) == 3  # type: ignore[operator]
    with_future = "from __future__ import annotations\n" + text.replace("'", "")
    assert run(module(with_future))["f"](1) == 3  # type: ignore[operator]


def test_type_aliases_are_kept() -> None:
    text = "from typing import Union\nState = Union[int, str]\ndef f(x: State): return 3\n"
    assert "State = " in module(text).source


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the type statement is new in Python 3.12")
def test_type_statements_are_kept() -> None:
    assert "type State" in module("type State = int | str\ndef f(x: State): return 3\n").source


def test_star_imports_stay_where_their_module_is_installed() -> None:
    loaded = module("from math import *\nfrom no_such_module import *\ndef f(): return sqrt(9)\n")
    assert kept(loaded)[:1] == ["from math import *"]
    assert run(loaded)["f"]() == 3  # type: ignore[operator]
    (note,) = notes(loaded, "load.missing_module")
    assert note.facts == {"module": "no_such_module", "entries": ["f"]}
    assert not notes(
        module("from no_such_module import *\ndef f(): return 3\n"), "load.missing_module"
    )


def test_a_needed_import_that_is_not_installed_stays_with_a_note() -> None:
    text = (
        "import math\nimport no_such_module.part as n, other_missing\n"
        "def f(): return n\ndef g(): return 3\n"
    )
    loaded = module(text, "f", "g")
    assert "import no_such_module.part as n\n" in loaded.source
    (note,) = notes(loaded, "load.missing_module")
    assert note.facts == {"module": "no_such_module.part", "entries": ["f"]}
    assert note.origin == Origin(file="mha.py", line=2)


def test_other_files_of_the_submission_come_along() -> None:
    loaded = module(
        "from helper import g\nimport unused\ndef f(): return g()\n",
        helper="import deeper\nprint('kept as it is')\ndef g(): return deeper.h\n",
        deeper="def late():\n    import mutual\n",
        mutual="import deeper\n(",
        unused="",
    )
    assert list(loaded.modules) == ["deeper", "helper", "mutual"]
    assert loaded.modules["helper"].startswith("import deeper\nprint")
    assert not notes(loaded, "load.missing_module")


def test_imports_inside_functions_are_left_alone_and_followed() -> None:
    text = "def f():\n    import torch.nn as nn, helper\n    return nn\n"
    loaded = module(text, helper="x = 1")
    assert kept(loaded) == text.strip().split("\n")
    assert list(loaded.modules) == ["helper"]


def test_a_file_that_hides_behind_an_installed_module_is_noted() -> None:
    loaded = module("import random\ndef f(): return random\n", random="x = 1")
    assert loaded.modules == {}
    assert notes(loaded, "load.shadowed_module")[0].facts == {
        "module": "random",
        "file": "random.py",
    }


def test_an_entry_from_another_file_of_the_submission_is_known() -> None:
    loaded = module("from part import f\nfrom math import pi\n", part="def f(): pass")
    assert loaded.names == ("f",)
    assert loaded.depends == {"f": ("f",)}
    assert list(loaded.modules) == ["part"]


def test_a_wanted_name_that_is_not_defined_is_no_error() -> None:
    loaded = module("def F(): pass\n")
    assert loaded.depends == {"f": ()}
    assert loaded.names == ("F",)
    assert kept(loaded) == []


def test_everything_keeps_all_but_magics_and_main_guards() -> None:
    cells = [
        "%cd x\nimport os, math",
        "print(3)\nif __name__ == '__main__': f()",
        "def f(): pass",
        "a = (",
        "f()",
    ]
    loaded = notebook(cells, everything=True)
    assert kept(loaded) == ["import os, math", "print(3)", "def f(): pass", "f()"]
    assert notes(loaded, "load.dropped")[0].facts == {
        "count": 2,
        "kinds": ["magics", "main_guards"],
    }


def test_everything_drops_what_does_not_compile() -> None:
    loaded = module("def g(a, a): pass\ndef f(): pass\n", everything=True)
    assert kept(loaded) == ["def f(): pass"]
    assert len(notes(loaded, "load.cell_syntax")) == 1


def test_loading_twice_gives_the_same() -> None:
    assert notebook(REAL, "Net", "helper") == notebook(REAL, "Net", "helper")


def test_code_too_tangled_to_slice_is_kept_whole() -> None:
    chain = "".join(f"def g{i}(): g{i + 1}()\n" for i in range(1500))
    calls = "".join(f"x{i} = g0()\n" for i in range(900))
    text = f"{chain}{calls}def f(): return {', '.join(f'x{i}' for i in range(900))}\n"
    assert len(kept(module(text))) == 2401
