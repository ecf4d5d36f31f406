"""One target for each reader of what others wrote: bytes in, a value or a documented refusal.

A target raises for anything else. Both hypothesis (`tests/test_fuzz.py`) and atheris
(`tests/fuzz/run.py`) drive them, and both begin with the seeds in `corpus/`.
"""

import json
import os
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.checks import CHECKS
from grader.collect import MOST_FILES, collect
from grader.collect.archives import FREE_BYTES, MOST_RATIO
from grader.errors import CourseError, SubmissionError, UsageError
from grader.load import load
from grader.rubric import RUBRIC, parse_rubric, read_rubric
from grader.sandbox import wire
from grader.sandbox.outputs import raw_output
from grader.types import Call, Job, Outcome, Submission, SubmittedFile, Trial

CORPUS = Path(__file__).parent / "corpus"
CAPS = wire.Caps(header_bytes=20_000, payload_bytes=50_000)
ENTRIES = ("LSTM", "f")
TRIAL = Trial(case="c", variant="base", entry="f", probe="gradients", calls=(Call(args={}),))
JOB = Job(source="", modules={}, trials=(TRIAL,), forbidden=("torch.nn.LSTM",))


def clear(error: Exception, *, where: str = "") -> None:
    """A refusal says what was expected, in a text of bounded length that can be written down."""
    text = str(error)
    assert "expected" in text and where in text, text
    # One line for each fault of a rubric, each bounded by what the file itself says.
    assert all(len(line) < 4_000 for line in text.splitlines()), text[:200]
    text.encode()


def wire_reader(data: bytes) -> None:
    """Frames as student code may forge them, and what the runner makes of their content."""
    try:
        tree = wire.decode(data, CAPS)
    except wire.WireError as error:
        clear(error)
    else:
        json.dumps(repr(tree)[:100])
        for trial in (None, TRIAL):
            output = raw_output(tree, trial, JOB, "")
            assert output.outcome is not Outcome.BROKEN
            json.dumps(dict(output.facts), ensure_ascii=False).encode()
    reader = wire.FrameReader(CAPS)
    try:
        for start in range(0, len(data), 7):
            list(reader.feed(data[start : start + 7]))
    except wire.WireError as error:
        clear(error)


def module(data: bytes) -> None:
    """A .py file as a student hands it in."""
    _loaded("lstm.py", data)


def notebook(data: bytes) -> None:
    """A notebook as a student hands it in."""
    _loaded("lstm.ipynb", data)


def _loaded(name: str, data: bytes) -> None:
    file = SubmittedFile(name=name, content=data)
    submission = Submission(student="kim", assignment="lstm", path="in/kim", files=(file,))
    for everything in (False, True):
        try:
            loaded = load(submission, ENTRIES, everything=everything)
        except SubmissionError as error:
            clear(error, where=name)
            assert error.code.startswith("load.")
            json.dumps(error.facts)
        else:
            assert len(loaded.origins) == loaded.source.count("\n")
            json.dumps([dict(note.facts) for note in loaded.notes])
            loaded.source.encode()


def archive(data: bytes) -> None:
    """A class's zip, and the same bytes as a student's zip in a folder."""
    with _as_file(data, "class.zip") as path:
        before = sorted(each.name for each in path.parent.iterdir())
        for asked in (path, path.parent):
            try:
                found = collect([asked], "lstm")
            except UsageError as error:
                clear(error, where=str(path.parent))
                continue
            names = [each.student for each in found.submissions]
            assert len(set(names)) == len(names)
            for each in found.submissions:
                assert len(each.files) <= MOST_FILES
                for name in (each.student, *(file.name for file in each.files)):
                    assert "/" not in name and "\\" not in name and name not in ("", ".", "..")
                    assert name.isprintable() or "\u200d" in name or "\u200c" in name, name
            for line in found.skipped:
                assert ": " in line
                line.encode()
        assert sorted(each.name for each in path.parent.iterdir()) == before


def rubric(data: bytes) -> None:
    """A rubric as an author writes it."""
    with _as_file(data, "tiny.yaml") as path:
        try:
            read = read_rubric(path, tuple(CHECKS))
        except CourseError as error:
            clear(error, where=str(path))
        else:
            again = parse_rubric(RUBRIC.dump_python(read), "again", tuple(CHECKS))
            assert again == read


@contextmanager
def _as_file(data: bytes, name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="grader-fuzz-", dir=_memory()) as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        yield path


def _memory() -> str | None:
    """A folder that costs no disk, where there is one."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


TARGETS: dict[str, Callable[[bytes], None]] = {
    "wire": wire_reader,
    "module": module,
    "notebook": notebook,
    "archive": archive,
    "rubric": rubric,
}

MOST_MEMORY: dict[str, Callable[[int], int]] = {
    # The header's text becomes objects, about 60 bytes for "[]," (both ways of reading it).
    "wire": lambda size: 1_000_000 + 120 * min(size, CAPS.header_bytes) + 4 * size,
    # Python's own parser takes about a kilobyte for each name and operator.
    "module": lambda size: 3_000_000 + 4_000 * size,
    "notebook": lambda size: 3_000_000 + 4_000 * size,
    "archive": lambda size: 3_000_000 + 2 * max(FREE_BYTES, MOST_RATIO * size),
    "rubric": lambda size: 3_000_000 + 10_000 * size,
}
"""Bytes that a target may hold at once, by the size of its input."""


def peak_bytes(target: str, data: bytes) -> int:
    """The most memory that Python held at once while a target ran."""
    tracemalloc.start()
    try:
        TARGETS[target](data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def seeds(target: str) -> list[Path]:
    """What a target begins with: samples, and whatever once broke it."""
    return sorted(path for path in (CORPUS / target).iterdir() if path.is_file())
