"""What the docs promise is so."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from grader.cases import KINDS
from grader.checks import CHECKS
from grader.cli import COMMANDS, FAILED, INTERRUPTED, WITHHELD, WRONG_USE
from grader.sandbox import calls, namespaces
from grader.sandbox.callnumbers import NUMBERS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
AUTHORS = (ROOT / "docs" / "authors.md").read_text("utf-8")
NUMERICS = (ROOT / "docs" / "numerics.md").read_text("utf-8")
LMS = (ROOT / "docs" / "lms.md").read_text("utf-8")
SECURITY = (ROOT / "docs" / "security.md").read_text("utf-8")


def test_every_command_that_the_docs_name_exists() -> None:
    known = set(COMMANDS)
    handouts = (path.read_text("utf-8") for path in ROOT.glob("assignments/*/*.md"))
    for text in (README, AUTHORS, LMS, *handouts):
        named = set(re.findall(r"(?:^|`)grader ([a-z]+)", text, re.M))
        assert named <= known, named - known


def test_every_make_target_that_the_readme_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`?make ([a-z]+)`?", README.partition("A course is")[0]):
        if target in ("are", "is"):
            continue
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_the_exit_codes_are_those_of_the_readme() -> None:
    assert (FAILED, WRONG_USE, WITHHELD, INTERRUPTED) == (1, 2, 3, 130)
    assert "0 all well, 1 a check fails, 2 wrong use" in README
    assert "3 a grade was\nwithheld, 130 interrupted" in README


def test_every_check_and_every_kind_of_input_is_documented() -> None:
    table = AUTHORS.partition("| check |")[2].partition("\n\n")[0]
    listed = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row[:40])}
    assert listed >= set(CHECKS)
    kinds = set(re.findall(r"`(\w+)\(", AUTHORS))
    assert kinds == {*KINDS, "same"}


def test_the_tolerances_are_those_of_the_page() -> None:
    from_types = (ROOT / "grader" / "types.py").read_text("utf-8")
    assert "rtol: float = 1e-7" in from_types and "atol: float = 1e-9" in from_types
    assert "1e-9 + 1e-7" in NUMERICS


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", README + AUTHORS + NUMERICS))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists() or (ROOT / "docs" / link).exists()


def test_the_installed_package_holds_the_engine_and_nothing_of_the_course(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(tmp_path)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("sequence_grader-*.whl")
    listed = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", str(wheel)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    tops = {line.split("/")[0].split()[0] for line in listed.splitlines()[1:] if "/" in line}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"grader"}
    for needed in (
        "messages.yaml",
        "templates/report.html",
        "sandbox/zygote.py",
        "load/slicing.py",
    ):
        assert needed in listed
    packages = {str(p.parent.relative_to(ROOT)) for p in (ROOT / "grader").rglob("*.py")}
    assert all(f"{package}/__init__.py" in listed for package in packages)


def test_the_numbers_of_the_security_page_are_those_in_force() -> None:
    options = namespaces.SCRATCH_OPTIONS.decode()
    assert "64 MiB of scratch" in SECURITY and "size=64m" in options
    assert "4096 files" in SECURITY and "nr_inodes=4096" in options
    assert f"user {namespaces.NOBODY}," in SECURITY and f"user {namespaces.INSIDE}," in SECURITY
    assert all(device in SECURITY for device in namespaces.DEVICES)
    known = [*calls.ALLOWED, *calls.CHECKED]
    assert abs(len([name for name in known if name in NUMBERS["x86_64"]]) - 145) <= 5
    assert (ROOT / re.findall(r"\]\(([^)]+)\)", (ROOT / "SECURITY.md").read_text())[0]).exists()
