"""One question on its way to their code, and what came back on its way to the checks.

Checks, diagnoses and fingerprints never meet a name or a layout of theirs.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.adapters.axes import Unfit
from grader.adapters.calls import Crossing, Sent
from grader.adapters.entries import Fitted, steps
from grader.errors import CourseError
from grader.types import Build, Call, Facts, Leaf, Outcome, Parameter, RawOutput, Setting, Trial

MADE = "d."
"""Beginning of the name of a gradient that a backward pass written by hand gives: what came back
under it is theirs, and may be of any shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One question, and what is asked of them in its place."""

    fitted: Fitted
    """The entry."""
    ours: Trial
    """The question."""
    theirs: tuple[Trial, ...]
    """What is asked of them: a question for each item where they take one item at a time."""
    crossings: tuple[Crossing, ...]
    """Its calls."""
    sent: tuple[Sent, ...]
    """The arguments of each call, of the first item."""


def passage(
    ours: Trial, fitted: Fitted, names: Mapping[str, str], others: Mapping[str, Fitted]
) -> Passage:
    """A question as it is asked of them.

    Args:
        ours: the question.
        fitted: its entry.
        names: theirs for each of our entries.
        others: every entry, for arguments that are instances of one.

    Raises:
        Unfit: theirs can't express it.
        CourseError: the adapter makes no sense.
    """
    config, form = fitted.init(ours.config)
    weights = None
    if ours.weights is not None:
        weights = fitted.weights(ours.weights, ours.config)
    if ours.probe == "describe":
        asked = replace(ours, entry=names[ours.entry], config=config, form=form)
        return Passage(fitted=fitted, ours=ours, theirs=(asked,), crossings=(), sent=())
    if fitted.says.buffers:
        form = {**form, "buffers": list(fitted.says.buffers)}
    if (picks := fitted.picks()) is not None:
        form = {**form, "returns": picks}
    built = [_built(call, names, others) for call in ours.calls]
    settled = fitted.config(ours.config)
    crossings = tuple(Crossing(fitted.form, call, settled, weights or {}) for call in built)
    items = max(crossing.items for crossing in crossings)
    numpy = (fitted.says.arrays or ours.arrays) == "numpy"
    trials: list[Trial] = []
    firsts: tuple[Sent, ...] = ()
    for item in range(items):
        # A call of fewer items than another of the same question takes its last one again.
        sent = tuple(crossing.sent(min(item, crossing.items - 1)) for crossing in crossings)
        firsts = firsts or sent
        told = {**form, "positional": sent[0].positional}
        cotangents = tuple(
            crossings[0].upstream(name, each, item)
            for name, each in zip(_float_outputs(fitted, ours), ours.cotangents, strict=False)
        )
        if ours.probe == "gradients" and numpy:
            told["backward"] = backward(fitted, sent[0])
        trials.append(
            replace(
                ours,
                entry=names[ours.entry],
                config=config,
                weights=None if fitted.by_call else weights,
                arrays="numpy" if numpy else "torch",
                calls=tuple(Call(args=each.args) for each in sent),
                cotangents=cotangents,
                form=told,
            )
        )
    return Passage(fitted=fitted, ours=ours, theirs=tuple(trials), crossings=crossings, sent=firsts)


def _built(call: Call, names: Mapping[str, str], others: Mapping[str, Fitted]) -> Call:
    """The call with instances of their classes among its arguments."""
    args = {
        name: others[value.name].build(value, names[value.name])
        if isinstance(value, Build) and value.name in others
        else value
        for name, value in call.args.items()
    }
    return replace(call, args=args)


def _float_outputs(fitted: Fitted, ours: Trial) -> tuple[str, ...]:
    """Names of the outputs that cotangents go with: all, since a mixture has none of another."""
    if ours.cotangents and len(ours.cotangents) != len(fitted.outputs):
        return tuple(f"#{index}" for index in range(len(ours.cotangents)))
    return fitted.outputs


def backward(fitted: Fitted, sent: Sent) -> Facts:
    """How a backward pass written by hand is called, as the worker is told it.

    Raises:
        Unfit: the adapter names none.
        CourseError: it makes no sense.
    """
    told, where = fitted.says.backward, f"{fitted.where}.backward"
    if told is None:
        raise Unfit("its gradient is asked, and `backward` names nothing that gives it")
    ordered, named = fitted.form.items()
    forward = {_key(text): f"#{index}" for index, text in enumerate(ordered)}
    forward |= {_key(text): name for name, text in named.items()}
    written = list(told.call) if isinstance(told.call, list | tuple) else []
    keywords = dict(told.call) if isinstance(told.call, Mapping) else {}
    if written and isinstance(written[-1], Mapping):
        keywords = dict(written.pop())
    args = {}
    for name, each in [*((f"#{n}", text) for n, text in enumerate(written)), *keywords.items()]:
        text = _key(each)
        if text.startswith(MADE) and text.removeprefix(MADE) in fitted.outputs:
            args[name] = ["upstream", fitted.outputs.index(text.removeprefix(MADE))]
        elif text in told.keeps:
            args[name] = ["kept", steps(told.keeps[text], f"{where}.keeps")]
        elif text in forward and forward[text] in sent.args:
            args[name] = ["argument", forward[text]]
        elif not isinstance(each, str):
            args[name] = ["value", each]
        else:
            said = ", ".join([*(f"d.{n}" for n in fitted.outputs), *told.keeps, *forward])
            raise CourseError(f"expected one of {said}, got {each!r} @ {where}.call")
    returns = {
        f"{MADE}{name}": steps(place, f"{where}.returns") for name, place in told.returns.items()
    }
    return {
        "name": told.name,
        "args": args,
        "positional": len(written),
        "returns": returns,
        "numpy": True,
    }


def _key(written: Any) -> str:
    return written.partition(", else ")[0].strip() if isinstance(written, str) else repr(written)


# -- back -------------------------------------------------------------------------------------


def back(way: Passage, outputs: Sequence[RawOutput], setting: Setting) -> RawOutput:
    """What came back, as the assignment has it."""
    failed = next((each for each in outputs if each.outcome is not Outcome.OK), None)
    if failed is not None:
        return _named(failed, way)
    first = outputs[0]
    if way.ours.probe == "describe":
        return _described(way, first, setting)
    used = tuple(dict.fromkeys(api for each in outputs for api in each.used))
    return replace(
        first,
        leaves=tuple(
            _leaves(
                way,
                number,
                [each.leaves[number] for each in outputs[: way.crossings[number].items]],
                setting,
            )
            for number in range(len(first.leaves))
        ),
        gradients=_gradients(way, outputs),
        inputs=_inputs(way, outputs),
        used=used,
    )


def _leaves(
    way: Passage, number: int, found: Sequence[tuple[Leaf, ...]], setting: Setting
) -> tuple[Leaf, ...]:
    """What one call returned, in our places and layouts."""
    names = way.fitted.outputs
    expected = setting.expected.leaves[0]
    crossing = way.crossings[number]
    asked = way.fitted.says.returns is not None
    leaves: list[Leaf] = []
    for index, first in enumerate(found[0]):
        at, path = index, first.path
        if asked:
            at, rest = _place(first.path, len(names))
            path = (expected[at].path if at < len(expected) else first.path) + rest
        arrays = [each[index].array for each in found if index < len(each)]
        array = first.array
        if at < len(names) and array is not None:
            array = _ours(crossing, names[at], [each for each in arrays if each is not None])
        leaves.append(replace(first, path=path, array=array))
    return tuple(leaves)


def _place(path: str, count: int) -> tuple[int, str]:
    """Which of so many outputs that were picked a leaf belongs to, and the rest of its path."""
    if count == 1:
        return 0, path
    found = re.match(r"\[(\d+)\](.*)", path, re.S)
    return (int(found[1]), found[2]) if found else (0, path)


def _ours(crossing: Crossing, name: str, arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Theirs as ours; as it is where it has another shape, for the check of shapes."""
    try:
        return crossing.back(name, arrays)
    except (Unfit, ValueError):
        return arrays[0]


def _gradients(way: Passage, outputs: Sequence[RawOutput]) -> dict[str, NDArray[Any] | None]:
    """Gradients in our arguments and parameters: through layouts, and the adjoint of the map."""
    if way.ours.probe != "gradients":
        return {}
    found: dict[str, NDArray[Any] | None] = {}
    (crossing,), (sent,) = way.crossings, way.sent
    places = {path: path for path in outputs[0].gradients}
    if way.fitted.says.backward is not None and way.theirs[0].arrays == "numpy":
        names = {ours: f"{MADE}{ours}" for ours in way.fitted.says.backward.returns}
        pairs = [
            (names[ours], ours) for ours in dict.fromkeys(sent.origin.values()) if ours in names
        ]
    else:
        pairs = [(path, ours) for path, ours in sent.origin.items() if path in places]
    for path, ours in pairs:
        if ours in way.fitted.says.masks:
            continue
        gradient = _gathered(crossing, ours, [each.gradients.get(path) for each in outputs])
        before = found.get(ours)
        found[ours] = gradient if before is None or gradient is None else before + gradient
        found[ours] = before if gradient is None else found[ours]
    if way.ours.weights:
        parameters = way.fitted.map(way.ours.config)
        theirs = {name: _summed(outputs, name, found) for name in parameters.made}
        ours_by_name = parameters.ours(theirs)
        found |= {n: g for n, g in ours_by_name.items() if n not in parameters.gone}
    return found


def _gathered(
    crossing: Crossing, ours: str, gradients: Sequence[NDArray[Any] | None]
) -> NDArray[Any] | None:
    there = next((each for each in gradients if each is not None), None)
    if there is None:
        return None
    whole = [np.zeros_like(there) if each is None else each for each in gradients]
    if len(whole) > 1 and not crossing.per_item(ours):
        whole = [np.sum(whole, axis=0)]
    return _ours(crossing, ours, whole)


def _summed(
    outputs: Sequence[RawOutput], name: str, taken: Mapping[str, Any]
) -> NDArray[Any] | None:
    """The gradient in one parameter of theirs, over all items."""
    arrays = [each.gradients.get(f"{MADE}{name}", each.gradients.get(name)) for each in outputs]
    there = [array for array in arrays if array is not None]
    return np.sum(there, axis=0) if there else None


def _inputs(way: Passage, outputs: Sequence[RawOutput]) -> dict[str, NDArray[Any]]:
    """Our arguments as they are after the calls: what is as it was sent is as it was."""
    if not way.ours.inputs_back:
        return {}
    last, crossing, sent = way.ours.calls[-1].arrays(), way.crossings[-1], way.sent[-1]
    found: dict[str, NDArray[Any]] = {}
    for path, ours in sent.origin.items():
        mode = outputs[0].inputs.get(f"{path}.training")
        if mode is not None:
            found[f"{ours}.training"] = mode
        if ours not in last:
            continue
        given = [Call(args=each.calls[-1].args).arrays()[path] for each in way.theirs]
        there = [each.inputs.get(path) for each in outputs]
        if all(
            now is not None and np.array_equal(now, then, equal_nan=now.dtype.kind == "f")
            for now, then in zip(there, given, strict=True)
        ):
            found.setdefault(ours, last[ours])
        elif ours in way.fitted.says.masks:
            found[ours] = ~last[ours].astype(bool)
        else:
            arrays = [now for now in there if now is not None]
            found[ours] = (
                _ours(crossing, ours, arrays) if len(arrays) == len(there) else last[ours][:0]
            )
    # What is not handed over can't be changed.
    return {**{path: array for path, array in last.items() if path not in found}, **found}


def _described(way: Passage, output: RawOutput, setting: Setting) -> RawOutput:
    """Their parameters under our names, where they are those that the adapter says."""
    parameters = way.fitted.map(way.ours.config)
    wanted = {name: terms[0].shape for name, terms in parameters.made.items()}
    wanted = {n: s for n, s in wanted.items() if n not in way.fitted.says.buffers}
    if way.fitted.by_call:
        return replace(output, parameters=setting.expected.parameters)
    there = {each.name: each for each in output.parameters}
    facts = {
        "entry": way.theirs[0].entry,
        "missing": [f"{name} {wanted[name]}" for name in wanted if name not in there],
        "unexpected": [f"{name} {there[name].shape}" for name in there if name not in wanted],
        "misshapen": [
            [name, list(wanted[name]), list(there[name].shape)]
            for name in wanted
            if name in there and there[name].shape != wanted[name]
        ],
    }
    if facts["missing"] or facts["unexpected"] or facts["misshapen"]:
        return _named(replace(output, outcome=Outcome.MISMATCH, facts=facts, parameters=()), way)
    sources = parameters.sources
    holders: dict[str, list[Parameter]] = {}
    for theirs, names in sources.items():
        for name in names:
            if theirs in there:
                holders.setdefault(name, []).append(there[theirs])
    shared = {
        each.name: next(iter(sources.get(each.same_as, ())), "") for each in output.parameters
    }
    renamed = [
        replace(
            each,
            trainable=all(holder.trainable for holder in holders.get(each.name, [each])),
            same_as=each.same_as
            or next(
                (
                    shared[h.name]
                    for h in holders.get(each.name, ())
                    if shared[h.name] not in ("", each.name)
                ),
                "",
            ),
        )
        for each in setting.expected.parameters
    ]
    return replace(output, parameters=tuple(renamed))


def _named(output: RawOutput, way: Passage) -> RawOutput:
    """A mismatch of parameters that says both names."""
    if output.outcome is not Outcome.MISMATCH:
        return output
    sources = way.fitted.map(way.ours.config).sources

    def both(text: str) -> str:
        name = text.partition(" ")[0]
        ours = [each for each in sources.get(name, ()) if each != name]
        return f"{text} (holds {', '.join(ours)})" if ours else text

    facts = dict(output.facts)
    for key in ("missing", "unexpected"):
        facts[key] = [both(text) for text in facts.get(key, ())]
    facts["misshapen"] = [[both(row[0]), *row[1:]] for row in facts.get("misshapen", ())]
    return replace(output, facts=facts)
