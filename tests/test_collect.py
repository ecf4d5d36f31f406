"""Who handed in what."""

from pathlib import Path

import pytest

from grader.collect import MOST_BYTES, collect
from grader.errors import UsageError


def write(path: Path, content: str = "x = 1\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def students(*paths: Path) -> list[str]:
    return [each.student for each in collect(paths, "lstm").submissions]


def test_a_file_is_named_after_its_stem(tmp_path: Path) -> None:
    assert students(write(tmp_path / "ada.py")) == ["ada"]


def test_a_folder_of_files_holds_one_submission_each(tmp_path: Path) -> None:
    write(tmp_path / "ada.py")
    write(tmp_path / "김민준.ipynb", "{}")
    assert students(tmp_path) == ["ada", "김민준"]


def test_a_folder_with_the_assignments_own_name_in_it_is_one_submission(tmp_path: Path) -> None:
    write(tmp_path / "dmitri" / "lstm.py")
    write(tmp_path / "dmitri" / "plotting.py")
    (found,) = collect([tmp_path / "dmitri"], "lstm").submissions
    assert found.student == "dmitri"
    assert [file.name for file in found.files] == ["lstm.py", "plotting.py"]


def test_files_and_folders_can_be_mixed(tmp_path: Path) -> None:
    write(tmp_path / "ada.py")
    write(tmp_path / "dmitri" / "lstm.ipynb", "{}")
    assert students(tmp_path) == ["ada", "dmitri"]


def test_two_of_one_name_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path / "ada.py")
    write(tmp_path / "ada.ipynb", "{}")
    assert students(tmp_path) == ["ada", "ada (2)"]


def test_what_is_not_recognised_is_listed(tmp_path: Path) -> None:
    write(tmp_path / "ada.py")
    write(tmp_path / "essay.docx")
    (tmp_path / "nobody").mkdir()
    skipped = collect([tmp_path], "lstm").skipped
    assert len(skipped) == 2
    assert "essay.docx" in skipped[0] and "nobody" in skipped[1]


def test_caches_and_hidden_files_are_no_submissions(tmp_path: Path) -> None:
    write(tmp_path / "ada.py")
    write(tmp_path / ".ipynb_checkpoints" / "ada-checkpoint.ipynb")
    write(tmp_path / "__pycache__" / "ada.py")
    write(tmp_path / ".hidden.py")
    assert students(tmp_path) == ["ada"]


def test_links_are_not_followed_and_said(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.py")
    folder = tmp_path / "in"
    write(folder / "ada.py")
    (folder / "eve.py").symlink_to(secret)
    write(folder / "bob" / "lstm.py")
    (folder / "bob" / "more.py").symlink_to(secret)
    found = collect([folder], "lstm")
    assert [each.student for each in found.submissions] == ["ada", "bob"]
    assert [file.name for file in found.submissions[1].files] == ["lstm.py"]
    assert "eve.py" in found.skipped[0]


@pytest.mark.parametrize("suffix", MOST_BYTES)
def test_of_a_huge_file_only_the_start_is_read(suffix: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"ada{suffix}", "#" * (MOST_BYTES[suffix] + 1000))
    (found,) = collect([path], "lstm").submissions
    assert len(found.files[0].content) == MOST_BYTES[suffix] + 1


def test_a_notebook_full_of_pictures_is_read_whole(tmp_path: Path) -> None:
    path = write(
        tmp_path / "ada.ipynb", '{"cells": [], "metadata": {"x": "' + "x" * 9_000_000 + '"}}'
    )
    (found,) = collect([path], "lstm").submissions
    assert found.files[0].content == path.read_bytes()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: folder / "nowhere", "nothing at"),
        (lambda folder: folder, "found none"),
        (lambda folder: write(folder / "notes.txt").parent, "found none"),
    ],
)
def test_a_path_without_a_submission_is_refused(make, said: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError, match=said):
        collect([make(tmp_path)], "lstm")


def test_an_empty_zip_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "all.zip"
    archive.write_bytes(b"PK\x05\x06" + bytes(18))
    with pytest.raises(UsageError, match="found none"):
        collect([archive], "lstm")


def test_a_module_with_a_zip_behind_it_is_a_module(tmp_path: Path) -> None:
    archive = b"PK\x05\x06" + bytes(18)
    (tmp_path / "ada.py").write_bytes(b"x = 1\n" + archive)
    (found,) = collect([tmp_path / "ada.py"], "lstm").submissions
    assert found.files[0].content.endswith(archive)


def test_somebody_may_be_called_like_a_second_one(tmp_path: Path) -> None:
    names = ["ada (2).py", "ada.ipynb", "ada.py"]
    for name in names:
        write(tmp_path / name)
    assert sorted(students(tmp_path)) == ["ada", "ada (2)", "ada (3)"]


def test_upper_case_suffixes_and_folders_within_a_folder_are_found(tmp_path: Path) -> None:
    write(tmp_path / "ci.PY")
    write(tmp_path / "bo" / "week 3" / "lstm.py")
    found = collect([tmp_path], "lstm")
    assert [each.student for each in found.submissions] == ["bo", "ci"]
    assert [file.name for file in found.submissions[0].files] == ["lstm.py"]
    assert found.skipped == ()


def test_a_students_folder_without_work_is_a_submission_all_the_same(tmp_path: Path) -> None:
    write(tmp_path / "ada.py")
    write(tmp_path / "bo" / "essay.docx")
    assert students(tmp_path) == ["ada", "bo"]


def test_the_name_of_what_is_skipped_does_nothing_on_a_terminal(tmp_path: Path) -> None:
    write(tmp_path / "ada.py")
    write(tmp_path / "work\x1b[2J\r.docx")
    (line,) = collect([tmp_path], "x").skipped
    assert "work" in line and line.isprintable()
