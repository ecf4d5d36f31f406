"""Which file of a submission is graded, and whether it was touched at all."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from grader.errors import CourseError, SubmissionError
from grader.load.parsing import Program, Statement, parse_file
from grader.load.reading import is_notebook
from grader.load.scopes import Definition
from grader.load.slicing import slicer
from grader.types import Note, Submission, SubmittedFile

Preference = Literal["notebook", "module"]


@dataclass(frozen=True, slots=True)
class Choice:
    """The file that is graded."""

    file: SubmittedFile
    """The file."""
    program: Program
    """What it holds."""
    notes: tuple[Note, ...] = ()
    """Why it and not another."""


def choose(
    submission: Submission,
    entries: tuple[str, ...],
    skeleton: bytes | None,
    prefer: Preference,
) -> Choice:
    """The file that is graded.

    The one named after the assignment; of a module and a notebook of that name the one that
    differs from the skeleton; without any, the only file, or the one that defines most of the
    entries.

    Raises:
        SubmissionError: load.no_file, or what makes the chosen file unreadable.
        CourseError: the skeleton can't be read.
    """
    files = _code_files(submission)
    named = _named(submission.assignment, files, prefer)
    if len(named) == 1 and len(files) > 1 and skeleton is not None:
        return _beside(named[0], files, entries, skeleton, prefer)
    if len(named) == 2:
        return _one_of_two(named[0], named[1], entries, skeleton)
    if len(named) == 1 or len(files) == 1:
        file = (named or files)[0]
        return Choice(file, parse_file(file))
    return _richest(files, entries, prefer)


def differs(program: Program, entries: tuple[str, ...], skeleton: bytes) -> bool:
    """Whether what the entries depend on, imports aside, is other code than the skeleton's.

    Docstrings, comments and layout do not count.

    Raises:
        CourseError: the skeleton can't be read.
    """
    try:
        plain = parse_file(SubmittedFile(name="the released skeleton.py", content=skeleton))
    except SubmissionError as error:
        message = f"the skeleton of the assignment can't be read: {error}"
        raise CourseError(message) from error
    return unlike(program, plain, entries)


def unlike(program: Program, other: Program, entries: tuple[str, ...]) -> bool:
    """Whether what the entries depend on, imports aside, is other code in two files."""
    mine, given = _definitions(program, entries), _definitions(other, entries)
    if len(mine) != len(given):
        return True
    return any(
        a.text != b.text and list(_shape(a.node)) != list(_shape(b.node))
        for a, b in zip(mine, given, strict=True)
    )


def changed(
    submission: Submission, entries: tuple[str, ...], skeleton: bytes
) -> tuple[SubmittedFile, ...]:
    """Of `<assignment>.py` and `<assignment>.ipynb`, those that are not the skeleton any more.

    A file that can't be read counts as changed, an empty one does not.
    """
    files = _code_files(submission)
    return tuple(
        file
        for file in _named(submission.assignment, files, "module")
        if _is_changed(file, entries, skeleton)
    )


def _code_files(submission: Submission) -> list[SubmittedFile]:
    files = [
        file
        for file in submission.files
        if file.name.lower().endswith((".py", ".ipynb"))
        and not file.name.startswith(".")
        and "-checkpoint." not in file.name
    ]
    if not files:
        expected = [f"{submission.assignment}.py", f"{submission.assignment}.ipynb"]
        found = sorted(file.name for file in submission.files)
        shown = ", ".join(found[:10]) or "no file"
        raise SubmissionError(
            f"expected {' or '.join(expected)}, got {shown} @ {submission.path}",
            code="load.no_file",
            facts={"expected": expected, "found": found[:10]},
        )
    return sorted(files, key=lambda file: file.name)


def _named(assignment: str, files: list[SubmittedFile], prefer: Preference) -> list[SubmittedFile]:
    """The module and the notebook that are named after the assignment, the preferred one first."""
    ends = (".ipynb", ".py") if prefer == "notebook" else (".py", ".ipynb")
    found = []
    for end in ends:
        wanted = assignment + end
        same = [x for x in files if x.name == wanted]
        same += [x for x in files if x.name.lower() == wanted.lower()]
        found += same[:1]
    return found


def _one_of_two(
    first: SubmittedFile,
    second: SubmittedFile,
    entries: tuple[str, ...],
    skeleton: bytes | None,
) -> Choice:
    if skeleton is not None:
        touched = [_is_changed(file, entries, skeleton) for file in (first, second)]
        if touched[0] != touched[1]:
            file = first if touched[0] else second
            return Choice(file, parse_file(file))
        if not touched[0]:
            return _first_readable(first, second)
    choice = _first_readable(first, second)
    other = second if choice.file is first else first
    facts = {"file": choice.file.name, "other": other.name}
    note = Note(code="load.both_changed", facts=facts)
    return Choice(choice.file, choice.program, (note,))


def _first_readable(first: SubmittedFile, second: SubmittedFile) -> Choice:
    try:
        return Choice(first, parse_file(first))
    except SubmissionError:
        other = _attempt(second)
        if other is None:
            raise
        return Choice(second, other)


def _beside(
    named: SubmittedFile,
    files: list[SubmittedFile],
    entries: tuple[str, ...],
    skeleton: bytes,
    prefer: Preference,
) -> Choice:
    """The file of the right name, unless it was left alone and the work is in another."""
    if not _is_changed(named, entries, skeleton):
        others = [file for file in files if file is not named]
        worked = [
            file
            for file in others
            if _defined(file, entries) and _is_changed(file, entries, skeleton)
        ]
        if worked:
            return _richest(worked, entries, prefer, among=files)
    return Choice(named, parse_file(named))


def _richest(
    files: list[SubmittedFile],
    entries: tuple[str, ...],
    prefer: Preference,
    among: list[SubmittedFile] | None = None,
) -> Choice:
    """The file that defines most of the entries."""
    programs = {file.name: _attempt(file) for file in files}
    readable = [file for file in files if programs[file.name] is not None] or files[:1]
    ranked = sorted(
        readable,
        key=lambda x: (-_defined(x, entries), is_notebook(x) != (prefer == "notebook"), x.name),
    )
    file = ranked[0]
    program = parse_file(file)
    facts = {
        "file": file.name,
        "others": [x.name for x in among or files if x is not file],
        "defined": _defined(file, entries),
        "wanted": len(entries),
    }
    return Choice(file, program, (Note(code="load.chosen", facts=facts),))


def _defined(file: SubmittedFile, entries: tuple[str, ...]) -> int:
    program = _attempt(file)
    if program is None:
        return 0
    names: set[str] = set()
    slices = slicer(program)
    for statement, effect in zip(program.statements, slices.effects, strict=True):
        # A file that only imports an entry from beside it does not define it.
        if not isinstance(statement.node, ast.Import | ast.ImportFrom):
            names.update(effect.binds)
    return len(names & set(entries))


def _is_changed(file: SubmittedFile, entries: tuple[str, ...], skeleton: bytes) -> bool:
    try:
        return differs(parse_file(file), entries, skeleton)
    except SubmissionError as error:
        return error.code != "load.empty"


def _attempt(file: SubmittedFile) -> Program | None:
    try:
        return parse_file(file)
    except SubmissionError:
        return None


def _definitions(program: Program, entries: tuple[str, ...]) -> list[Statement]:
    slices = slicer(program)
    indices = {index for entry in entries for index in slices.reach(entry).statements}
    return [
        program.statements[index]
        for index in sorted(indices)
        if not isinstance(program.statements[index].node, ast.Import | ast.ImportFrom)
    ]


def _shape(top: ast.AST) -> Iterator[object]:
    """A tree as a flat sequence without positions and docstrings; equal where the trees are.

    What `ast.dump` gives, without its recursion, which deep trees exceed.
    """
    todo: list[object] = [top]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.AST):
            yield type(node)
            parts = {name: getattr(node, name, None) for name in node._fields}
            if isinstance(node, Definition) and ast.get_docstring(node, clean=False) is not None:
                parts["body"] = node.body[1:]
            todo += reversed(list(parts.values()))
        elif isinstance(node, list):
            yield len(node)
            todo += reversed(node)
        else:
            yield repr(node)
