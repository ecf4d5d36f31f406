"""Files that are whole or not there, and what is said where one can't be written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.errors import EngineError

AGAIN = "make room and run it again"


@contextmanager
def writing(path: Path, advice: str = AGAIN) -> Iterator[None]:
    """While something is written: what the disk refuses is our own fault, said with its place.

    Args:
        path: where it is written, as people are told.
        advice: what to do next.

    Raises:
        EngineError: it can't be written.
    """
    try:
        yield
    except OSError as error:
        raise EngineError(f"expected to write {path}, got: {error.strerror}; {advice}") from error


def write_whole(
    path: Path,
    content: bytes,
    advice: str = AGAIN,
    *,
    private: bool = False,
    synced: bool = False,
) -> None:
    """Writes a file, whole or not at all; its folder is made where it is not there.

    Args:
        path: the file.
        content: all of it.
        advice: what to do next, where it can't be written.
        private: for its owner alone.
        synced: on the disk before it takes the old one's place.

    Raises:
        EngineError: it can't be written; what was there before is there still.
    """
    # One name, so that the next run puts away what a killed one has left.
    part = path.with_name(f".{path.name}.part")
    with writing(path, advice):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.unlink(missing_ok=True)
            part.touch(mode=0o600 if private else 0o666)
            part.write_bytes(content)
            if synced:
                with part.open("rb") as file:
                    os.fsync(file.fileno())
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
