"""The commands as they are typed."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny_course import RIGHT, WRONG, hand_in, make_course
from typer.testing import CliRunner

import grader
from grader import cli
from grader.cli.doctor import isolation_facts
from grader.errors import UsageError
from grader.sandbox.warm import Isolation, Zygote

ROOT = Path(__file__).resolve().parent.parent

runner = CliRunner()


def run(*arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m grader` with some arguments, in a plain terminal of 100 columns."""
    return subprocess.run(
        [sys.executable, "-m", "grader", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "100", "LANG": "C.UTF-8", "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return make_course(tmp_path / "course")


def test_every_command_has_a_help_page(tmp_path: Path) -> None:
    for command in ("check", "grade", "release", "doctor"):
        result = run(command, "--help", cwd=tmp_path)
        assert result.returncode == 0
        assert f"grader {command}" in result.stdout


def test_the_installed_command_is_the_same(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("grader")
    result = subprocess.run([command, "--help"], capture_output=True, text=True, check=True)
    assert (
        result.stdout == run("--help", cwd=tmp_path).stdout.replace("python -m grader", "grader")
        or "Commands" in result.stdout
    )


def test_release_grade_and_check_one_after_another(course: Path, tmp_path: Path) -> None:
    released = run("release", "tiny", cwd=course)
    assert released.returncode == 0, released.stderr
    assert run("release", "tiny", "--check", cwd=course).returncode == 0

    submissions = hand_in(tmp_path / "in", ada=RIGHT, bob=WRONG)
    graded = run("grade", "tiny", submissions, cwd=course)
    assert graded.returncode == 0, graded.stderr
    assert re.search(r"ada .* 6 / 6", graded.stdout) and re.search(r"bob .* 4 / 6", graded.stdout)
    page = course / graded.stdout.strip().splitlines()[-1]
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>") or page.is_file()

    folder = course / "assignments" / "tiny"
    not_started = run("check", cwd=folder)
    assert not_started.returncode == 1
    (folder / "tiny.py").write_text(RIGHT)
    checked = run("check", cwd=folder)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "6 of 6" in checked.stdout.splitlines()[-1]
    (folder / "tiny.py").write_text(WRONG)
    failed = run("check", "tiny.py", "--lang", "ko", cwd=folder)
    assert failed.returncode == 1
    assert "입력의 두 배" in failed.stdout

    assert run("release", "tiny", "--check", cwd=course).returncode == 1


def test_json_is_printed_where_it_is_asked_for(course: Path, tmp_path: Path) -> None:
    submissions = hand_in(tmp_path / "in", ada=RIGHT)
    graded = run("grade", "tiny", submissions, "--json", cwd=course)
    assert json.loads(graded.stdout)["grades"][0]["earned"] == 6
    told = json.loads(run("doctor", "--json", cwd=course).stdout)
    assert (told["grader"], told["isolation"]) == (grader.__version__, Zygote().isolation().level)
    assert "guessed" in told["secret"]


def test_doctor_works_outside_a_course_and_with_a_secret(course: Path, tmp_path: Path) -> None:
    assert "none here" in run("doctor", cwd=tmp_path).stdout
    told = run("doctor", cwd=course, GRADER_SECRET="long and random").stdout
    assert "guessed" not in told and "limits of tiny" in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("grade", "tiny", "nowhere"), "nothing at nowhere"),
        (("grade", "tinny", "reference/tiny.py"), "did you mean 'tiny'"),
        (("grade", "tiny", "empty"), "found none in empty"),
        (("grade", "tiny", "reference", "--out", "/proc/x"), "--out DIR"),
        (("check", "nowhere.py"), "nothing at nowhere.py"),
        (("release", "nothing"), "it has tiny"),
        (("doctor", "--course", "reference"), "expected a course"),
    ],
)
def test_wrong_use_is_refused_in_a_sentence(
    arguments: tuple[str, ...], said: str, course: Path
) -> None:
    (course / "empty").mkdir()
    result = run(*arguments, cwd=course)
    assert result.returncode == 2
    assert said in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


def test_a_typo_in_a_rubric_is_named_with_its_file_and_path(course: Path) -> None:
    rubric = course / "rubrics" / "tiny.yaml"
    rubric.write_text(rubric.read_text("utf-8").replace("points: 2", "poins: 2"), "utf-8")
    result = run("grade", "tiny", "reference/tiny.py", cwd=course)
    said = " ".join(result.stderr.split())
    assert result.returncode == 2
    assert "rubrics/tiny.yaml $.criteria[1].poins" in said
    assert "did you mean 'points'?" in said


def test_a_broken_reference_is_the_courses_fault(course: Path, tmp_path: Path) -> None:
    reference = course / "reference" / "tiny.py"
    reference.write_text(reference.read_text().replace("x * 2", "x * nothing"))
    result = run("grade", "tiny", hand_in(tmp_path / "in", ada=RIGHT), cwd=course)
    assert result.returncode == 2
    assert "reference/tiny.py" in result.stderr and "nothing" in result.stderr


def test_the_language_follows_the_environment(course: Path) -> None:
    (course / "assignments" / "tiny" / "x").mkdir()
    told = run("doctor", cwd=course, LANG="ko_KR.UTF-8", LC_ALL="").stdout
    assert "격리" in told


def test_a_profile_names_every_stage_and_leaves_stdout_to_the_marks(
    course: Path, tmp_path: Path
) -> None:
    folder = hand_in(tmp_path / "class", ann=RIGHT, bob=WRONG)
    result = run("grade", "tiny", folder, "--profile", "--json", cwd=course, COLUMNS="200")
    assert result.returncode == 0, result.stderr
    assert "ann" in json.dumps(json.loads(result.stdout))
    for stage in ("load", "fork", "lock-down", "build", "run", "gradients", "compare", "diagnose"):
        assert re.search(rf"{stage} +│ +\d+\.\d+", result.stderr), (stage, result.stderr)
    assert "2 graded in" in result.stderr


def test_ctrl_c_keeps_what_was_graded_and_the_same_command_goes_on(
    course: Path, tmp_path: Path
) -> None:
    slow = RIGHT.replace("return x + x", "import time; time.sleep(0.2); return x + x")
    students = {f"s{number:02}": slow + f"# {number}\n" for number in range(12)}
    submissions = hand_in(tmp_path / "in", **students)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "grader", "grade", "tiny", str(submissions), "--out", str(out)]
    process = subprocess.Popen(
        [*command, "-j", "2"], cwd=course, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while len(list(out.glob("s*/report.html"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "the same command goes on from here" in said
    kept = len(list(out.glob("s*/report.html")))
    assert 2 <= kept < 12
    assert len((out / "grades.csv").read_text("utf-8-sig").splitlines()) == kept + 1
    again = run("grade", "tiny", submissions, "--out", out, cwd=course)
    assert again.returncode == 0
    assert len((out / "grades.csv").read_text("utf-8-sig").splitlines()) == 13


def test_hidden_cases_are_refused_without_isolation_unless_the_risk_is_taken(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submissions = hand_in(tmp_path / "in", ada=RIGHT)
    monkeypatch.setattr("grader.cli.grade.warm_process", lambda: Zygote("E"))
    command = ["grade", "tiny", str(submissions), "--course", str(course), "--out"]
    with pytest.raises(UsageError, match=r"hidden cases, got E; .* --allow-unisolated"):
        runner.invoke(cli.app, [*command, str(tmp_path / "out")], catch_exceptions=False)
    assert not (tmp_path / "out").exists()
    command += [str(tmp_path / "out"), "--allow-unisolated", "--json"]
    told = runner.invoke(cli.app, command, catch_exceptions=False)
    assert told.exit_code == 0
    graded = json.loads((tmp_path / "out" / "ada" / "grade.json").read_text("utf-8"))
    assert graded["provenance"]["isolation"] == "E"
    report = (tmp_path / "out" / "ada" / "report.html").read_text("utf-8")
    assert "Isolation level E" in report


def test_a_course_may_ask_for_more_than_the_machine_has(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submissions = hand_in(tmp_path / "in", ada=RIGHT)
    (course / "course.yaml").write_text("isolation: B\n")
    monkeypatch.setattr("grader.cli.grade.warm_process", lambda: Zygote("E"))
    command = ["grade", "tiny", str(submissions), "--course", str(course), "--allow-unisolated"]
    with pytest.raises(UsageError, match=r"isolation level B or stricter, got E @ .*course.yaml"):
        runner.invoke(cli.app, command, catch_exceptions=False)
    (course / "course.yaml").write_text("isolaton: B\n")
    refused = run("grade", "tiny", submissions, cwd=course)
    assert refused.returncode == 2 and "did you mean 'isolation'? @" in refused.stderr


def test_doctor_says_what_each_layer_gives(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (course / "course.yaml").write_text("isolation: B\n")
    told = json.loads(run("doctor", "--json", cwd=course).stdout)
    assert told["isolation"] in told["isolation means"]
    layers = [name for name in told if name.startswith("layer: ")]
    wanted = {"A": 4, "B": 3, "E": 1}[told["isolation"]]
    assert len(layers) == wanted and all(told[name] for name in layers)
    assert told["isolation asked for"] == "B or stricter"
    facts = isolation_facts(
        Isolation(level="E", refused={"A": "no", "B": "nor"}, readable=()), "ko"
    )
    assert facts["level A refused"] == "no" and facts["level B refused"] == "nor"


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_a_command_is_listed_as_it_describes_itself(name: str) -> None:
    command = cli.loaded(name)
    assert command.name == name
    assert command.help.splitlines()[0] == cli.COMMANDS[name]


def test_help_is_printed_without_what_it_takes_to_run_a_command() -> None:
    said = "import sys, grader.cli; print(sorted(m for m in sys.modules if m.split('.')[0] in "
    said += "('torch', 'numpy', 'pydantic', 'jinja2', 'nbformat')))"
    told = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_a_misspelt_command_is_answered_with_the_nearest() -> None:
    told = runner.invoke(cli.app, ["chek"])
    assert told.exit_code == 2
    assert "Did you mean 'check'?" in told.output


def test_a_command_whose_package_is_missing_says_how_to_get_it() -> None:
    script = "import sys; sys.modules['sqlalchemy'] = None; from grader.cli import main; main()"
    command = [sys.executable, "-c", script, "explain", "tiny", "ada"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == cli.WRONG_USE
    assert "sequence-grader[instructor]" in " ".join(done.stderr.split())


@pytest.mark.parametrize("command", ["check", "release", "audit", "doctor"])
def test_only_commands_that_use_the_gradebook_import_sqlalchemy(command: str) -> None:
    script = f"import sys, grader.cli.{command}; assert 'sqlalchemy' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


def test_alembic_is_imported_only_to_make_a_gradebook(tmp_path: Path) -> None:
    script = (
        "import sys; from grader.gradebook import Gradebook; "
        f"Gradebook({str(tmp_path / 'book.db')!r}).close(); print('alembic' in sys.modules)"
    )
    told = [
        subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True)
        for _ in range(2)
    ]
    assert [each.stdout.split() for each in told] == [[b"True"], [b"False"]]


def test_watching_checks_again_after_every_save(course: Path, tmp_path: Path) -> None:
    home = tmp_path / "집" / "tiny"
    assert run("release", "tiny", "--to", home, cwd=course).returncode == 0
    (home / "tiny.py").write_text(WRONG)
    watching = subprocess.Popen(
        [sys.executable, "-u", "-m", "grader", "check", "--watch"],
        cwd=home,
        env={**os.environ, "COLUMNS": "100", "LANG": "C.UTF-8"},
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert watching.stdout is not None

    def until_it_waits() -> str:
        lines = []
        while not lines or "waiting for the next change" not in lines[-1]:
            lines.append(watching.stdout.readline())
            assert lines[-1], "".join(lines)
        return "".join(lines)

    try:
        assert "Look first at: Twice the input" in until_it_waits()
        (home / "tiny.py").write_text(RIGHT)
        assert "All public checks pass" in until_it_waits()
        (home / "tiny.py").unlink()
        (home / "tiny.ipynb").unlink()
        assert "found neither" in until_it_waits()
    finally:
        watching.send_signal(signal.SIGINT)
        assert watching.wait(60) == 0
        watching.stdout.close()
