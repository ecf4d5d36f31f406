"""A class: right, wrong and crashing submissions, drawn by a seed; each as a notebook and a module.

Right ones are the reference written otherwise: independent solutions, and the reference with a
patch that changes no value. Wrong ones are the reference with one known mistake. Crashing ones
raise in one of the entries. A class of trouble holds, among right ones, one submission that loops,
one that ends its process (by reading at address 0), and one that takes 6.4 GB.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from course import ASSIGNMENT, ROOT

from grader.assignment import read_assignment
from grader.mutants import patched, replacements

ENTRIES = (
    *("softmax", "causal_mask", "padding_mask", "scaled_dot_product_attention"),
    *("split_heads", "merge_heads", "MultiHeadAttention"),
)
SHARES = {"right": 0.6, "wrong": 0.3, "crashing": 0.1}
TROUBLE = {
    "loop": ("causal_mask", "while True:\n    pass"),
    "crash": ("merge_heads", "import ctypes\nctypes.string_at(0)"),
    # Two calls' worth at most, so that a tool without a limit does not take the machine along.
    "memory": (
        "softmax",
        "if len(HOARD) < 2:\n    HOARD.append(torch.ones(400_000_000, dtype=torch.float64))",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Student:
    """One submission, before it is given a form."""

    name: str
    """Name of the student."""
    kind: str
    """What it is: right, wrong, crashing, loop, crash, memory."""
    source: str
    """The module."""


def ordinary(count: int, seed: int) -> list[Student]:
    """A class of right, wrong and crashing submissions."""
    chosen = random.Random(seed)
    pools = {"right": rights(), "wrong": wrongs(), "crashing": crashings()}
    kinds = [kind for kind, share in SHARES.items() for _ in range(round(share * count))]
    kinds = (kinds + ["right"] * count)[:count]
    chosen.shuffle(kinds)
    return [
        Student(
            name=f"s{number:04}",
            kind=kind,
            source=f"{chosen.choice(pools[kind])}\n\n# submission {number} of seed {seed}\n",
        )
        for number, kind in enumerate(kinds)
    ]


def trouble(seed: int) -> list[Student]:
    """Six right submissions, and one each that loops, ends its process, takes memory."""
    students = [
        Student(name=f"s{number:04}", kind="right", source=each.source)
        for number, each in enumerate(_right_ones(6, seed))
    ]
    reference = _reference()
    for place, (kind, (entry, code)) in zip((1, 4, 7), TROUBLE.items(), strict=True):
        source = _begun(reference, entry, code) + "\n\nHOARD = []\n"
        students.insert(place, Student(name=f"s{kind}", kind=kind, source=source))
    return students


def _right_ones(count: int, seed: int) -> list[Student]:
    return [each for each in ordinary(4 * count, seed) if each.kind == "right"][:count]


def rights() -> list[str]:
    """Independent solutions, and harmless changes of the reference."""
    folder = ROOT / "tests" / "independent" / ASSIGNMENT
    # Those that need what only `grader` brings, such as its redirection of float32, are left out
    # by being notebooks with cells of other kinds.
    independent = [path.read_text("utf-8") for path in sorted(folder.glob("*.py"))]
    return [_reference(), *independent, *_patches("harmless")]


def wrongs() -> list[str]:
    """The reference with one known mistake."""
    return list(_patches("misconceptions"))


def crashings() -> list[str]:
    """The reference with an entry that raises."""
    return [_begun(_reference(), entry, 'raise IndexError("3")') for entry in ENTRIES]


def _reference() -> str:
    return (ROOT / "reference" / f"{ASSIGNMENT}.py").read_text("utf-8")


def _patches(which: str) -> Iterator[str]:
    rubric = read_assignment(ROOT, ASSIGNMENT).rubric
    for each in getattr(rubric, which):
        made = replacements(_reference(), each.edits, each.id)
        source = patched(_reference(), made, each.id)
        if "float32" not in source:  # which only `grader` takes for float64
            yield source


def _begun(source: str, entry: str, code: str) -> str:
    """The module with `code` at the beginning of an entry's solution."""
    at = re.search(rf"^(def|class) {entry}\b", source, re.M)
    assert at is not None
    begin = re.compile(r"^( *)# BEGIN SOLUTION\n", re.M).search(source, at.end())
    assert begin is not None
    put = "".join(f"{begin[1]}{line}\n" for line in code.splitlines())
    return source[: begin.end()] + put + source[begin.end() :]


def cells_of(source: str) -> list[str]:
    """The code cells of a module in the percent format; the whole where it is in none."""
    if not re.search(r"^# %%", source, re.M):
        return [source]
    parts = re.split(r"^# %%(.*)\n", source, flags=re.M)
    heads, bodies = parts[1::2], parts[2::2]
    kept = [
        body.strip() for head, body in zip(heads, bodies, strict=True) if "markdown" not in head
    ]
    return [body for body in (parts[0].strip(), *kept) if body]


def notebook(cells: list[nbformat.NotebookNode]) -> str:
    """A notebook for Python 3, with ids that are the same each time."""
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    return str(nbformat.writes(made))


def write_mixed(students: list[Student], folder: Path) -> None:
    """As a class hands it in: every other one as a notebook."""
    folder.mkdir(parents=True)
    for number, student in enumerate(students):
        if number % 2:
            cells = [nbformat.v4.new_code_cell(cell) for cell in cells_of(student.source)]
            (folder / f"{student.name}.ipynb").write_text(notebook(cells), "utf-8")
        else:
            (folder / f"{student.name}.py").write_text(student.source, "utf-8")
