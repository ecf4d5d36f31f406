"""The site: it builds without a warning, and every command and workflow in it does what it says."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from tiny_course import RIGHT, hand_in, make_course

from grader.cli import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [DOCS / "index.md", DOCS / "ci.md", DOCS / "first-assignment.md"]
PAGES += sorted((DOCS / "start").glob("*.md"))
FILES = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)^```', re.M | re.S)
SHELL = re.compile(r"^```sh\n(.*?)^```", re.M | re.S)
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]["hooks"]


def python(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def files_of(page: str) -> list[tuple[str, str]]:
    return FILES.findall((DOCS / page).read_text("utf-8"))


def typed(page: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """All commands of a page, one after another, as in a terminal; the first failure ends it."""
    script = "\n".join(SHELL.findall((DOCS / page).read_text("utf-8")))
    assert script, f"{page} has no command"
    shell = f'grader() {{ {sys.executable} -m grader "$@"; }}\nset -eux\n{script}'
    return subprocess.run(
        ["bash", "-c", shell],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=250,
    )


def test_the_site_builds_and_no_warning_is_let_through(tmp_path: Path) -> None:
    built = python("-m", "mkdocs", "build", "--strict", "-d", tmp_path / "site")
    assert built.returncode == 0, built.stdout + built.stderr
    home = (tmp_path / "site" / "index.html").read_text("utf-8")
    for page in PAGES[1:]:
        assert page.relative_to(DOCS).with_suffix("").as_posix() in home, "not in the navigation"


def test_a_link_that_leads_nowhere_would_fail_the_build(tmp_path: Path) -> None:
    for name in ("docs", "mkdocs.yml"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    page = tmp_path / "docs" / "numerics.md"
    page.write_text(page.read_text("utf-8") + "\n[nowhere](nowhere.md)\n", "utf-8")
    configuration = tmp_path / "mkdocs.yml"
    built = python("-m", "mkdocs", "build", "--strict", "-f", configuration)
    assert built.returncode != 0


def test_the_reference_of_rubrics_is_fresh() -> None:
    checked = python(DOCS / "rubric_reference.py", "--check")
    assert checked.returncode == 0, checked.stderr


def test_every_key_of_a_rubric_has_a_type_and_a_sentence() -> None:
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in (DOCS / "rubric.md").read_text("utf-8").splitlines()
        if line.startswith("| `")
    ]
    assert len(rows) > 60
    assert [row[0] for row in rows if not (row[1] and row[-1].endswith((".", ")")))] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_the_site_exists(page: Path) -> None:
    named = set(re.findall(r"(?:^|`)grader ([a-z]+)", page.read_text("utf-8"), re.M))
    assert named <= set(COMMANDS)


def test_an_assignment_grows_from_nothing_as_the_page_says(tmp_path: Path) -> None:
    for name, text in files_of("first-assignment.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    done = typed("first-assignment.md", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "divided-by-all-steps" in done.stdout and "4 / 4" in done.stdout
    assert (tmp_path / "assignments" / "running" / "running.ipynb").exists()


@pytest.fixture
def part_of_the_course(tmp_path: Path) -> Iterator[Path]:
    """The course that comes along, as far as the pages use it."""
    for name in ("assignments/lstm", "examples/lstm"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("reference/lstm.py", "rubrics/lstm.yaml"):
        (tmp_path / name).parent.mkdir()
        shutil.copy(ROOT / name, tmp_path / name)
    yield tmp_path


@pytest.mark.slow
def test_the_five_minutes_of_an_instructor(part_of_the_course: Path) -> None:
    done = typed("start/instructor.md", part_of_the_course)
    assert done.returncode == 0, done.stdout + done.stderr
    results = part_of_the_course / "results" / "lstm"
    assert (results / "index.html").exists() and (results / "grades.csv").exists()


def test_the_five_minutes_of_a_student(part_of_the_course: Path) -> None:
    folder = part_of_the_course / "assignments"
    shutil.copy(ROOT / "reference" / "lstm.py", folder / "lstm" / "lstm.py")
    done = typed("start/student.md", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "LSTM" in done.stdout


def test_the_five_minutes_of_ci(tmp_path: Path) -> None:
    course = make_course(tmp_path / "course")
    hand_in(course / "submissions" / "tiny", ada=RIGHT)
    done = typed("start/ci.md", course)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 mark would move" in done.stdout and "1 mark moved" in done.stdout
    assert (course / "grader.xml").exists()


@pytest.mark.parametrize("page", ["start/ci.md", "ci.md"])
def test_the_workflows_of_the_pages_are_valid_and_call_what_is_there(page: str) -> None:
    shown = files_of(page)
    assert shown
    for _, text in shown:
        workflow = {
            "on" if key is True else key: each for key, each in yaml.safe_load(text).items()
        }
        jsonschema.validate(workflow, get_builtin_schema("vendor.github-workflows"))
        for job in workflow["jobs"].values():
            path = job["uses"].partition("sequence-grader/")[2].partition("@")[0]
            called = yaml.safe_load((ROOT / path).read_text("utf-8"))[True]["workflow_call"]
            assert set(job["with"]) <= set(called["inputs"])
            needed = {name for name, each in called["inputs"].items() if each.get("required")}
            assert needed <= set(job["with"])
            given = job.get("secrets", {})
            assert given == "inherit" or set(given) <= set(called.get("secrets", {}))


def test_every_hook_runs_what_the_set_up_installs() -> None:
    pinned = (ROOT / "constraints.txt").read_text().lower()
    owners = {"ruff": "ruff", "mypy": "mypy", "pytest": "pytest", "mkdocs": "mkdocs"}
    owners |= {"check-jsonschema": "check-jsonschema", "python": "pytest"}
    for hook in HOOKS:
        program = hook["entry"].split()[0].removeprefix(".venv/bin/")
        assert f"\n{owners[program]}==" in pinned, hook["id"]
        assert hook["language"] == "system", "a hook that fetches is not local"


@pytest.mark.parametrize("id_", ["rubric-reference", "workflows", "actions"])
def test_a_hook_does_what_it_says(id_: str) -> None:
    (hook,) = [each for each in HOOKS if each["id"] == id_]
    program, *arguments = hook["entry"].split()
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout
    named = [] if hook.get("pass_filenames") is False else files.split("\n")
    matching = [name for name in named if name and re.search(hook["files"], name)]
    command = Path(sys.executable).with_name(program.removeprefix(".venv/bin/"))
    done = subprocess.run([command, *arguments, *matching], cwd=ROOT, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert matching or not named


def test_the_picture_of_a_report_is_small() -> None:
    picture = (DOCS / "images" / "report.png").read_bytes()
    assert picture.startswith(b"\x89PNG") and 10_000 < len(picture) < 200_000
