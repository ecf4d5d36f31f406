import os
from pathlib import Path

import pytest

from grader.errors import EngineError
from grader.files import write_whole


def test_a_file_is_whole_and_its_folder_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "한글.txt"
    write_whole(path, b"one")
    write_whole(path, b"two", synced=True)
    assert path.read_bytes() == b"two"
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_what_is_private_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o644)
    write_whole(path, b"new", private=True)
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_was_there_stays_where_the_disk_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "marks.csv"
    write_whole(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EngineError) as refused:
        write_whole(path, b"new", "do this next", synced=True)
    assert str(refused.value) == (
        f"expected to write {path}, got: No space left on device; do this next"
    )
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["marks.csv"]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match=r"expected to write .*within, got: "):
        write_whole(tmp_path / "file" / "within", b"")
