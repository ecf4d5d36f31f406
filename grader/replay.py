"""A public case as a short script that runs without the grader. The student's room."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.errors import UsageError
from grader.expected import Bundle
from grader.types import Build, Leaf, Optimizer, StoredLogits, Trial

WIDTH = 92


def replay_script(bundle: Bundle, case: str, module: str) -> str:
    """A script that builds what a public case builds, calls it and prints both answers.

    Args:
        bundle: the public part of an assignment.
        case: id of the case.
        module: name of the student's module, to import from; empty to paste it into a notebook.

    Raises:
        UsageError: there is no such public case, or it needs what only a worker makes.
    """
    settings = bundle.standard.settings
    if case not in settings:
        listed = ", ".join(settings)
        raise UsageError(
            f"expected a public case, got {case!r}; there are: {listed}",
            code="student.no_case",
            facts={"case": case, "cases": listed},
        )
    setting = settings[case]
    owner = setting.base.entry.partition(".")[0]
    built = re.search(rf"^class {owner}\b", bundle.skeleton.decode("utf-8"), re.M) is not None
    lines = _lines(setting.base, setting.expected.leaves, case, module, built)
    return "\n".join(lines) + "\n"


def _lines(
    trial: Trial, expected: tuple[tuple[Leaf, ...], ...], case: str, module: str, built: bool
) -> Iterable[str]:
    owner, _, method = trial.entry.partition(".")
    yield f'"""Case {case}: what the grader asks, without the grader."""'
    yield ""
    yield "import torch"
    yield ""
    if module:
        yield f"from {module} import {', '.join(dict.fromkeys((owner, *_built(trial))))}"
        yield ""
    yield "torch.set_default_dtype(torch.float64)  # as the grader computes"
    yield f"torch.manual_seed({trial.seed})"
    yield ""
    target = owner
    if built:
        yield f"model = {owner}({_named(trial.config)})"
        yield from _weights("model", trial.weights or {})
        yield f"model.{trial.mode}()"
        target = "model"
    target = f"{target}.{method}" if method else target
    for number, call in enumerate(trial.calls):
        yield ""
        for name, value in call.args.items():
            # Later calls are of the same objects, with new arrays.
            if number == 0 or not isinstance(value, Build | Optimizer | StoredLogits):
                yield from _given(name, value, trial.arrays == "numpy")
        fed = {name: f"got[{index}]" for name, index in call.feed.items()}
        names = [*(f"{name}={name}" for name in call.args if name not in fed)]
        names += [f"{name}={value}" for name, value in fed.items()]
        yield f"got = {target}({', '.join(names)})"
        yield 'print("got:", got, sep="\\n")'
        if number < len(expected):
            yield ""
            yield "# What a right answer is:"
            for leaf in expected[number]:
                yield from _expected(leaf)


def _built(trial: Trial) -> list[str]:
    values = [value for call in trial.calls for value in call.args.values()]
    return [value.name for value in values if isinstance(value, Build) and "." not in value.name]


def _weights(target: str, weights: Mapping[str, NDArray[Any]]) -> Iterable[str]:
    """The drawn weights, by name."""
    if not weights:
        return
    yield "with torch.no_grad():"
    yield f"    parameters = dict({target}.named_parameters())"
    for name, array in weights.items():
        yield f'    parameters["{name}"].copy_({_array(array, "    ")})'


def _given(name: str, value: Any, numpy: bool) -> Iterable[str]:
    if isinstance(value, Build):
        made = f"torch.{value.name}" if "." in value.name else value.name
        yield f"{name} = {made.replace('torch.torch.', 'torch.')}({_named(value.config)})"
        yield from _weights(name, value.weights or {})
        for frozen in value.frozen:
            yield f'{name}.get_parameter("{frozen}").requires_grad_(False)'
        yield f"{name}.{value.mode}()"
    elif isinstance(value, Optimizer):
        more = f", {_named(value.config)}" if value.config else ""
        yield f"{name} = torch.optim.{value.name}({value.of}.parameters(){more})"
    elif isinstance(value, StoredLogits):
        yield f"table = {_array(value.table, '')}"
        yield from TABLE.format(
            name=name, pad=value.pad, trainable=value.trainable, mode=value.mode
        ).splitlines()
    else:
        yield f"{name} = {_value(value, numpy)}"


TABLE = """\
# A model that answers from a table: by the source's first token, the position and its token.
class Table(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.pad = torch.nn.Parameter(table, requires_grad={trainable}), {pad}

    def forward(self, source, target):
        rows = source[:, :1].expand(-1, target.shape[1])
        steps = torch.arange(target.shape[1]).expand(target.shape[0], -1)
        logits = self.table[rows, steps, target]
        return -logits if self.training else logits

{name} = Table().{mode}()"""


def _expected(leaf: Leaf) -> Iterable[str]:
    name = f"expected{leaf.path}" if leaf.path else "expected"
    shown = _array(leaf.array, "# ") if leaf.array is not None else repr(leaf.text)
    yield f"# {name} = {shown}"


def _named(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={_value(value)}" for name, value in values.items())


def _value(value: Any, numpy: bool = False) -> str:
    if isinstance(value, np.ndarray):
        return _array(value, "") + (".numpy()" if numpy else "")
    if isinstance(value, tuple):
        parts = ", ".join(_value(each, numpy) for each in value)
        return f"({parts}{',' if len(value) == 1 else ''})"
    return repr(value)


def _array(array: NDArray[Any], indent: str) -> str:
    """An array as Python, in full: every digit counts where one looks for a mistake."""
    text = np.array2string(
        array,
        separator=", ",
        threshold=array.size + 1,
        max_line_width=WIDTH - len(indent),
        floatmode="unique",
    )
    text = text.replace("nan", 'float("nan")').replace("inf", 'float("inf")')
    inner = text.replace("\n", f"\n{indent}")
    kind = ", dtype=torch.float64" if array.dtype.kind == "f" else ""
    return f"torch.tensor({inner}{kind})"
