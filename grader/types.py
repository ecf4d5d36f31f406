"""The values that travel between the rooms, in the order in which the road meets them.

Plain, frozen and without behaviour beyond small derived facts. Imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Facts = Mapping[str, Any]
"""Evidence as JSON: what a sentence is later filled with."""

Arrays = Mapping[str, NDArray[Any]]
"""Named arrays, such as weights by parameter name."""

FORBID_UNKNOWN_KEYS: Any = {"extra": "forbid"}


class Verdict(StrEnum):
    """What was found. Points come only from PASS; BROKEN withholds the whole grade."""

    PASS = "pass"
    FAIL = "fail"
    ERROR = "error"
    BLOCKED = "blocked"
    BROKEN = "broken"


class Outcome(StrEnum):
    """How one trial ended. Only BROKEN is our fault."""

    OK = "ok"
    RAISED = "raised"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    DIED = "died"
    FLOOD = "flood"
    MISSING = "missing"
    MISMATCH = "mismatch"
    UNREADABLE = "unreadable"
    SKIPPED = "skipped"
    BROKEN = "broken"


# -- a course ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One sentence in the languages of the course."""

    __pydantic_config__ = FORBID_UNKNOWN_KEYS
    en: str
    """The English sentence."""
    ko: str
    """The Korean sentence."""

    def of(self, language: str) -> str:
        """The sentence in `language`, English where it has no such language."""
        return self.ko if language == "ko" else self.en


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a submission may use."""

    __pydantic_config__ = FORBID_UNKNOWN_KEYS
    seconds: float = 20.0
    """Wall-clock seconds for everything one submission runs."""
    trial_seconds: float = 2.0
    """Wall-clock seconds for one trial, and for loading the submission."""
    memory_mb: int = 1024
    """Address space, in MiB, beyond what torch itself holds."""
    output_bytes: int = 10_000_000
    """Bytes that may be printed before the submission is stopped."""
    result_bytes: int = 64_000_000
    """Bytes that one trial may give back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How far a right answer may lie from the reference: atol + rtol * |expected|."""

    __pydantic_config__ = FORBID_UNKNOWN_KEYS
    rtol: float = 1e-7
    """Relative part, without unit."""
    atol: float = 1e-9
    """Absolute part, in the unit of the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One way to exercise one entry: how it is built, what it is given, what comes back."""

    __pydantic_config__ = FORBID_UNKNOWN_KEYS
    id: str
    """Name of the case, unique in the rubric."""
    entry: str
    """The function or class it exercises."""
    show: Literal["public", "hidden"]
    """Whether students receive its inputs and expected values."""
    config: Facts = field(default_factory=dict)
    """Constructor arguments, where the entry is a class."""
    args: Facts = field(default_factory=dict)
    """Arguments of the call by name, each a literal or an input expression (see cases/kinds.py)."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Lengths of the named axes that are not in `config`."""
    returns: Mapping[str, str] = field(default_factory=dict)
    """Names of what comes back, in order, each with its axes: {"output": "B, T, H"}."""
    mode: Literal["eval", "train"] = "eval"
    """Mode that the built module is put in."""
    arrays: Literal["torch", "numpy"] = "torch"
    """Whether the arguments are torch's tensors or NumPy's arrays."""
    calls: int = 1
    """How often the entry is called in a row, on the same objects, with new arrays."""
    gain: float = 2.0
    """Scale of the drawn weights."""
    note: Text | None = None
    """What this case stands for, shown beside its result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckUse:
    """A check as a criterion asks for it."""

    __pydantic_config__ = FORBID_UNKNOWN_KEYS
    name: str
    """Name of the check, a key of `checks.CHECKS`."""
    options: Facts = field(default_factory=dict)
    """What the check is told, such as the axis that is causal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One row of the rubric that earns points."""

    __pydantic_config__ = FORBID_UNKNOWN_KEYS
    id: str
    """Name of the criterion, unique in the rubric."""
    points: Fraction
    """What a full pass earns."""
    title: Text
    """What students read; it appears verbatim in every report."""
    entry: str = ""
    """The function or class it judges; empty for a manual criterion."""
    checks: tuple[CheckUse, ...] = ()
    """What is looked at."""
    over: tuple[str, ...] = ()
    """Ids of the cases it looks at; all cases of the entry when empty."""
    needs: tuple[str, ...] = ()
    """Ids of criteria that must pass first, else this one is BLOCKED."""
    credit: Literal["all", "proportional"] = "all"
    """Whether passing some of the cases earns some of the points."""
    manual: Mapping[Fraction, Text] = field(default_factory=dict)
    """Levels that a person chooses from, each with its meaning; empty for an automatic one."""
    bonus: bool = False
    """Whether its points are extra, outside the possible total."""
    read: str = ""
    """Anchor in the hand-out that explains it."""
    why: str = ""
    """Why the criterion is there, where it overlaps another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One replacement in the reference."""

    __pydantic_config__ = FORBID_UNKNOWN_KEYS
    scope: str
    """Function, class or "Class.method" that it is made in; `in` in the rubric."""
    find: str
    """What is replaced; stands once in the scope, within a solution region."""
    put: str
    """What takes its place; further lines are indented as the line where `find` begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misconception:
    """A known mistake: a small patch of the reference, and what to say about it."""

    __pydantic_config__ = FORBID_UNKNOWN_KEYS
    id: str
    """Name within the rubric."""
    edits: tuple[Edit, ...]
    """The patch: the diff is the idea."""
    symptom: Text
    """What was seen, in a sentence for the student."""
    hint: Text
    """A question that helps; it does not hand over the line."""
    source: str
    """Where it was met: row of the catalogue, lecture notes."""
    twins: tuple[str, ...] = ()
    """Ids of those that no input tells from this one."""
    why: str = ""
    """Why no public case, or no hidden one, catches it, where that is so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A legitimate other choice: named, and not failed."""

    __pydantic_config__ = FORBID_UNKNOWN_KEYS
    id: str
    """Name within the rubric."""
    edits: tuple[Edit, ...]
    """The patch of the reference that makes that choice."""
    earns: Mapping[str, Fraction]
    """Share of the points that it earns, by criterion id; nothing elsewhere."""
    note: Text
    """What is said of it."""
    source: str = ""
    """Where it was met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmless:
    """Another way to the right result on every input: nothing is to be said about it."""

    __pydantic_config__ = FORBID_UNKNOWN_KEYS
    id: str
    """Name within the rubric."""
    edits: tuple[Edit, ...]
    """The patch of the reference."""
    why: str
    """Why it changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Void:
    """A case or a criterion that is taken out after it was found to be wrong."""

    __pydantic_config__ = FORBID_UNKNOWN_KEYS
    reason: Text
    """Why, as students read it."""
    case: str = ""
    """Id of the case whose findings no longer count; empty where a criterion is taken out."""
    criterion: str = ""
    """Id of the criterion that is taken out, with its points; empty where a case is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric:
    """Everything that `rubrics/x.yaml` says."""

    __pydantic_config__ = FORBID_UNKNOWN_KEYS
    assignment: str
    """Name of the assignment, as of its folder, reference and rubric."""
    title: Text
    """Heading of the reports."""
    cases: tuple[Case, ...]
    """The inputs, public and hidden."""
    criteria: tuple[Criterion, ...]
    """What earns points, in the order of the report."""
    forbidden: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Dotted API names by the entry that must not use them; "*" stands for every entry."""
    limits: Limits = field(default_factory=Limits)
    """What a submission may use."""
    tolerance: Tolerance = field(default_factory=Tolerance)
    """How close is close."""
    prefer: Literal["notebook", "module"] = "notebook"
    """Which of x.py and x.ipynb is graded when both were changed."""
    load: Literal["needed", "everything"] = "needed"
    """Whether only what the entries depend on is run, or the whole file."""
    misconceptions: tuple[Misconception, ...] = ()
    """Known mistakes."""
    variants: tuple[Variant, ...] = ()
    """Legitimate other choices."""
    harmless: tuple[Harmless, ...] = ()
    """Rows of the catalogue that equal the right result on every input."""
    by_check: Mapping[str, str] = field(default_factory=dict)
    """Rows of the catalogue that no patch can express, with the check that names them."""
    show_hints: Literal["always", "after_due", "never"] = "always"
    """When a student sees the hints of a diagnosis."""
    void: tuple[Void, ...] = ()
    """What no longer counts; marks follow from the stored observations."""

    @property
    def patches(self) -> tuple[Misconception | Variant | Harmless, ...]:
        """Everything that is a patch of the reference: misconceptions come first."""
        return (*self.misconceptions, *self.variants, *self.harmless)

    @property
    def entries(self) -> tuple[str, ...]:
        """Names that a submission has to define, in the order of the cases."""
        return tuple(dict.fromkeys(case.entry for case in self.cases))

    def cases_over(self, criterion: Criterion) -> tuple[Case, ...]:
        """The cases that a criterion looks at: those of its `over`, or all of its entry."""
        return tuple(
            case
            for case in self.cases
            if (case.id in criterion.over if criterion.over else case.entry == criterion.entry)
        )


# -- a submission -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedFile:
    """One file as it was handed in."""

    name: str
    """File name without folders."""
    content: bytes
    """Its bytes, untouched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What one student handed in for one assignment."""

    student: str
    """Name of the student: the folder's, or the file's stem."""
    assignment: str
    """Name of the assignment."""
    path: str
    """Where it was found, for messages."""
    files: tuple[SubmittedFile, ...]
    """The files; the one that is graded is chosen by the loader."""
    submitted_at: datetime | None = None
    """When it was handed in, with its time zone; None where nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a line of the loaded source stood in what the student wrote."""

    file: str
    """Name of the file."""
    line: int
    """Line number from 1, within the cell for a notebook."""
    cell: int | None = None
    """Number of the code cell from 1, None for a module."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something the student should know that costs nothing."""

    code: str
    """Entry of the message catalogue."""
    facts: Facts = field(default_factory=dict)
    """What the sentence is filled with."""
    origin: Origin | None = None
    """Where it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiUse:
    """A use of an API in the source, resolved through imports and aliases."""

    api: str
    """Dotted name, such as "torch.nn.LSTM"."""
    definition: str
    """Top-level definition in which it stands; empty at module level."""
    origin: Origin
    """Where it stands."""
    text: str
    """The line, stripped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A submission made ready to run: one clean module."""

    source: str
    """The module's source; dropped statements are blank lines."""
    origins: tuple[Origin, ...]
    """For each line of `source`, where it came from."""
    modules: Mapping[str, str] = field(default_factory=dict)
    """Further modules of the submission that it imports, source by name."""
    notes: tuple[Note, ...] = ()
    """What was dropped or changed on the way."""
    names: tuple[str, ...] = ()
    """Every top-level name that the file defines, for "did you mean"."""
    uses: tuple[ApiUse, ...] = ()
    """Uses of API in the kept source."""
    depends: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For each wanted entry, the top-level definitions that it reaches, itself included."""
    file: str = ""
    """Name of the file that was chosen."""


# -- running ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """An argument that the worker makes: an instance of the submission's own class."""

    name: str
    """Class in the submission, or a dotted name under torch."""
    config: Facts = field(default_factory=dict)
    """Constructor arguments."""
    weights: Arrays | None = None
    """Every parameter by name; None leaves the initial ones."""
    mode: str = "eval"
    """Mode that it is put in."""
    frozen: tuple[str, ...] = ()
    """Names of parameters that take no gradient."""
    form: Facts = field(default_factory=dict)
    """How an adapter says that it is built (see sandbox/forms.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An argument that is a dict of others, such as all parameters of a NumPy function."""

    values: Facts
    """The values by key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimizer:
    """An argument that the worker makes: an optimiser over another argument's parameters."""

    name: str
    """Class under torch.optim."""
    of: str
    """Name of the argument whose parameters it updates."""
    config: Facts = field(default_factory=dict)
    """Constructor arguments, such as lr."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLogits:
    """An argument that the worker makes: a model that answers from a table."""

    table: NDArray[np.float64]
    """Logits (R, L, V, V): row, position, token at that position, next token."""
    trainable: bool = False
    """Whether the table is a parameter that takes a gradient."""
    pad: int = 0
    """Its attribute `pad`."""
    mode: str = "eval"
    """Mode that it is put in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of an entry."""

    args: Facts = field(default_factory=dict)
    """Arguments by name: arrays, numbers, tuples of them, Build, Optimizer, StoredLogits."""
    feed: Mapping[str, int] = field(default_factory=dict)
    """Arguments taken from the previous call: argument name to index in what it returned."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every array among the arguments, by its path: "x", "state[0]"."""
        return {path: value for path, value in _walk(self.args) if isinstance(value, np.ndarray)}

    def with_arrays(self, changed: Arrays) -> Call:
        """The call with some of its arrays, given by path, in place of its own."""
        return replace(self, args={name: _put(v, name, changed) for name, v in self.args.items()})


def _walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _walk(item, f"{path}[{index}]")
    elif isinstance(value, Mapping) and not path:
        for name, item in value.items():
            yield from _walk(item, name)
    else:
        yield path, value


def _put(value: Any, path: str, changed: Arrays) -> Any:
    if isinstance(value, tuple):
        return tuple(_put(item, f"{path}[{index}]", changed) for index, item in enumerate(value))
    return changed.get(path, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One question to a worker; holds no expected value."""

    case: str
    """Id of the case it belongs to."""
    variant: str
    """What sets it apart among the trials of the case; "base" for the plain one."""
    entry: str
    """The function or class that is exercised."""
    probe: Literal["call", "gradients", "slopes", "describe"] = "call"
    """How it is exercised (see sandbox/probes.py)."""
    config: Facts = field(default_factory=dict)
    """Constructor arguments."""
    weights: Arrays | None = None
    """Every parameter by name; None for a function."""
    mode: str = "eval"
    """Mode that the module is put in."""
    arrays: str = "torch"
    """Whether the arguments are torch's tensors or NumPy's arrays."""
    calls: tuple[Call, ...] = ()
    """The calls, in a row, on one instance."""
    cotangents: tuple[NDArray[np.float64], ...] = ()
    """For the gradients and slopes probes: one array per float output, in order."""
    steps: Arrays = field(default_factory=dict)
    """For the slopes probe: a small step for each tensor, by input or parameter name."""
    seed: int = 0
    """Seed of torch's generator at the start of the trial."""
    inputs_back: bool = False
    """Whether the arguments are sent back as they are after the calls."""
    hidden: bool = False
    """Whether it reaches the submission only after what is public has been answered."""
    form: Facts = field(default_factory=dict)
    """How an adapter says that it is built, called and read (see sandbox/forms.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One submission to be run, and what it is asked."""

    source: str
    """The module to run."""
    modules: Mapping[str, str]
    """Further modules it imports, source by name."""
    trials: tuple[Trial, ...] = ()
    """The questions, in order; none where they depend on what is answered."""
    forbidden: tuple[str, ...] = ()
    """API whose use is recorded."""
    limits: Limits = field(default_factory=Limits)
    """What it may use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One value that came back."""

    path: str
    """Where it stood in the returned structure: "[1][0]", empty for the value itself."""
    kind: Literal["tensor", "array", "number", "bool", "none", "text", "other"]
    """What it was in the student's code."""
    dtype: str = ""
    """Its dtype there, before the harness widened it."""
    array: NDArray[Any] | None = None
    """Its value, where it has one."""
    text: str = ""
    """A string's value, or the type's name of what can't be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a built module, as a worker describes it."""

    name: str
    """Dotted name."""
    shape: tuple[int, ...]
    """Its lengths."""
    trainable: bool
    """Whether it takes a gradient."""
    same_as: str = ""
    """Name of the first parameter that is the same object, where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentError:
    """What a student's code raised; text of the student's own making."""

    type: str
    """Name of the exception's class."""
    message: str
    """Its text, cut to a bounded length."""
    line: int | None = None
    """Line of the loaded source where it came from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawOutput:
    """What came back for one trial, before anyone judged it."""

    outcome: Outcome
    """How the trial ended."""
    leaves: tuple[tuple[Leaf, ...], ...] = ()
    """What each call returned, flattened."""
    gradients: Mapping[str, NDArray[Any] | None] = field(default_factory=dict)
    """Gradients by input or parameter name, None where none arrived; for the slopes probe how much
    the contracted outputs differ between a step forward and one back."""
    inputs: Arrays = field(default_factory=dict)
    """Arguments after the calls, where they were asked for."""
    parameters: tuple[Parameter, ...] = ()
    """The built module's parameters, for the describe probe and on a mismatch."""
    error: StudentError | None = None
    """What was raised."""
    facts: Facts = field(default_factory=dict)
    """Details of an outcome that is not OK: a signal, a limit, what was our fault."""
    used: tuple[str, ...] = ()
    """Forbidden API that was called."""
    stdout: str = ""
    """What the submission printed, capped; never parsed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the reference gives for one case."""

    leaves: tuple[tuple[Leaf, ...], ...]
    """What each call returns, flattened."""
    gradients: Arrays = field(default_factory=dict)
    """Gradients by input or parameter name, those that arrive."""
    parameters: tuple[Parameter, ...] = ()
    """Parameters of the built module."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What the integers of an argument stand for."""

    low: int
    """Smallest token that is drawn."""
    high: int
    """One more than the largest."""
    pad: int | None
    """The token that pads, if one does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One case made ready: what its checks work from."""

    case: Case
    """The case."""
    base: Trial
    """Its plain trial."""
    expected: Expected
    """What the reference gives for the plain trial."""
    axes: Mapping[str, tuple[str, ...]]
    """Axis names of every drawn array by its path: {"x": ("B", "T", "I")}."""
    tokens: Mapping[str, Tokens]
    """What the integers mean, for the arrays that hold tokens."""
    tolerance: Tolerance
    """How close is close."""
    seed: int
    """Seed for what a check draws itself."""


# -- judging ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check saw in one case: a record, not a sentence."""

    check: str
    """Name of the check."""
    case: str
    """Id of the case."""
    verdict: Verdict
    """What it found."""
    code: str = ""
    """Entry of the message catalogue; empty for a plain pass."""
    facts: Facts = field(default_factory=dict)
    """Evidence the sentence is filled with."""
    hidden: bool = True
    """Whether the case is hidden; then facts stay on the instructor's side."""
    origin: Origin | None = None
    """Line of the student's own code that it is about."""
    pictures: tuple[Picture, ...] = ()
    """What people would rather look at, for public cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A small matrix or curve to draw."""

    kind: Literal["heatmap", "curve"]
    """How it is drawn."""
    label: str
    """Message code of its caption."""
    name: str
    """Which output it shows."""
    values: tuple[tuple[float, ...], ...]
    """Rows of a heatmap, or the lines of a curve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionResult:
    """How one criterion came out."""

    id: str
    """Id of the criterion."""
    title: Text
    """Its title in the rubric."""
    verdict: Verdict | None
    """What was found; None while a person has yet to mark it."""
    points: Fraction
    """What it could earn."""
    earned: Fraction
    """What it earned."""
    findings: tuple[Finding, ...] = ()
    """What its checks saw."""
    blocked_by: str = ""
    """Id of the criterion that has to pass first."""
    read: str = ""
    """Anchor in the hand-out."""
    bonus: bool = False
    """Whether its points are extra."""
    entry: str = ""
    """The entry it is about; empty where it is about the whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What is probably wrong in one entry."""

    entry: str
    """The entry whose answers it explains."""
    kind: Literal["mistake", "carried", "variant", "located"]
    """A known mistake; one made in an earlier entry; a legitimate other choice; or, where none of
    these explains what came back, only where it differs."""
    alternatives: tuple[tuple[str, ...], ...] = ()
    """What explains it equally well: each a misconception, or some that were made together."""
    named: tuple[str, ...] = ()
    """Ids of those that the sentences are about: all but what an earlier diagnosis has told."""
    symptoms: tuple[Text, ...] = ()
    """What was seen, a sentence for each misconception named."""
    hints: tuple[Text, ...] = ()
    """A question for each."""
    read: str = ""
    """Anchor in the hand-out."""
    code: str = ""
    """Message code of where it differs."""
    facts: Facts = field(default_factory=dict)
    """What that sentence is filled with."""
    hidden: bool = False
    """Whether those facts are of a hidden case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What becomes of a criterion of which not every check passed: what it earns all the same, or
    what it has to wait for."""

    fraction: Fraction
    """Of its points."""
    code: str
    """Message code of the reason."""
    facts: Facts = field(default_factory=dict)
    """What that sentence is filled with."""
    blocked_by: str = ""
    """Id of the criterion whose mistake it rests on, where nothing can be said before that one is
    mended; then it earns nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unexplained:
    """What came back for an entry that is wrong in no way that is known."""

    entry: str
    """The entry."""
    digest: str
    """The same for submissions that answered the same, but for rounding."""
    error: str = ""
    """Name of the exception that ended all of it; empty where values came back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Submissions whose own code is nearly the same."""

    students: tuple[str, ...]
    """Who handed them in, in order."""
    percent: int
    """Of their tokens, in order, what each has in common with another at least."""


class Status(StrEnum):
    """Where a submission stands; these are never merged."""

    GRADED = "graded"
    WITHHELD = "withheld"
    NOT_STARTED = "not started"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What a mark rests on."""

    key: str
    """Content key of everything that decides the mark."""
    engine: str
    """Version of this package."""
    torch: str
    """Version of torch in the worker."""
    numpy: str
    """Version of NumPy in the worker."""
    isolation: str
    """Isolation level in force, such as "E"."""
    seconds: float = 0.0
    """Wall-clock seconds that grading took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one submission showed: all that its mark follows from, but for what it is worth."""

    status: Status
    """GRADED where it was run; else why it was not."""
    provenance: Provenance
    """What was observed, under which key, and by what."""
    findings: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    """What the checks saw, by criterion id."""
    forbidden: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    """Uses of forbidden API, by entry."""
    shares: Mapping[str, Share] = field(default_factory=dict)
    """What becomes of criteria of which not every check passed, by criterion id."""
    diagnoses: tuple[Diagnosis, ...] = ()
    """What is probably wrong, entry by entry."""
    unexplained: tuple[Unexplained, ...] = ()
    """What came back where nothing known explains it."""
    notes: tuple[Note, ...] = ()
    """What the student should know that costs nothing."""
    file: str = ""
    """Name of the file that was looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """One submission, marked; the instructor's side."""

    student: str
    """Name of the student."""
    assignment: str
    """Name of the assignment."""
    title: Text
    """Title of the assignment."""
    status: Status
    """Where it stands."""
    earned: Fraction | None
    """Points earned; None when withheld or unreadable."""
    possible: Fraction
    """Points that could be earned so far, without pending ones and without bonus."""
    pending: Fraction
    """Points that a person has yet to mark."""
    criteria: tuple[CriterionResult, ...] = ()
    """Criterion by criterion, in the rubric's order."""
    diagnoses: tuple[Diagnosis, ...] = ()
    """What is probably wrong, entry by entry."""
    unexplained: tuple[Unexplained, ...] = ()
    """What came back where nothing known explains it; never shown to the student."""
    notes: tuple[Note, ...] = ()
    """What the student should know that costs nothing."""
    file: str = ""
    """Name of the file that was graded."""
    show_hints: Literal["always", "after_due", "never"] = "always"
    """When the student sees the hints of a diagnosis."""
    provenance: Provenance | None = None
    """What the mark rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one student stands in one assignment: what is handed on to an LMS."""

    student: str
    """Name of the student, as it was collected."""
    status: Status
    """Where the submission that counts stands."""
    earned: Fraction | None
    """Points, exact, after marks by hand, the late policy and overrides; None where there is no
    mark: withheld, unreadable, or nothing that counts."""
    possible: Fraction
    """Points that could be earned so far, without pending ones and without bonus."""
    pending: Fraction
    """Points that a person has yet to mark."""
    note: str = ""
    """Why the mark is not simply what was earned, in English, for the instructor."""
    submitted_at: datetime | None = None
    """When the submission that counts was handed in; None where nobody knows."""
