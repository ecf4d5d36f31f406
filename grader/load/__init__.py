"""A notebook or module as it was handed in -> one clean module.

Keeps what the wanted names depend on, drops the rest, and says what it dropped. Nothing here runs
a line of a student's code: text is decoded, parsed (`ast`, `symtable`, `json`) and put together
again, every statement on the line where it stood.

    reading     bytes -> text of the code cells          ipython   cells without %, !, ?
    parsing     cells -> statements                      scopes    what a statement binds and needs
    slicing     the statements a name depends on         mentions  the API a statement names
    portable    cuda -> cpu, float32 -> float64          modules   what an import finds
    missing     stand-ins for what is not installed      notes     what to tell the student
    settings    seeds, the recursion limit               choosing  which file is graded
    assembling  all of it -> Loaded
"""

from collections.abc import Sequence
from dataclasses import replace

from grader.load.assembling import assemble
from grader.load.choosing import Choice, Preference, changed, choose, differs, unlike
from grader.load.missing import stand_ins
from grader.load.modules import own_modules
from grader.load.parsing import parse_cells
from grader.load.reading import CellText, tidy
from grader.sandbox.stopwatch import stage
from grader.types import Loaded, Submission

__all__ = ["Preference", "changed_files", "is_untouched", "load", "load_cells", "same_code"]


@stage("load")
def load(
    submission: Submission,
    entries: tuple[str, ...],
    *,
    skeleton: bytes | None = None,
    prefer: Preference = "notebook",
    everything: bool = False,
) -> Loaded:
    """Make a submission ready to run.

    Args:
        submission: what was handed in.
        entries: the names the assignment asks for. One that is not defined is no error here.
        skeleton: the module students were given, in percent format, to see which file changed.
        prefer: which of x.py and x.ipynb is graded where both changed.
        everything: keep all but IPython's own lines and `if __name__ == "__main__":` blocks.

    Raises:
        SubmissionError: nothing can be graded: load.no_file, load.too_large,
            load.not_a_notebook, load.empty, load.syntax.
        CourseError: the skeleton can't be read.
    """
    choice = choose(submission, entries, skeleton, prefer)
    return _assembled(submission, choice, entries, everything)


def load_cells(
    cells: Sequence[str],
    entries: tuple[str, ...],
    *,
    file: str = "notebook",
    everything: bool = False,
) -> Loaded:
    """Make the cells that a live kernel has run, in that order, ready to run.

    Args:
        cells: source of each cell.
        entries: the names the assignment asks for.
        file: what the origins call it.
        everything: as for `load`.

    Raises:
        SubmissionError: load.empty, load.syntax.
    """
    texts = tuple(CellText(tidy(cell), number) for number, cell in enumerate(cells, start=1))
    return assemble(parse_cells(file, texts), entries, {}, everything=everything)


def changed_files(
    submission: Submission, entries: tuple[str, ...], skeleton: bytes
) -> tuple[str, ...]:
    """Of `<assignment>.py` and `<assignment>.ipynb`, the names of those that were worked on.

    With two of them, a student's command can ask which one is meant.

    Raises:
        SubmissionError: load.no_file.
        CourseError: the skeleton can't be read.
    """
    return tuple(file.name for file in changed(submission, entries, skeleton))


@stage("load")
def is_untouched(
    submission: Submission,
    entries: tuple[str, ...],
    skeleton: bytes,
    *,
    prefer: Preference = "notebook",
) -> bool:
    """Whether the file that `load` would choose still is the skeleton: not started.

    Compares what the entries depend on without comments, docstrings and layout. Takes next to
    nothing right after `load`, which has parsed the same file.

    Raises:
        SubmissionError: as `load`.
        CourseError: the skeleton can't be read.
    """
    choice = choose(submission, entries, skeleton, prefer)
    return not differs(choice.program, entries, skeleton)


def same_code(one: Submission, other: Submission, entries: tuple[str, ...]) -> bool:
    """Whether two submissions of a file each hold the same code for what is asked for.

    Raises:
        SubmissionError: as `load`.
    """
    first, second = (choose(each, entries, None, "notebook") for each in (one, other))
    return not unlike(first.program, second.program, entries)


def _assembled(
    submission: Submission, choice: Choice, entries: tuple[str, ...], everything: bool
) -> Loaded:
    own = own_modules(submission.files, choice.file)
    loaded = assemble(choice.program, entries, own, everything=everything)
    modules = {**stand_ins(loaded.notes), **loaded.modules}
    return replace(loaded, notes=(*choice.notes, *loaded.notes), modules=modules)
