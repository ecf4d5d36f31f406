"""A report to hand in: what was found, and the student's own notebook with it beside the cells.

nbconvert renders the notebook. Its HTML is cleaned, and the page's own policy lets no script run,
since a notebook's outputs can hold any.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import bleach
import nbformat
from markupsafe import Markup
from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter

from grader.reports.pages import render
from grader.reports.student import check_html
from grader.reports.view import StudentCriterion, StudentView
from grader.types import Text

MOST_CELLS = 500
PROSE = frozenset(
    (
        *("a", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "hr", "i"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "li", "ol", "p", "pre", "s", "span", "strong"),
        *("sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"),
    )
)
"""Tags of a notebook's own prose and outputs that stay tags."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What was found about one criterion, for the cell that it is about."""

    criterion: StudentCriterion
    """The criterion."""
    blocked_by: Text | None
    """Title of what has to pass first."""


def handed_in_html(
    view: StudentView,
    language: str,
    calls: Mapping[str, str],
    notebook: nbformat.NotebookNode,
    entries: Mapping[str, str],
) -> str:
    """The page.

    Args:
        view: what the student may know.
        language: "en" or "ko".
        calls: what was called in each public case.
        notebook: the student's work, a module as its cells.
        entries: by criterion id, the top-level name that it judges.
    """
    token = secrets.token_hex(8)
    beside = _beside(view, entries, code_cells(notebook))
    marked = _marked(notebook, beside, token)
    exporter = HTMLExporter(
        template_name="basic",
        sanitize_html=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    exporter.register_filter("clean_html", _cleaned)
    body, _ = exporter.from_notebook_node(marked)

    def findings(match: re.Match[str]) -> str:
        found = beside[int(match[1])]
        return render("beside.html", language, found=found)

    body = re.sub(rf"<p>{token} (\d+)\s*</p>", findings, body)
    return render(
        "handed_in.html",
        language,
        view=view,
        check=Markup(check_html(view, language, calls)),
        notebook=Markup(body),
        highlighting=Markup(HtmlFormatter().get_style_defs(".highlight")),
    )


def _cleaned(html: object) -> str:
    """HTML of a notebook with what prose and tables are made of, and nothing that acts."""
    text = html.decode("utf-8", "replace") if isinstance(html, bytes) else str(html)
    return str(bleach.clean(text, tags=PROSE, attributes={"*": ["class", "id"], "a": ["href"]}))


def code_cells(notebook: nbformat.NotebookNode) -> list[str]:
    """Sources of the code cells, in order; the first is cell 1."""
    return [str(cell.source) for cell in notebook.cells if cell.cell_type == "code"]


def _beside(
    view: StudentView, entries: Mapping[str, str], cells: Sequence[str]
) -> dict[int, list[Beside]]:
    """What did not pass, by the number of the cell where it went wrong or where it is defined."""
    titles = {one.id: one.title for one in view.criteria}
    found: dict[int, list[Beside]] = {}
    for criterion in view.criteria:
        if criterion.verdict in (None, "pass"):
            continue
        raised = [each.origin.cell for each in criterion.findings if each.origin is not None]
        placed = [number for number in raised if number is not None]
        number = placed[0] if placed else _defining(entries.get(criterion.id, ""), cells)
        if number:
            blocked_by = titles.get(criterion.blocked_by)
            found.setdefault(number, []).append(Beside(criterion, blocked_by))
    return found


def _defining(name: str, cells: Sequence[str]) -> int:
    """Number of the last cell that defines a name; 0 where none does."""
    pattern = re.compile(rf"^(?:async\s+)?(?:class|def)\s+{re.escape(name)}\b", re.M)
    numbers = [n for n, cell in enumerate(cells, start=1) if name and pattern.search(cell)]
    return numbers[-1] if numbers else 0


def _marked(
    notebook: nbformat.NotebookNode, beside: Iterable[int], token: str
) -> nbformat.NotebookNode:
    """The notebook with a line behind each cell that there is something to say about."""
    made, wanted, number = [], set(beside), 0
    for cell in notebook.cells[:MOST_CELLS]:
        made.append(cell)
        if cell.cell_type == "code":
            number += 1
            if number in wanted:
                made.append(nbformat.v4.new_markdown_cell(f"{token} {number}"))
    return nbformat.v4.new_notebook(cells=made)
