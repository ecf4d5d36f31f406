"""What names have in common, and the definitions of a file, as they are written."""

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass

MEANINGS: tuple[frozenset[str], ...] = tuple(
    frozenset(words.split())
    for words in (
        "q query queries wq toqueries",
        "k key keys wk tokeys",
        "v value values wv tovalues",
        "o out output proj concat wo unifyheads fc",
        "heads head h nhead nheads",
        "model embed emb embedding embd dim d width",
        "input inputs in inp x ih",
        "hidden hid h state hh",
        "layers layer nlayers n",
        "cell c memory",
        "mask",
        "source src",
        "target tgt trg",
        "vocabulary vocab",
        "ff ffn pf inner",
        "norm layernorm ln",
        "dropout drop p",
        "attention attn att weights scores",
        "bias b",
        "weight w kernel",
    )
)
"""Words that stand for one thing in the field's names."""
FILLING = frozenset(
    ("size", "num", "n", "dim", "self", "linear", "lin", "layer", "w", "fc", "proj", "number")
)


def tokens(name: str) -> list[str]:
    """The words of a name: "toQueries_2" -> to, queries, 2."""
    parts = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return [word.lower() for word in re.split(r"[\W_]+|(?<=\D)(?=\d)", parts) if word]


def alike(one: str, other: str) -> int:
    """How many things two names have in common."""
    left, right = set(tokens(one)), set(tokens(other))
    same = len((left & right) - FILLING) * 3 + len(left & right & FILLING)
    for meaning in MEANINGS:
        if left & meaning and right & meaning and not left & right & meaning:
            same += 2
    return same


def best(name: str, among: Iterable[str], least: int = 2) -> list[str]:
    """Of some names those that are most like one: several where it can't be told."""
    scored = {other: alike(name, other) for other in among}
    most = max(scored.values(), default=0)
    return [other for other, score in scored.items() if score == most and most >= least]


@dataclass(slots=True)
class Definition:
    """A class or function of their file, as it is written."""

    name: str
    node: ast.ClassDef | ast.FunctionDef

    @property
    def is_class(self) -> bool:
        """Whether it is a class."""
        return isinstance(self.node, ast.ClassDef)

    def arguments(self, method: str = "") -> list[tuple[str, bool]]:
        """Names of arguments, each with whether it has to be given."""
        function = self._method(method)
        if function is None:
            return []
        every = function.args.args
        needed = len(every) - len(function.args.defaults)
        found = [(each.arg, index < needed) for index, each in enumerate(every)]
        return found[1:] if self.is_class else found

    def returned(self) -> list[ast.expr]:
        """What it gives back, one expression for each value; a dict as it is."""
        function = self._method("forward")
        if function is None:
            return []
        returns = [n for n in ast.walk(function) if isinstance(n, ast.Return) and n.value]
        value = returns[-1].value if returns else None
        if value is None:
            return []
        return list(value.elts) if isinstance(value, ast.Tuple) else [value]

    def blocks(self) -> list[str]:
        """Names of the blocks that its code cuts rows into, such as gates."""
        for node in ast.walk(self.node):
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Tuple)
                and isinstance(node.value, ast.Call)
                and isinstance(node.value.func, ast.Attribute)
                and node.value.func.attr in ("chunk", "split")
            ):
                names = [each.id for each in node.targets[0].elts if isinstance(each, ast.Name)]
                return [name.rpartition("_")[2] for name in names]
        return []

    def _method(self, name: str) -> ast.FunctionDef | None:
        if isinstance(self.node, ast.FunctionDef):
            return self.node
        methods = (n for n in self.node.body if isinstance(n, ast.FunctionDef))
        return next((each for each in methods if each.name == name), None)


def definitions(source: str) -> list[Definition]:
    """The classes and functions of a file."""
    return [
        Definition(node.name, node)
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
    ]
