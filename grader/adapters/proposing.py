"""An adapter proposed from a file: what is sure as YAML, what is not as a comment that lists the
candidates.

Sure is what names and shapes say and nothing else fits. A gate order is never picked, nor q and k
exchanged, because the numbers fit: a mistake would become a layout.
"""

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.types import Case, Outcome, Parameter, RawOutput, Rubric

Describe = Callable[[str, Mapping[str, Any]], RawOutput]
"""The parameters of one of their classes, built with a config."""

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
ASK = "# ? "


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


@dataclass(slots=True)
class Proposal:
    """Lines of an adapter."""

    lines: list[str] = field(default_factory=list)

    def say(self, depth: int, text: str) -> None:
        """What is sure."""
        self.lines.append("  " * depth + text)

    def ask(self, depth: int, text: str, candidates: Iterable[str] = ()) -> None:
        """What is not, with the candidates."""
        self.lines.append("  " * depth + ASK + text)
        self.lines += ["  " * depth + f"#   {each}" for each in candidates]


def propose(
    rubric: Rubric,
    reference: str,
    theirs: str,
    ours_described: Callable[[Case], tuple[Parameter, ...]],
    describe: Describe,
) -> str:
    """An adapter for a file.

    Args:
        rubric: the assignment's.
        reference: its source.
        theirs: the file's, as one module.
        ours_described: our parameters in a case.
        describe: builds one of their classes and lists its parameters.
    """
    ours = {each.name: each for each in definitions(reference)}
    there = definitions(theirs)
    said = Proposal()
    said.say(0, f"assignment: {rubric.assignment}")
    said.say(0, "entries:")
    for entry in rubric.entries:
        own = ours.get(entry)
        if own is None:
            said.ask(1, f"{entry}: a method; declare it by hand if they have it")
            continue
        fitting = _equivalents(own, there, [ours[e] for e in rubric.entries if e in ours])
        if len(fitting) != 1:
            kind = "class" if own.is_class else "function"
            none = f"{entry}: no {kind} of theirs is named like it"
            many = f"cannot adapt: {len(fitting)} of theirs could be {entry}; declare one"
            said.ask(1, many if fitting else none, [f"{entry}: {name}" for name in fitting])
            continue
        (their,) = (each for each in there if each.name == fitting[0])
        said.say(1, f"{entry}:")
        said.say(2, f"name: {their.name}")
        case = _telling(rubric, entry)
        _call(said, own, their)
        _returns(said, case, their)
        if own.is_class:
            config = _init(said, own, their, case)
            if config is not None:
                _params(said, own, their, ours_described(case), describe(their.name, config), case)
    return "\n".join(said.lines) + "\n"


def _equivalents(
    own: Definition, there: Sequence[Definition], every: Sequence[Definition]
) -> list[str]:
    """Those of theirs that are most like an entry, and like no other entry more."""
    same_kind = [each.name for each in there if each.is_class == own.is_class]
    exact = [name for name in same_kind if name.lower() == own.name.lower()]
    if exact:
        return exact
    rivals = [each.name for each in every if each.is_class == own.is_class]
    fitting = best(own.name, same_kind, least=3)
    return [name for name in fitting if own.name in best(name, rivals)[:1]]


def _telling(rubric: Rubric, entry: str) -> Case:
    """The case of an entry with the plainest config, and sizes that tell what is what."""
    cases = [case for case in rubric.cases if case.entry == entry]

    def plain(case: Case) -> tuple[int, int, int]:
        sizes = [v for v in case.config.values() if type(v) is int]
        return -len(case.config), len(set(sizes)), max(sizes, default=0)

    return max(cases, key=plain)


def _call(said: Proposal, own: Definition, their: Definition) -> None:
    ours = [name for name, _ in own.arguments("forward")]
    theirs = their.arguments("forward")
    if [name for name, _ in theirs] == ours:
        return
    found: dict[str, str] = {}
    unsure: dict[str, list[str]] = {}
    for name, needed in theirs:
        fitting = best(name, [each for each in ours if each not in found.values()])
        if name in ours or len(fitting) == 1:
            found[name] = name if name in ours else fitting[0]
        elif needed:
            unsure[name] = fitting or [each for each in ours if each not in found.values()]
    if found:
        said.say(2, "call: {" + ", ".join(f"{name}: {own}" for name, own in found.items()) + "}")
    for name, fitting in unsure.items():
        said.ask(
            2,
            f"cannot adapt: which argument of ours is {name}? Declare it in `call`",
            [f"{name}: {each}" for each in fitting],
        )
    left = [name for name in ours if name not in found.values()]
    if left and not unsure:
        said.ask(
            2,
            f"nothing of theirs takes {', '.join(left)}: list the cases that give it in "
            "`skip`, or say in `includes.before` what stands in for it",
        )
    for name, ours_name in [*found.items(), *((each, each) for each in ours)]:
        if "mask" in tokens(name):
            said.ask(
                2,
                f"how is {name} written, and in which shape? Declare `masks` (and `axes`)",
                [
                    f"masks: {{{ours_name}: {way}}}"
                    for way in ("True keeps", "True ignores", "1 keeps", "0 keeps", "additive")
                ],
            )
            break


def _returns(said: Proposal, case: Case, their: Definition) -> None:
    ours, values = list(case.returns), their.returned()
    if len(values) == 1 and isinstance(values[0], ast.Dict):
        keys = [str(k.value) for k in values[0].keys if isinstance(k, ast.Constant)]
        places = {name: fitting for name in ours if (fitting := best(name, keys, 1) or keys)}
        sure = {n: f[0] for n, f in places.items() if len(f) == 1}
        if sure:
            said.say(2, "returns: {" + ", ".join(f"{n}: {k}" for n, k in sure.items()) + "}")
        for name, fitting in places.items():
            if len(fitting) > 1:
                said.ask(2, f"where is {name}? Declare `returns.{name}`", fitting)
    elif len(values) == 1 and len(ours) > 1:
        written = ast.unparse(values[0])
        said.ask(
            2,
            f"it returns one value, {written}, where ours are {', '.join(ours)}; if it is "
            "the first alone:",
            [f'returns: {{{ours[0]}: ""}}'],
        )
    elif len(values) != len(ours) and values:
        said.ask(
            2,
            f"it returns {len(values)} values, ours are {', '.join(ours)}; declare `returns`",
            [f"{n}: {ast.unparse(each)}" for n, each in enumerate(values)],
        )


def _init(said: Proposal, own: Definition, their: Definition, case: Case) -> dict[str, Any] | None:
    """What their constructor gets in a case; None where it can't be told."""
    ours = [name for name, _ in own.arguments("__init__") if name in case.config]
    theirs = their.arguments("__init__")
    needs = {name for name, needed in theirs if needed}
    if needs <= set(ours) <= {name for name, _ in theirs}:
        return dict(case.config)
    found: dict[str, str] = {}
    for name, needed in theirs:
        left = [each for each in ours if each not in found.values()]
        fitting = [name] if name in left else best(name, left)
        if len(fitting) == 1:
            found[name] = fitting[0]
        elif needed:
            said.ask(
                2,
                f"cannot adapt: what of ours is the constructor's {name}? Declare `init`",
                [f"{name}: {each}" for each in fitting or left],
            )
            return None
    if not theirs:
        said.ask(
            2,
            "the constructor takes nothing: are sizes globals? Declare `globals`",
            [f"globals: {{{name}: {name}}}" for name in ours],
        )
        return None
    given = {name: each for name, each in found.items() if each in case.config}
    said.say(2, "init: {" + ", ".join(f"{name}: {each}" for name, each in given.items()) + "}")
    return {name: case.config[each] for name, each in given.items()}


# -- parameters --------------------------------------------------------------------------------


def _params(
    said: Proposal,
    own: Definition,
    their: Definition,
    ours: tuple[Parameter, ...],
    output: RawOutput,
    case: Case,
) -> None:
    if output.outcome is not Outcome.OK:
        error = output.error
        reason = f"{error.type}: {error.message}" if error else str(output.facts.get("message", ""))
        said.ask(2, f"cannot build it with the sizes of case {case.id}: {reason}"[:200])
        return
    shapes = _units(ours, ())
    theirs = _units(
        output.parameters, [s for n, s in shapes.items() if f"{n}.weight" in _all(ours)]
    )
    if theirs == shapes:
        return
    blocks = _Blocks(shapes, _block_names(own), _block_names(their))
    sure: dict[str, str] = {}
    unsure: dict[str, list[str]] = {}
    for name, shape in theirs.items():
        layer = name not in _all(output.parameters)
        among = shapes if layer else {each.name: each.shape for each in ours if not each.same_as}
        fitting = _fitting(name, shape, among, blocks.count, turned=not layer)
        named = [text for text, source in fitting if source in best(name, among)]
        chosen = [text for text, _ in fitting]
        chosen = named or chosen if len(chosen) > 1 else chosen
        if len(chosen) == 1 and not blocks.stacks(chosen[0]):
            sure[name] = chosen[0]
        else:
            unsure[name] = [blocks.ordered(text) for text in chosen]
    # Two of theirs that want one of ours are both unsure.
    twice = {text for text in sure.values() if list(sure.values()).count(text) > 1}
    unsure |= {name: [text] for name, text in sure.items() if text in twice}
    sure = {name: text for name, text in sure.items() if text not in twice}
    if blocks.count:
        names = " ".join(blocks.ours)
        if names:
            said.say(2, f"blocks: {names}")
        said.ask(2, "shapes do not show the order of gates: put theirs where it says [? ...]")
    if sure:
        said.say(2, "params:")
        for name, text in sure.items():
            said.say(3, f"{name}: {text}")
    elif unsure:
        said.say(2, "params:")
    for name, texts in unsure.items():
        reason = f"cannot adapt: {_ambiguous(name, theirs[name], texts)}"
        lines = [f"{name}: {each}" for each in texts]
        said.ask(3, f"{reason}; declare `params.{name}`", lines)
    held = " ".join([*sure.values(), *(text for each in unsure.values() for text in each)])
    if left := [name for name in shapes if name not in held]:
        said.ask(
            2,
            "nothing of theirs holds these: the reference gets zeros there if so",
            [f"absent: [{', '.join(left)}]"],
        )


@dataclass(slots=True)
class _Blocks:
    """The row blocks of our parameters, as gates are, and what both sides call them."""

    shapes: Mapping[str, tuple[int, ...]]
    ours: list[str]
    theirs: list[str]

    @property
    def count(self) -> int:
        """How many there are; 0 where no parameter stacks square ones."""
        counts = [
            shape[0] // shape[1]
            for shape in self.shapes.values()
            if len(shape) == 2 and shape[1] and not shape[0] % shape[1]
        ]
        return next((count for count in counts if count in (3, 4)), 0)

    def stacks(self, text: str) -> bool:
        """Whether a value is made from what stacks them."""
        return bool(self.count) and any(name in text for name in self.shapes)

    def ordered(self, text: str) -> str:
        """A value with a place for the order; filled in where their code names it."""
        if not self.stacks(text) or "[?]" in text:
            return text
        known = sorted(self.theirs) == sorted(self.ours) and self.ours
        order = " ".join(self.theirs if known else ["?"] * self.count)
        names = "|".join(map(re.escape, self.shapes))
        turned = re.sub(rf"({names})(\.T)?", rf"\1[{order}]\2", text)
        parts = turned if turned.startswith(("{", "[")) else f'"{turned}"'
        said = "  (by the names in their code)" if known else ""
        return parts + said


def _all(parameters: Sequence[Parameter]) -> set[str]:
    return {each.name for each in parameters}


def _units(
    parameters: Sequence[Parameter], known: Sequence[tuple[int, ...]]
) -> dict[str, tuple[int, ...]]:
    """Shapes by name; a layer of a weight and its bias is one, by the layer's name.

    Args:
        parameters: the parameters.
        known: shapes of the other side's layers; without one of that shape, or three times its
            rows, a layer is taken apart. All are taken whole where there is none to compare with.
    """
    rows = {(times * shape[0], *shape[1:]) for shape in known for times in (1, 3)}
    shapes = {each.name: each.shape for each in parameters if not each.same_as}
    layers = {name.rpartition(".")[0] for name in shapes if "." in name}
    whole = {
        layer: shapes[f"{layer}.weight"]
        for layer in layers
        if {n for n in shapes if n.startswith(f"{layer}.")} == {f"{layer}.weight", f"{layer}.bias"}
        and shapes[f"{layer}.bias"] == shapes[f"{layer}.weight"][:1]
        and (known == () or shapes[f"{layer}.weight"] in rows)
    }
    found: dict[str, tuple[int, ...]] = {}
    for name, shape in shapes.items():
        layer = name.rpartition(".")[0]
        found[layer if layer in whole else name] = whole.get(layer, shape)
    return found


def _ambiguous(name: str, shape: Sequence[int], fitting: Sequence[str]) -> str:
    if not fitting:
        return f"nothing of ours has the shape {tuple(shape)} of {name}"
    return f"{name} of shape {tuple(shape)} could be {' or '.join(fitting)}"


def _fitting(
    name: str,
    shape: tuple[int, ...],
    ours: Mapping[str, tuple[int, ...]],
    stacked: int,
    *,
    turned: bool,
) -> list[tuple[str, str]]:
    """What of ours has such a shape, each with the parameter that its name is compared with."""
    found: list[tuple[str, str]] = []
    for own, own_shape in ours.items():
        if shape == own_shape:
            found.append((own, own))
        other_way = shape == own_shape[::-1] and len(shape) == 2 and turned
        if other_way and (shape != own_shape or _bare(name)):
            found.append((f"{own}.T", own))
    fused = [n for n, s in ours.items() if (3 * s[0], *s[1:]) == shape]
    if len(shape) in (1, 2) and len(fused) >= 3:
        q, k, v = fused[:3]
        axes = " e" if len(shape) == 2 else ""
        found += [
            (f"[{q}, {k}, {v}]", name),
            (f'{{of: [{q}, {k}, {v}], axes: "s (n_heads d){axes} -> (n_heads s d){axes}"}}', name),
        ]
    if stacked and len(shape) == 2:
        pairs = [
            (one, two)
            for one, s in ours.items()
            for two, t in ours.items()
            if one != two and len(s) == len(t) == 2 and s[0] == t[0]
        ]
        for one, two in pairs:
            rows, columns = ours[one][0], ours[one][1] + ours[two][1]
            if shape == (rows, columns):
                found.append((f"{{columns: [{one}, {two}]}}", name))
            elif shape == (columns, rows):
                found.append((f"[{one}.T, {two}.T]", name))
            elif shape == (rows // stacked, columns):
                found.append((f'{{columns: ["{one}[?]", "{two}[?]"]}}', name))
    if stacked and len(shape) == 1:
        biases = [own for own, own_shape in ours.items() if own_shape == shape]
        if len(biases) == 2:
            found.append((" + ".join(biases), name))
    return found


def _bare(name: str) -> bool:
    """Whether a parameter is no layer's, so that either orientation is usual."""
    return name.rpartition(".")[2] not in ("weight", "bias")


def _block_names(own: Definition) -> list[str]:
    """Names that the reference gives to the blocks it cuts its rows into."""
    for node in ast.walk(own.node):
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
