"""What IPython adds to Python, taken out of a cell so that lines keep their number."""

import re

_KEPT_CELL_MAGICS = frozenset({"time", "timeit", "capture", "prun"})
_TIMED = re.compile(r"(\s*)%time[ \t]+(?=[^\s-])")
_LINE = re.compile(
    r"\s*(?:[%!?]"  # %magic, !shell, ?help
    r"|[\w.%*]+[ \t]*\?{1,2}\s*$"  # help?
    r"|\w[\w\s,.\[\]]*=[ \t]*(?:!|%[ \t]*[A-Za-z]))"  # x = !shell, x = %magic
)
_PIECE = re.compile(
    r"(?P<comment>\#.*)"
    r"|(?P<triple>\"{3}|'{3})"
    # A string that does not end takes its line with it: trying again behind it would be quadratic.
    r"|\"(?:\\.|[^\"\\])*(?:\"|\\?$)|'(?:\\.|[^'\\])*(?:'|\\?$)"
    r"|(?P<open>[\[({])|(?P<close>[\])}])"
)
_ENDS = {
    '"""': re.compile(r'(?:\\.|(?!""")[^\\])*"""'),
    "'''": re.compile(r"(?:\\.|(?!''')[^\\])*'''"),
}


class _Reader:
    """Tells whether the next line starts a statement, without parsing what can't be parsed."""

    def __init__(self) -> None:
        self._quote = ""
        self._depth = 0
        self._continued = False

    @property
    def fresh(self) -> bool:
        return not (self._quote or self._depth or self._continued)

    def feed(self, line: str) -> None:
        at = 0
        comment = False
        while True:
            if self._quote:
                end = _ENDS[self._quote].match(line, at)
                if end is None:
                    break
                self._quote, at = "", end.end()
            piece = _PIECE.search(line, at)
            if piece is None:
                break
            at = piece.end()
            if piece["comment"] is not None:
                comment = True
                break
            if piece["triple"] is not None:
                self._quote = piece["triple"]
            elif piece["open"] is not None:
                self._depth += 1
            elif piece["close"] is not None:
                self._depth = max(0, self._depth - 1)
        self._continued = not self._quote and not comment and line.endswith("\\")


def python_only(text: str) -> tuple[str, int]:
    """A cell without IPython's own lines, as many lines long, and how many were taken out.

    A whole-cell magic such as `%%bash` takes the cell with it; `%%time` and its like do not.
    A line inside a block becomes `pass`, so that the block does not end up empty.
    """
    lines = text.split("\n")
    first = next((i for i, x in enumerate(lines) if x.strip() and x.lstrip()[0] != "#"), None)
    if first is None:
        return text, 0
    removed = 0
    if lines[first].lstrip().startswith("%%"):
        magic = re.match(r"\s*%%(\w*)", lines[first])
        if magic is None or magic[1] not in _KEPT_CELL_MAGICS:
            return "\n" * (len(lines) - 1), 1
        lines[first] = ""
        removed = 1
    lines = _without_leading_indent(lines)
    reader = _Reader()
    number = 0
    while number < len(lines):
        line = lines[number]
        if reader.fresh and _LINE.match(line):
            removed += 1
            number = _take_out(lines, number)
        else:
            reader.feed(line)
        number += 1
    return "\n".join(lines), removed


def _take_out(lines: list[str], number: int) -> int:
    """Blank the magic at `number` and what it continues over; the last line it took."""
    line = lines[number]
    timed = _TIMED.match(line)
    if timed:
        lines[number] = timed[1] + line[timed.end() :]
        return number
    indent = line[: len(line) - len(line.lstrip())]
    lines[number] = f"{indent}pass" if indent else ""
    while line.endswith("\\") and number + 1 < len(lines):
        number += 1
        line = lines[number]
        lines[number] = ""
    return number


def _without_leading_indent(lines: list[str]) -> list[str]:
    first = next((line for line in lines if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    return [line.removeprefix(indent) for line in lines] if indent else lines
