"""What a student's folder holds, how it is packed, and how it is refreshed."""

import ast
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import numpy as np
import pytest
from test_cli import run
from tiny_course import RIGHT, make_course

from grader.assignment import read_assignment
from grader.course import Settings
from grader.errors import CourseError, UsageError
from grader.packing import (
    MANIFEST,
    Manifest,
    fetched,
    newest,
    packed,
    place,
    read_manifest,
    student_folder,
    unpacked,
    version,
)

ROOT = Path(__file__).resolve().parent.parent
FILES = {
    "tiny.py": b"x = 1\n",
    "tiny.ipynb": b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
    "public.json": b"{}",
    "README.md": b"# Tiny\n",
}
WHEEL = "https://example.org/sequence_grader-0.1.0-py3-none-any.whl"
SETTINGS = Settings(wheel=WHEEL, bundles="https://example.org/{assignment}.zip")


def test_a_released_folder_holds_what_a_student_needs_and_nothing_of_the_solution(
    tmp_path: Path,
) -> None:
    result = run("release", "schedule", "--to", tmp_path / "schedule.zip", cwd=ROOT)
    assert result.returncode == 0, result.stderr
    with zipfile.ZipFile(tmp_path / "schedule.zip") as archive:
        archive.extractall(tmp_path / "home")
    folder = tmp_path / "home"
    assert sorted(path.name for path in folder.iterdir()) == [
        *("README.ko.md", "README.md", "bundle.json", "public.json", "public.npz", "pytest.ini"),
        *("requirements.txt", "schedule.ipynb", "schedule.py"),
    ]
    assignment = read_assignment(ROOT, "schedule")
    text = "".join(p.read_text("utf-8") for p in folder.iterdir() if p.suffix != ".npz")
    for case in assignment.rubric.cases:
        assert (f'"{case.id}"' in text) == (case.show == "public"), case.id
    source = assignment.reference.content.decode()
    for region in re.findall(r"BEGIN SOLUTION\n(.*?)# END SOLUTION", source, re.S):
        for line in map(str.strip, region.splitlines()):
            assert len(line) < 25 or line not in text
    for patch in assignment.rubric.misconceptions:
        assert all(edit.put not in text for edit in patch.edits if len(edit.put) > 25)
    with np.load(folder / "public.npz") as arrays:
        hidden = [case.id for case in assignment.rubric.cases if case.show == "hidden"]
        assert not {name.split("/")[0] for name in arrays.files} & set(hidden)
    told = json.loads((folder / "public.json").read_text("utf-8"))
    assert told["leaves"] and told["mistakes"]["prints"]
    requirements = (folder / "requirements.txt").read_text().split("\n")
    assert "sequence-grader>=0.1.0" in requirements
    assert "torch>=2.3" in requirements and not [line for line in requirements if "==" in line]


def test_the_version_is_of_what_is_handed_out_and_of_nothing_else() -> None:
    first = version(FILES, "tiny")
    assert first == version({**FILES, "tiny.ipynb": b"other", MANIFEST: b"x"}, "tiny")
    for name in ("tiny.py", "public.json", "README.md"):
        assert version({**FILES, name: b"other"}, "tiny") != first


def test_the_same_folder_makes_the_same_zip_and_comes_back_out_of_it() -> None:
    files = student_folder(FILES, "tiny", SETTINGS)
    assert packed(files) == packed(dict(reversed(files.items())))
    manifest, again = unpacked(packed(files), "here")
    assert again == files
    assert manifest == Manifest(
        assignment="tiny",
        version=version(FILES, "tiny"),
        engine=manifest.engine,
        source="https://example.org/tiny.zip",
    )


def test_the_notebook_installs_the_engine_first_and_checks_last() -> None:
    notebook = student_folder(FILES, "tiny", SETTINGS)["tiny.ipynb"].decode()
    read = nbformat.reads(notebook, as_version=4)
    nbformat.validate(read)
    first, last = read.cells[0].source, read.cells[-1].source
    ast.parse(first)
    assert WHEEL in first and '"-c", str(constraints)' in first
    assert 'grader.fetch("tiny", "https://example.org/tiny.zip")' in first
    assert last.endswith('grader.check("tiny")')


def test_without_addresses_the_notebook_only_checks() -> None:
    notebook = json.loads(student_folder(FILES, "tiny", Settings())["tiny.ipynb"])
    assert [cell["id"] for cell in notebook["cells"]] == ["tiny-check"]


def test_a_students_code_is_never_written_over(tmp_path: Path) -> None:
    files = student_folder(FILES, "tiny", SETTINGS)
    place(files, "tiny", tmp_path)
    (tmp_path / "tiny.py").write_text("mine")
    (tmp_path / "README.md").write_text("scribbles")
    (tmp_path / "notes.txt").write_text("mine too")
    assert place(files, "tiny", tmp_path) == (tmp_path / "README.md",)
    assert (tmp_path / "tiny.py").read_text() == "mine"
    assert (tmp_path / "notes.txt").read_text() == "mine too"


@pytest.mark.parametrize("name", ["../outside.py", "/tmp/outside.py", "a\\b.py", "c:x", ".."])
def test_a_zip_that_reaches_out_of_its_folder_is_refused(name: str) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(MANIFEST, student_folder(FILES, "tiny", SETTINGS)[MANIFEST])
        archive.writestr(name, "x")
    with pytest.raises(CourseError, match="other folders"):
        unpacked(made.getvalue(), "here")


@pytest.mark.parametrize("content", [b"", b"no zip", packed(FILES)])
def test_what_is_no_zip_of_an_assignment_is_refused(content: bytes) -> None:
    with pytest.raises(CourseError, match="no zip of an assignment"):
        unpacked(content, "here")


def test_what_can_not_be_had_is_refused_with_its_address(tmp_path: Path) -> None:
    for address in (str(tmp_path / "none.zip"), (tmp_path / "none.zip").as_uri()):
        with pytest.raises(CourseError, match=r"none\.zip"):
            fetched(address)


def test_the_newest_version_stands_beside_the_zip_and_may_be_out_of_reach(tmp_path: Path) -> None:
    files = student_folder(FILES, "tiny", SETTINGS)
    (tmp_path / "tiny.json").write_bytes(files[MANIFEST])
    source = (tmp_path / "tiny.zip").as_uri()
    known = Manifest(assignment="tiny", version="old", engine="0", source=source)
    assert newest(known) == version(FILES, "tiny")
    (tmp_path / "tiny.json").unlink()
    assert newest(known) == ""
    assert newest(Manifest(assignment="tiny", version="old", engine="0")) == ""


def test_a_folder_is_refreshed_from_a_newer_zip_but_for_the_code(tmp_path: Path) -> None:
    course = make_course(tmp_path / "course")
    zips = tmp_path / "zips" / "{assignment}.zip"
    (course / "course.yaml").write_text(f"bundles: file://{zips}\n")
    home = tmp_path / "home"
    for to in (zips.with_name("tiny.zip"), home):
        assert run("release", "tiny", "--to", to, cwd=course).returncode == 0
    (home / "tiny.py").write_text(RIGHT)
    refused = run("release", "tiny", "--to", home, cwd=course)
    assert (refused.returncode, "--update" in refused.stderr) == (2, True)

    (course / "assignments" / "tiny" / "README.md").write_text("# Clearer\n")
    assert run("release", "tiny", "--to", home, "--check", cwd=course).returncode == 1
    assert run("release", "tiny", "--to", zips.with_name("tiny.zip"), cwd=course).returncode == 0
    updated = run("release", "--update", cwd=home)
    assert updated.returncode == 0, updated.stderr
    assert (home / "README.md").read_text() == "# Clearer\n"
    assert (home / "tiny.py").read_text() == RIGHT
    assert run("release", "tiny", "--to", home, "--check", cwd=course).returncode == 0
    assert run("release", "tiny", "--to", home, "--update", cwd=course).stdout == ""


def test_refreshing_without_an_address_says_what_to_name(tmp_path: Path) -> None:
    place(student_folder(FILES, "tiny", Settings()), "tiny", tmp_path)
    refused = run("release", "--update", cwd=tmp_path)
    assert refused.returncode == 2 and "--from FILE.zip" in refused.stderr
    other = tmp_path / "other.zip"
    renamed = {name.replace("tiny", "other"): content for name, content in FILES.items()}
    other.write_bytes(packed(student_folder(renamed, "other", Settings())))
    refused = run("release", "--update", "--from", other, cwd=tmp_path)
    assert refused.returncode == 2 and "that of other" in refused.stderr


def test_a_folder_that_can_not_be_written_is_refused() -> None:
    with pytest.raises(UsageError, match="expected a folder to write to"):
        place(student_folder(FILES, "tiny", Settings()), "tiny", Path("/proc/nothing"))


def test_a_damaged_manifest_is_none(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) is None
    (tmp_path / MANIFEST).write_text("{")
    assert read_manifest(tmp_path) is None


@pytest.mark.slow
def test_the_first_cell_installs_the_engine_and_leaves_torch_and_numpy_as_they_are(
    tmp_path: Path,
) -> None:
    wheels = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(tmp_path)]
    subprocess.run([*wheels, str(ROOT)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    for there in Path(np.__file__).parent.parent.iterdir():  # as in Colab: all but the engine
        if "sequence_grader" not in there.name and not (site / there.name).exists():
            (site / there.name).symlink_to(there)
    files = student_folder(FILES, "tiny", Settings(wheel=wheel.as_uri()))
    cell = "".join(json.loads(files["tiny.ipynb"])["cells"][0]["source"])
    before = "import torch, numpy, sys; print(torch.__version__, numpy.__version__)"
    versions = subprocess.run([python, "-c", before], check=True, capture_output=True, text=True)
    script = f"{cell}\nimport grader\nprint(grader.__file__)\n{before}"
    ran = subprocess.run([python, "-I", "-c", script], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert str(site) in ran.stdout
    assert ran.stdout.endswith(versions.stdout)
