"""The bytes of a submitted file -> the text of its code cells.

Notebooks are read as the JSON that they are. nbformat would refuse or upgrade what is merely
untidy (missing ids, no kernel spec, old worksheets), and costs about 90 ms at import.
"""

import codecs
import json
import re
from dataclasses import dataclass
from itertools import pairwise

from grader.errors import SubmissionError
from grader.types import SubmittedFile

MAX_MODULE_BYTES = 5_000_000
MAX_NOTEBOOK_BYTES = 32_000_000
MAX_JSON_VALUES = 1_000_000
MAX_CODE_CHARACTERS = 500_000

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CODING = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
# An open list would let a file pick codecs that import code or take quadratic time (punycode).
_ENCODINGS = re.compile(
    r"utf-?8(-sig|-unix)?|us-ascii|ascii|latin-?1(-unix)?|iso-?8859-?\d{1,2}|cp\d{3,4}"
    r"|windows-\d{3,4}|euc-?kr|euc-?jp|ms949|uhc|johab|shift-?jis|sjis|gb2312|gbk|gb18030"
    r"|big5|koi8-[ru]|mac-roman"
)
_RELATIVE = re.compile(r"^([ \t]*)from[ \t]*(\.+)([\w.]*)[ \t]+import\b(?=[ \t]*(.?))", re.M)
_CELL_MARK = re.compile(r"#\s*(?:%%|In\s*\[)")


@dataclass(frozen=True, slots=True)
class CellText:
    """One code cell as it was written."""

    text: str
    """Its source with Unix line ends."""
    number: int | None
    """Number of the code cell from 1; None in a module."""
    first_line: int = 1
    """Line of the file at which its text starts; 1 in a notebook."""


@dataclass(frozen=True, slots=True)
class SourceText:
    """The code of one file."""

    cells: tuple[CellText, ...]
    """Its code cells in order; a module is a single one."""
    odd_encoding: str = ""
    """Encoding it was read in, where that had to be guessed."""


def is_notebook(file: SubmittedFile) -> bool:
    """Whether `file` is a notebook, by its name."""
    return file.name.lower().endswith(".ipynb")


def read_text(file: SubmittedFile) -> SourceText:
    """The code cells of a notebook, or a module as one cell.

    Raises:
        SubmissionError: load.too_large, load.not_a_notebook.
    """
    check_size(file)
    text, odd = decode(file.content)
    if is_notebook(file):
        sources = _notebook_sources(text, file.name)
        cells = tuple(CellText(tidy(source), i) for i, source in enumerate(sources, start=1))
    else:
        cells = (CellText(made_absolute(tidy(text), file.name), None),)
    characters = sum(len(cell.text) for cell in cells)
    if characters > MAX_CODE_CHARACTERS:
        raise too_large(file.name, characters, MAX_CODE_CHARACTERS, "code")
    return SourceText(cells, odd)


def made_absolute(text: str, file: str) -> str:
    """A module's text with its relative imports from the top of the submission, line by line.

    What is run is a module of its own and in no package.

    Args:
        text: the text.
        file: its file, by its path in the submission.
    """
    package = file.split("/")[:-1]

    def absolute(match: re.Match[str]) -> str:
        indent, dots, name, following = match.groups()
        above = len(dots) - 1
        base = package[: len(package) - above] if above <= len(package) else []
        module = ".".join([*base, *filter(None, [name])])
        if module:
            return f"{indent}from {module} import"
        return match[0] if following in "(*" else f"{indent}import"

    return _RELATIVE.sub(absolute, text)


def check_size(file: SubmittedFile) -> None:
    """Refuse what would take too much memory to look at.

    Raises:
        SubmissionError: load.too_large.
    """
    content = file.content
    if not is_notebook(file):
        if len(content) > MAX_MODULE_BYTES:
            raise too_large(file.name, len(content), MAX_MODULE_BYTES, "file")
        return
    if len(content) > MAX_NOTEBOOK_BYTES:
        raise too_large(file.name, len(content), MAX_NOTEBOOK_BYTES, "file")
    # A picture is one long string; what fills memory is many small values.
    values = content.count(b",") + content.count(b"[") + content.count(b"{")
    if len(content) > MAX_MODULE_BYTES and values > MAX_JSON_VALUES:
        raise too_large(file.name, len(content), MAX_MODULE_BYTES, "file")


def decode(content: bytes) -> tuple[str, str]:
    """Text of a file, and the name of its encoding where that had to be guessed ("" otherwise)."""
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            try:
                text = content[len(mark) :].decode(_without_mark(mark, encoding))
            except UnicodeDecodeError:
                return content.decode("latin-1"), "latin-1"
            return text, "" if encoding == "utf-8" else encoding
    declared = _declared_encoding(content)
    if declared:
        try:
            return content.decode(declared), ""
        except (LookupError, UnicodeDecodeError):
            pass
    wide = _wide_encoding(content)
    for encoding in filter(None, (wide, "utf-8")):
        try:
            return content.decode(encoding), wide if encoding == wide else ""
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1"), "latin-1"


def tidy(text: str) -> str:
    """`text` with Unix line ends, and without halves of characters that no encoder takes."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8").removeprefix("\ufeff")


def cut_at_marks(cell: CellText) -> tuple[CellText, ...]:
    """A module cut at its `# %%` lines (or nbconvert's `# In[1]:`); itself where it has none."""
    lines = cell.text.split("\n")
    starts = [i for i, line in enumerate(lines) if line[:1] == "#" and _CELL_MARK.match(line)]
    if not starts:
        return (cell,)
    edges = sorted({0, *starts, len(lines)})
    return tuple(
        CellText("\n".join(lines[a:b]), cell.number, cell.first_line + a)
        for a, b in pairwise(edges)
    )


def _without_mark(mark: bytes, encoding: str) -> str:
    if encoding == "utf-8":
        return encoding
    little = mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF32_LE)
    return f"{encoding}-{'le' if little else 'be'}"


def _declared_encoding(content: bytes) -> str:
    for line in content[:400].splitlines()[:2]:
        found = _CODING.match(line)
        if found:
            name = found.group(1).decode("latin-1").lower().replace("_", "-")
            name = name.removesuffix("-unix")
            return name if _ENCODINGS.fullmatch(name) else ""
        if line.strip() and not line.lstrip().startswith(b"#"):
            break
    return ""


def _wide_encoding(content: bytes) -> str:
    head = content[:4]
    if len(head) < 4 or content.count(b"\0") * 3 < len(content):
        return ""
    if head[0] and not head[1]:
        return "utf-16-le"
    return "utf-16-be" if head[1] and not head[0] else ""


def _notebook_sources(text: str, name: str) -> list[str]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        message = f"expected a notebook (JSON), got text that is no JSON @ {name}"
        facts: dict[str, object] = {"file": name, "reason": "json"}
        raise SubmissionError(message, code="load.not_a_notebook", facts=facts) from error
    cells = _cells_of(document)
    if cells is None:
        message = f"expected a notebook, got JSON without cells @ {name}"
        facts = {"file": name, "reason": "cells"}
        raise SubmissionError(message, code="load.not_a_notebook", facts=facts)
    return [
        _joined(cell.get("source", cell.get("input")))
        for cell in cells
        if isinstance(cell, dict) and cell.get("cell_type") == "code"
    ]


def _cells_of(document: object) -> list[object] | None:
    if not isinstance(document, dict):
        return None
    cells = document.get("cells")
    if isinstance(cells, list):
        return cells
    sheets = document.get("worksheets")
    if not isinstance(sheets, list):
        return None
    inner = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
    return [cell for cells in inner if isinstance(cells, list) for cell in cells]


def _joined(source: object) -> str:
    if isinstance(source, str):
        return source
    if not isinstance(source, list):
        return ""
    lines = [line for line in source if isinstance(line, str)]
    # Lists are lines with their ends; some tools leave the ends out.
    ended = any(line.endswith(("\n", "\r")) for line in lines[:-1])
    return ("" if ended else "\n").join(lines)


def too_large(name: str, size: int, limit: int, what: str) -> SubmissionError:
    """The refusal of a file with too much in it: of a "file" bytes, of "code" characters, or
    "statements".
    """
    unit = {"file": "bytes", "code": "characters of code"}.get(what, what)
    return SubmissionError(
        f"expected at most {limit} {unit}, got {size} @ {name}; clear the outputs, remove data",
        code="load.too_large",
        facts={"file": name, "size": size, "limit": limit, "what": what},
    )
