"""Who is in the class: the roster, a CSV, and who of it a name or number stands for.

student,name,email,canvas_id,moodle_id,github,section
ada,"Lovelace, Ada",ada@example.org,1001,57,ada-l,A

Only `student` has to be there. `student` is the name under which everything is kept: it must be
unique, and so must every number, address and account.
"""

import csv
import difflib
import io
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

from grader.errors import UsageError

UNIQUE = ("student", "email", "canvas_id", "moodle_id", "github")
"""Columns in which no two students may agree."""
MOST_BYTES = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One row of the roster."""

    student: str
    """The name that everything is kept under."""
    name: str = ""
    """Full name, as the LMS shows it."""
    email: str = ""
    """Address, as the LMS knows it."""
    canvas_id: str = ""
    """Number in Canvas: the column ID of its gradebook."""
    moodle_id: str = ""
    """Number of the participant in Moodle's worksheet and downloads."""
    github: str = ""
    """Account on GitHub, or on whatever hosts the repositories."""
    section: str = ""
    """Section or group."""


COLUMNS = tuple(each.name for each in fields(Person))


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What an LMS, a repository or a file name says of somebody; what is not known is empty."""

    key: str
    """The name to go by where no roster knows better; the same on every download."""
    name: str = ""
    """Full name."""
    email: str = ""
    """Address."""
    canvas_id: str = ""
    """Number in Canvas."""
    moodle_id: str = ""
    """Number of the participant in Moodle."""
    github: str = ""
    """Account that owns the repository."""
    sis_id: str = ""
    """Number or login that the institution gives."""
    anonymous: bool = False
    """Whether the LMS hides who it is."""
    doubtful: bool = False
    """Whether the number may be part of a name: then the full name has to agree with it."""


@dataclass(frozen=True, slots=True)
class Roster:
    """The class."""

    people: tuple[Person, ...] = ()
    """In the file's order."""
    where: str = ""
    """The file, for messages."""
    _found: dict[tuple[str, str], tuple[Person, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found: dict[tuple[str, str], tuple[Person, ...]] = {}
        for person in self.people:
            for column in COLUMNS:
                if value := getattr(person, column):
                    key = (column, folded(value))
                    found[key] = (*found.get(key, ()), person)
        object.__setattr__(self, "_found", found)

    def with_value(self, column: str, value: str) -> Person | None:
        """The one person whose column holds a value; None where nobody or several have it."""
        people = self._found.get((column, folded(value)), ()) if value else ()
        return people[0] if len(people) == 1 else None

    def person(self, who: Identity) -> Person | None:
        """Who it is: what is unique decides, the full name only where nothing else is known.

        None where nobody fits, and where two marks of identity stand for two people. A Moodle
        participant's number holds for one assignment only, so there the name comes first.
        """
        unique = (("canvas_id", who.canvas_id), ("email", who.email), ("github", who.github))
        found = {
            person.student: person
            for column, value in (*unique, ("student", who.sis_id))
            if (person := self.with_value(column, value))
        }
        if found:
            person = next(iter(found.values()))
            agreed = not who.doubtful or letters(who.name) in {
                letters(person.name),
                letters(turned(person.name)),
            }
            return person if len(found) == 1 and agreed else None
        if who.moodle_id:
            return self._in_moodle(who)
        for column in ("student", "github", "email"):
            if person := self.with_value(column, who.key):
                return person
        return self._named(who.name)

    def _named(self, name: str) -> Person | None:
        """Whoever has that full name, however it is turned: "Ada Lovelace", "Lovelace, Ada"."""
        return self.with_value("name", name) or self.with_value("name", turned(name))

    def _in_moodle(self, who: Identity) -> Person | None:
        if (by_name := self._named(who.name)) and not who.anonymous:
            return by_name
        by_number = self.with_value("moodle_id", who.moodle_id)
        if by_number is None:
            return None
        unknown = who.anonymous or not (by_number.name and who.name)
        return by_number if unknown else None

    def missing(self, students: Iterable[str]) -> tuple[str, ...]:
        """Those of the class who are not among some students."""
        there = set(students)
        return tuple(person.student for person in self.people if person.student not in there)


def folded(value: str) -> str:
    """What two spellings of one name, number or address have in common."""
    return " ".join(unicodedata.normalize("NFC", value).casefold().split())


def letters(name: str) -> str:
    """The letters and digits of a name: all that Canvas leaves of it in a file's name."""
    return "".join(char for char in folded(name) if char.isalnum() or char == "_")


def turned(name: str) -> str:
    """A full name the other way round: "Lovelace, Ada" for "Ada Lovelace", and back."""
    last, comma, first = name.partition(",")
    if comma:
        return f"{first.strip()} {last.strip()}"
    *given, family = name.split() or [""]
    return f"{family}, {' '.join(given)}" if given else name


def read_roster(path: Path) -> Roster:
    """The roster in a file.

    Raises:
        UsageError: it can't be read, is no UTF-8, lacks `student`, has a column that is not known,
            or two of its students agree where they must not.
    """
    try:
        raw = path.read_bytes()[: MOST_BYTES + 1]
    except OSError as error:
        raise UsageError(f"expected a roster, got {error.strerror} @ {path}") from error
    if len(raw) > MOST_BYTES:
        raise UsageError(f"expected a roster of at most {MOST_BYTES} bytes, got more @ {path}")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"expected a roster in UTF-8, got byte {raw[error.start]:#04x} at {error.start} @ "
            f"{path}; save it again as CSV UTF-8"
        ) from error
    people = tuple(_people(text, path))
    for column in UNIQUE:
        counts = Counter(folded(getattr(each, column)) for each in people)
        for value, count in counts.items():
            if value and count > 1:
                raise UsageError(
                    f"expected every {column} once, got {value!r} {count} times @ {path}; mend "
                    "the row that is wrong"
                )
    return Roster(people, str(path))


def _people(text: str, path: Path) -> Iterator[Person]:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=lambda each: (first.count(each), each == ","))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [column.strip().casefold() for column in next(reader, [])]
        _known(header, path)
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if len(cells) != len(header):
                raise UsageError(
                    f"expected {len(header)} cells, got {len(cells)} @ {path} line "
                    f"{reader.line_num}; put a cell with a comma in it between quotes"
                )
            person = Person(**dict(zip(header, cells, strict=True)))
            if not person.student:
                raise UsageError(
                    f"expected a name in the column student, got none @ {path} line "
                    f"{reader.line_num}"
                )
            yield person
    except csv.Error as error:
        raise UsageError(f"expected CSV, got {error} @ {path} line {reader.line_num}") from error


def _known(header: list[str], path: Path) -> None:
    for column in header:
        if column not in COLUMNS:
            near = difflib.get_close_matches(column, COLUMNS, 1)
            hint = f"did you mean {near[0]!r}?" if near else "take it out"
            raise UsageError(
                f"expected columns among {', '.join(COLUMNS)}, got {column!r} @ {path} line 1; "
                f"{hint}"
            )
    if "student" not in header or len(set(header)) != len(header):
        raise UsageError(
            f"expected the column student, and each column once, got {', '.join(header)!r} @ "
            f"{path} line 1"
        )
