"""Which submissions have nearly the same code of their own: a reason to look, never a verdict.

Compared is what a student wrote: without comments, docstrings and layout, without what the hand-out
gives, and with one name for all that the code itself names, since renaming is the first disguise.
What many came to says nothing of two of them, so two are compared only where they share lines that
few others have; that also keeps a class of thousands from being compared each with each.
"""

import ast
import importlib.util
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from grader.errors import SubmissionError
from grader.load.parsing import parse_cells
from grader.load.reading import read_text
from grader.types import Alike, SubmittedFile

NEAR = 0.95
"""Share of the tokens, in order, that two have in common."""

LEAST_TOKENS = 60
"""Less code of one's own than this can't be told from chance."""

MOST_TOKENS = 20_000
"""What is written beyond this is not compared."""

LEAST_RARE = 3
"""Rare lines that two have in common before they are compared."""

FEW, MANY = 4, 40
"""A line is rare if no more than a tenth of the class's texts have it; of a small class this many,
of a large one no more than that many."""

_TOKEN = re.compile(r"\w+|[^\w\s]")
_WORD = re.compile(r"\w+")
_RENAMED = "_"


@dataclass(frozen=True, slots=True)
class Own:
    """The code that one student added, line by line."""

    text: str
    """As it is named there."""
    lines: tuple[str, ...]
    """With one name for everything that it names itself."""

    @property
    def tokens(self) -> list[str]:
        """What is compared."""
        return _TOKEN.findall("\n".join(self.lines))[:MOST_TOKENS]


@dataclass(frozen=True, slots=True)
class Given:
    """What the hand-out gives."""

    lines: frozenset[str]
    """Its lines, in canonical layout."""
    names: frozenset[str]
    """Every word in them: what it names keeps its name."""


def alike(
    files: Mapping[str, SubmittedFile], handed_out: Sequence[bytes]
) -> tuple[Alike, ...] | None:
    """Groups of students whose own code is nearly the same, the largest first.

    None where rapidfuzz is not installed, which comes with the extra `instructor`.

    Args:
        files: what was graded, by student.
        handed_out: the modules that students started from; what stands in them does not count.
    """
    if importlib.util.find_spec("rapidfuzz") is None:
        return None
    given = _given(handed_out)
    by_text: dict[str, list[str]] = defaultdict(list)
    codes: dict[str, Own] = {}
    for student, file in files.items():
        own = own_code(file, given)
        if len(own.tokens) >= LEAST_TOKENS:
            by_text[own.text].append(student)
            codes[own.text] = own
    groups = _joined(list(by_text), _near(codes))
    found = [
        Alike(
            students=tuple(sorted(s for text in texts for s in by_text[text])),
            percent=int(100 * least),
        )
        for texts, least in groups
    ]
    found = [each for each in found if len(each.students) > 1]
    return tuple(sorted(found, key=lambda each: (-len(each.students), each.students)))


def own_code(file: SubmittedFile, given: Given) -> Own:
    """What a student added to what was given; nothing where the file can't be read."""
    try:
        lines, names = _canonical(file)
    except SubmissionError:
        return Own("", ())
    own = names - given.names
    kept = [line for line in lines if line not in given.lines]
    renamed = (_WORD.sub(lambda w: _RENAMED if w[0] in own else w[0], line) for line in kept)
    return Own("\n".join(kept), tuple(renamed))


def _given(handed_out: Sequence[bytes]) -> Given:
    lines: set[str] = set()
    for content in handed_out:
        lines |= set(_canonical(SubmittedFile(name="skeleton.py", content=content))[0])
    return Given(frozenset(lines), frozenset(_WORD.findall("\n".join(lines))))


def _canonical(file: SubmittedFile) -> tuple[list[str], set[str]]:
    """The lines of a file without comments, docstrings and layout, and the names that it binds.

    Raises:
        SubmissionError: it can't be read.
    """
    lines: list[str] = []
    names: set[str] = set()
    for statement in parse_cells(file.name, read_text(file).cells).statements:
        if _is_constant(statement.node):
            continue
        names |= set(_bound(statement.node))
        try:
            text = ast.unparse(statement.node)
        except RecursionError:
            continue  # nested deeper than anybody writes
        lines += [line.strip() for line in text.split("\n") if line.strip()]
    return lines, names


def _bound(tree: ast.AST) -> Iterator[str]:
    """Names that a tree binds; takes its docstrings out on the way, as a second walk costs time."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                node.body = [each for each in node.body if not _is_constant(each)]
                yield name


def _is_constant(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _near(codes: Mapping[str, Own]) -> Iterator[tuple[str, str, float]]:
    """Pairs of texts that are nearly the same, each with how nearly."""
    from rapidfuzz.distance import Indel  # noqa: PLC0415 - 0.02 s, not installed everywhere

    having: dict[str, list[str]] = defaultdict(list)
    for text, own in codes.items():
        for line in dict.fromkeys(own.lines):
            having[line].append(text)
    rare = min(MANY, max(FEW, len(codes) // 10))
    shared = Counter(
        pair for texts in having.values() if len(texts) <= rare for pair in combinations(texts, 2)
    )
    for (one, other), count in shared.items():
        if count >= LEAST_RARE:
            tokens = codes[one].tokens, codes[other].tokens
            if (share := Indel.normalized_similarity(*tokens, score_cutoff=NEAR)) >= NEAR:
                yield one, other, share


def _joined(
    texts: Sequence[str], near: Iterator[tuple[str, str, float]]
) -> Iterator[tuple[list[str], float]]:
    """Texts in groups, by which each is near another; with the least nearness that joins them."""
    above = {text: text for text in texts}
    least = dict.fromkeys(texts, 1.0)

    def top(text: str) -> str:
        while above[text] != text:
            above[text] = above[above[text]]
            text = above[text]
        return text

    for one, other, share in near:
        first, second = top(one), top(other)
        least[first] = min(least[first], least[second], share)
        above[second] = first
    groups: dict[str, list[str]] = defaultdict(list)
    for text in texts:
        groups[top(text)].append(text)
    return ((members, least[head]) for head, members in groups.items())
