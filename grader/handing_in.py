"""A student's work as a page to hand in: what was found, beside the cells of the file itself."""

import nbformat

from grader.errors import SubmissionError
from grader.load.reading import CellText, cut_at_marks, decode, is_notebook, read_text, tidy
from grader.reports.asked import first_calls
from grader.reports.handed_in import handed_in_html
from grader.reports.view import student_view
from grader.student import Checked, Public
from grader.types import Submission, SubmittedFile


def report_page(checked: Checked, submission: Submission, public: Public, language: str) -> str:
    """The page, as HTML that needs nothing else.

    Args:
        checked: what was found.
        submission: the work that it is about.
        public: the public part of the assignment.
        language: "en" or "ko".
    """
    file = next((f for f in submission.files if f.name == checked.grade.file), None)
    criteria = public.bundle.standard.rubric.criteria
    return handed_in_html(
        student_view(checked.grade),
        language,
        first_calls(checked.asked),
        nbformat.v4.new_notebook() if file is None else as_cells(file),
        {criterion.id: criterion.entry.partition(".")[0] for criterion in criteria},
    )


def as_cells(file: SubmittedFile) -> nbformat.NotebookNode:
    """A notebook, or a module cut at its `# %%` lines; one that can't be read shows its code."""
    text, _ = decode(file.content)
    if is_notebook(file):
        try:
            return nbformat.reads(text, as_version=4)
        except (ValueError, nbformat.ValidationError, KeyError, AttributeError, TypeError):
            pass  # nbformat is stricter than the loader
        try:
            sources = [cell.text for cell in read_text(file).cells]
        except SubmissionError:
            sources = []
    else:
        sources = [cell.text for cell in cut_at_marks(CellText(tidy(text), None))]
    cells = [nbformat.v4.new_code_cell(source.strip("\n")) for source in sources if source.strip()]
    return nbformat.v4.new_notebook(cells=cells)
