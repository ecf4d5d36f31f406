"""Which of our parameters theirs may hold: by name, and by shape."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from grader.adapters.naming import Definition, best
from grader.types import Case, Outcome, Parameter, RawOutput

ASK = "# ? "
"""Beginning of a comment that leaves a choice."""


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


def propose_parameters(
    said: Proposal,
    own: Definition,
    their: Definition,
    ours: tuple[Parameter, ...],
    output: RawOutput,
    case: Case,
) -> None:
    """What their parameters are made from."""
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
    blocks = _Blocks(shapes, own.blocks(), their.blocks())
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
            found.append((" + ".join(biases), biases[0]))
    return found


def _bare(name: str) -> bool:
    """Whether a parameter is no layer's, so that either orientation is usual."""
    return name.rpartition(".")[2] not in ("weight", "bias")
