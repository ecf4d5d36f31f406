"""An adapter proposed from a file: what is sure as YAML, what is not as a comment that lists the
candidates.

Sure is what names and shapes say and nothing else fits. A gate order is never picked, nor q and k
exchanged, because the numbers fit: a mistake would become a layout.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from grader.adapters.matching import Proposal, propose_parameters
from grader.adapters.naming import Definition, best, definitions, tokens
from grader.types import Case, Parameter, RawOutput, Rubric

Describe = Callable[[str, Mapping[str, Any]], RawOutput]
"""The parameters of one of their classes, built with a config."""


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
                propose_parameters(
                    said, own, their, ours_described(case), describe(their.name, config), case
                )
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
