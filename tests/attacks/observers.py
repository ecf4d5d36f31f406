"""How an attack's success is seen from outside: small functions over a scene and what came out."""

import csv
import glob
import io
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser

from grader.reports.pages import script
from tests.attacks.scene import STAYS_SECONDS, Scene

DANGEROUS = {"script", "img", "iframe", "object", "embed", "link", "base", "form", "input", "video"}
OURS = (
    f"<script>{script('_class.js')}</script>",
    '<input type="search" id="find" autocomplete="off" spellcheck="false" aria-describedby="keys">',
)
"""What the class page itself sorts and filters by, once each; no other may stand there."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


@dataclass
class Evidence:
    """What came out of one run of an attack."""

    text: str = ""
    """Everything that came back: what was printed, the grade, the pages."""
    public: str = ""
    """Of that, what the student gets to see."""
    seconds: float = 0.0
    """How long its grading took."""
    patience: float = STAYS_SECONDS - 2.5
    """What it may take."""
    left: list[str] = field(default_factory=list)
    """Processes and folders that were left behind."""
    score: float | None = None
    """What it earned; None where there is no mark."""
    twin: float = 0.0
    """What the same wrong answers earn without the trick."""
    neighbours: bool = True
    """Whether every other submission got the mark it gets alone."""
    died: str = ""
    """What became of the grader, or that its mark was withheld as our fault."""
    page: str = ""
    """HTML."""
    csv: str = ""
    """Marks as CSV."""
    terminal: str = ""
    """What was printed on the instructor's terminal."""
    hidden: tuple[str, ...] = ()
    """Numbers that stand in hidden inputs only."""
    read_bytes: int = 0
    """Bytes that were unpacked, read or kept on the grader's side."""


def carried(scene: Scene, seen: Evidence, _: str) -> bool:
    """What stands in a file or memory that is not the student's came out."""
    return scene.canary in seen.text


def sized(scene: Scene, seen: Evidence, _: str) -> bool:
    """The size of a file that can't be read came out."""
    return f"SIZE-{scene.size}" in seen.text


def told(scene: Scene, seen: Evidence, _: str) -> bool:
    """It could do what it then says by a token."""
    return scene.token in seen.text


def heard(scene: Scene, seen: Evidence, _: str) -> bool:
    """A listener heard it."""
    return scene.canary.encode() in scene.listeners.heard


def received(scene: Scene, seen: Evidence, _: str) -> bool:
    """A message came through a queue."""
    return scene.received()


def changed(scene: Scene, seen: Evidence, name: str) -> bool:
    """A file is not as it was: content, mode, owner, times, attributes; or is new, or gone."""
    return any(name.replace("NAME", scene.name) in path for path in scene.changed())


def appeared(scene: Scene, seen: Evidence, path: str) -> bool:
    """A file is there."""
    return bool(glob.glob(path.replace("NAME", scene.name)))


def victim(scene: Scene, seen: Evidence, _: str) -> bool:
    """Another process was ended, stopped, slowed or limited."""
    return scene.hurt()


def memory(scene: Scene, seen: Evidence, _: str) -> bool:
    """The grader's own memory was written to."""
    return scene.canary_bytes.value != scene.canary.encode()


def score(scene: Scene, seen: Evidence, _: str) -> bool:
    """It earned more than the same answers earn without the trick."""
    return seen.score is not None and seen.score > seen.twin


def neighbours(scene: Scene, seen: Evidence, _: str) -> bool:
    """Somebody else's mark is another one or missing, or its own was withheld as our fault."""
    return not seen.neighbours or bool(seen.died)


def lingers(scene: Scene, seen: Evidence, _: str) -> bool:
    """It holds the grader up for as long as it likes, or something is left behind."""
    return seen.seconds > seen.patience or bool(seen.left)


def left(scene: Scene, seen: Evidence, _: str) -> bool:
    """A folder or process is left behind."""
    return bool(seen.left)


def unpacked(scene: Scene, seen: Evidence, megabytes: str) -> bool:
    """That much was unpacked, read or kept for it."""
    return seen.read_bytes > int(megabytes) * 1_000_000


def hidden(scene: Scene, seen: Evidence, _: str) -> bool:
    """Numbers of a hidden input stand in what the student gets to see."""
    return any(number in seen.public for number in seen.hidden)


def timed(scene: Scene, seen: Evidence, _: str) -> bool:
    """How long it took, hidden trials and all, stands in what the student gets to see."""
    found = re.findall(r'"seconds": ([0-9.]+)|took ([0-9.]+) s', seen.public)
    return any(float(one or other) > 0.35 for one, other in found)


class _Active(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: (value or "").strip().casefold() for name, value in attrs}
        if tag in DANGEROUS or any(name.startswith("on") for name in given):
            self.found.append(tag)
        if any(value.startswith("javascript:") for value in given.values()):
            self.found.append(f"{tag} javascript:")
        if tag == "meta" and given.get("http-equiv") == "refresh":
            self.found.append("refresh")


def active(scene: Scene, seen: Evidence, _: str) -> bool:
    """A page holds what runs or is fetched."""
    reader = _Active()
    page = seen.page
    for ours in OURS:
        page = page.replace(ours, "", 1)
    reader.feed(page)
    reader.close()
    return bool(reader.found)


def formula(scene: Scene, seen: Evidence, _: str) -> bool:
    """A cell of the marks is a formula to a spreadsheet, or a row is not as wide as the others."""
    rows = list(csv.reader(io.StringIO(seen.csv.lstrip("\ufeff"))))
    cells = [cell for row in rows for cell in row]
    return any(cell.lstrip(" ").startswith(FORMULA) for cell in cells) or any(
        len(row) != len(rows[0]) for row in rows if row
    )


def escapes(scene: Scene, seen: Evidence, _: str) -> bool:
    """Control characters of the student's reach the instructor's terminal."""
    return any(
        (unicodedata.category(char) == "Cc" and char != "\n") or char in "\u202e\u2066\u200f"
        for char in seen.terminal
    )


def misleads(scene: Scene, seen: Evidence, _: str) -> bool:
    """A name that reads as another stands raw on a page, in the marks or on the terminal."""
    return any(char in seen.page + seen.csv + seen.terminal for char in "\u202e\u2066\u200b\u200f")


OBSERVERS: dict[str, Callable[[Scene, Evidence, str], bool]] = {
    function.__name__: function
    for function in (
        carried, sized, told, heard, received, changed, appeared, victim, memory, score,
        neighbours, lingers, left, unpacked, hidden, timed, active, formula, escapes,
        misleads,
    )
}  # fmt: skip


def succeeded(scene: Scene, seen: Evidence, ways: tuple[str, ...]) -> list[str]:
    """The ways in which it succeeded; none is a stopped attack."""
    found = []
    for way in ways:
        name, _, rest = way.partition(" ")
        if OBSERVERS[name](scene, seen, rest):
            found.append(way)
    return found
