"""The action and the workflows: as their schemas want them, and run step by step."""

import base64
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from tiny_course import RIGHT, RUBRIC, WRONG, hand_in, make_course
from typer.testing import CliRunner
from workflow_steps import ROOT, Machine, filled_in, load, true

from grader.assignment import read_assignment
from grader.cli import app
from grader.expected import from_reference
from grader.sandbox.runner import Runner

WORKFLOWS = sorted(path.name for path in (ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = ["action.yml", ".github/actions/course/action.yml"]
COURSE = ".github/workflows/course.yml"
NIGHTLY = ".github/workflows/nightly.yml"
STUDENT = ".github/workflows/student.yml"
SECRET = "a secret of the tests"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Caches of the module's jobs; each test's artifacts are its own."""
    return tmp_path_factory.mktemp("kept")


Make = Callable[..., Machine]


@pytest.fixture
def machine(tmp_path: Path, kept: Path) -> Iterator[Make]:
    """A new machine for a job on what a folder holds."""
    (kept / "artifacts.json").unlink(missing_ok=True)
    count = iter(range(100))

    def make(workspace: Path, event: str = "push", **more: object) -> Machine:
        contexts = {
            "github": {"event_name": event, "repository": "org/course", "event": {}},
            "inputs": {"grader": "org/grader", "engine": ""},
            "secrets": {"GRADER_SECRET": SECRET},
            "vars": {},
        }
        for name, given in more.items():
            contexts[name] = {**contexts[name], **given}  # type: ignore[dict-item]
        folder = tmp_path / f"machine-{next(count)}"
        return Machine(workspace=workspace, folder=folder, state=kept, contexts=contexts)

    yield make


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "a change")


@pytest.fixture
def course(tmp_path: Path) -> Path:
    root = make_course(tmp_path / "course")
    hand_in(root / "submissions" / "tiny", ada=RIGHT, bob=WRONG)
    git(root, "init", "-q", "-b", "main")
    commit(root)
    return root


# -- as they are written ----------------------------------------------------------------------


@pytest.mark.parametrize("path", [f".github/workflows/{name}" for name in WORKFLOWS])
def test_a_workflow_is_as_its_published_schema_wants_it(path: str) -> None:
    jsonschema.validate(load(path), get_builtin_schema("vendor.github-workflows"))


@pytest.mark.parametrize("path", ACTIONS)
def test_an_action_is_as_its_published_schema_wants_it(path: str) -> None:
    jsonschema.validate(load(path), get_builtin_schema("vendor.github-actions"))


def test_the_schema_would_notice_a_key_that_does_not_exist() -> None:
    workflow = load(COURSE)
    workflow["jobs"]["regrade"]["runs_on"] = "ubuntu-latest"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(workflow, get_builtin_schema("vendor.github-workflows"))


def test_no_workflow_runs_others_code_with_secrets_or_writes_more_than_it_needs() -> None:
    for name in WORKFLOWS:
        workflow = load(f".github/workflows/{name}")
        assert "pull_request_target" not in workflow["on"]
        assert set(workflow["permissions"].values()) == {"read"}
        for job in workflow["jobs"].values():
            checkouts = [s for s in job["steps"] if "checkout" in s.get("uses", "")]
            assert all(s["with"]["persist-credentials"] is False for s in checkouts)


def test_what_writes_to_the_gradebook_stands_in_one_queue_and_fetches_all_history() -> None:
    groups = set()
    for path, name in ((COURSE, "regrade"), (NIGHTLY, "nightly")):
        job = load(path)["jobs"][name]
        groups.add(job["concurrency"]["group"])
        assert job["concurrency"]["cancel-in-progress"] is False
        assert job["steps"][0]["with"]["fetch-depth"] == 0
    assert len(groups) == 1


def test_a_student_s_job_asks_for_no_secret() -> None:
    for path in (STUDENT, "action.yml"):
        text = (ROOT / path).read_text("utf-8")
        assert "secrets." not in text and "GRADER_SECRET" not in text


def test_the_workflow_of_a_night_runs_on_a_schedule_on_a_dispatch_and_when_it_is_called() -> None:
    assert set(load(NIGHTLY)["on"]) == {"schedule", "repository_dispatch", "workflow_call"}


def test_expressions_are_emulated_as_github_evaluates_them() -> None:
    contexts = {"github": {"event_name": "push"}, "inputs": {"a-b": "", "yes": True}}
    assert filled_in("${{ inputs.a-b || 'x' }} ${{ !inputs.yes }}", contexts) == "x false"
    assert true("github.event_name == 'push' && inputs.yes", contexts)
    assert not true("${{ github.none.at.all != '' }}", contexts)


# -- a course's repository --------------------------------------------------------------------


def test_a_push_regrades_exactly_what_changed_and_says_why_a_mark_moved(
    course: Path, machine: Make
) -> None:
    first = machine(course)
    assert first.job(COURSE, "regrade") == 0, first.said
    assert "tiny: 2 marks moved; 2 run" in first.said
    assert "no gradebook has been kept yet" in first.said

    (course / "submissions" / "tiny" / "bob.py").write_text(RIGHT)
    commit(course)
    second = machine(course)
    assert second.job(COURSE, "regrade") == 0, second.said
    assert "tiny: 1 mark moved; 1 run, 0 re-scored, 1 unchanged" in second.said
    (row,) = [line for line in second.summary.splitlines() if line.startswith("| bob")]
    assert "| 4 of 6" in row and "| 6 of 6" in row and "submission changed" in row
    assert "value: fail 0 of 2 -&gt; pass 2 of 2" in row or "value: fail 0 of 2 -> pass" in row
    assert "| ada" not in second.summary

    rubric = course / "rubrics" / "tiny.yaml"
    text = RUBRIC.replace("double, points: 2", "double, points: 4")
    assert text != RUBRIC
    rubric.write_text(text)
    commit(course)
    third = machine(course)
    assert third.job(COURSE, "regrade") == 0, third.said
    assert "tiny: 2 marks moved; 0 run, 2 re-scored, 0 unchanged" in third.said
    assert "points changed" in third.summary
    assert SECRET not in first.said + second.said + third.said


def test_a_pull_request_is_told_what_would_move_and_keeps_nothing(
    course: Path, machine: Make
) -> None:
    own = {"pull_request": {"head": {"repo": {"full_name": "org/course"}}}}
    job = machine(course, "pull_request", github={"event": own})
    assert job.job(COURSE, "regrade") == 0, job.said
    assert "2 marks would move" in job.said
    assert json.loads((job.state / "artifacts.json").read_text()) == {"artifacts": []}
    fork = {"pull_request": {"head": {"repo": {"full_name": "else/course"}}}}
    assert machine(course, "pull_request", github={"event": fork}).job(COURSE, "regrade") is None


def test_a_shallow_clone_is_refused_and_told_what_to_set(
    course: Path, machine: Make, tmp_path: Path
) -> None:
    commit_again = course / "note.txt"
    commit_again.write_text("x")
    commit(course)
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth", "1", course.as_uri(), str(shallow))
    job = machine(shallow)
    assert job.job(COURSE, "regrade") == 2
    assert "fetch-depth: 0" in job.said


def test_a_job_without_the_secret_is_refused(course: Path, machine: Make) -> None:
    job = machine(course, secrets={"GRADER_SECRET": ""})
    assert job.job(COURSE, "regrade") == 2
    assert "expected the secret GRADER_SECRET" in job.said


def test_a_database_takes_the_artifact_s_place(course: Path, machine: Make, tmp_path: Path) -> None:
    place = tmp_path / "database.db"
    job = machine(course, secrets={"GRADER_GRADEBOOK": str(place)})
    assert job.job(COURSE, "regrade") == 0, job.said
    assert place.exists()
    assert str(place) not in (job.folder / "env").read_text()


def test_options_of_the_workflow_reach_the_command(course: Path, machine: Make) -> None:
    given = {"assignments": "tiny", "fail-under": "90", "since": "HEAD"}
    job = machine(course, inputs=given)
    assert job.job(COURSE, "regrade") == 0, job.said
    assert "nothing" in job.said or "tiny: 0 marks moved" in job.said
    under = machine(course, inputs={"assignments": "tiny", "fail-under": "90"})
    assert under.job(COURSE, "regrade") == 1, under.said
    listed = json.loads((under.state / "artifacts.json").read_text())["artifacts"]
    assert len(listed) == 2, "what was graded is kept although the job fails"


# -- single scripts ---------------------------------------------------------------------------


def script(job: Machine, name: str, *arguments: object) -> int:
    command = " ".join(f"'{each}'" for each in (ROOT / ".github" / "scripts" / name, *arguments))
    return job.run(command, {}, Path())


def put(job: Machine, name: str, text: str) -> None:
    path = job.folder / "bin" / name
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


def test_a_host_that_restricts_user_namespaces_is_asked_and_else_said(
    tmp_path: Path, machine: Make
) -> None:
    for allowed in (True, False):
        job = machine(tmp_path)
        put(job, "sysctl", "echo 1")
        put(job, "sudo", f'echo "asked: $*"; exit {0 if allowed else 1}')
        put(job, "grader", 'echo "ran: $*"')
        assert script(job, "allow-namespaces.sh") == 0
        wanted = "asked: -n sysctl -q -w kernel.apparmor_restrict_unprivileged_userns=0"
        assert wanted in job.said and "ran: doctor" in job.said
        assert ("::warning::" in job.said) is not allowed
    job = machine(tmp_path)
    put(job, "sysctl", "exit 1")
    put(job, "sudo", "echo asked")
    put(job, "grader", "true")
    assert script(job, "allow-namespaces.sh") == 0
    assert job.said == "", "a host that restricts nothing is left alone"


def test_the_newest_artifact_of_this_branch_is_fetched_and_never_a_fork_s(
    tmp_path: Path, machine: Make
) -> None:
    job = machine(tmp_path)
    for number, more in enumerate(({}, {}, {"fork": True}, {"branch": "else"})):
        folder = tmp_path / f"kept-{number}"
        folder.mkdir()
        (folder / "gradebook.db").write_text(str(number))
        job.keep("grader-kept", folder, **more)  # type: ignore[arg-type]
    assert script(job, "fetch-kept.sh", tmp_path / "fetched") == 0, job.said
    assert (tmp_path / "fetched" / "gradebook.db").read_text() == "1"


def test_a_gradebook_that_can_t_be_fetched_is_not_begun_anew(tmp_path: Path, machine: Make) -> None:
    job = machine(tmp_path)
    (job.state / "down").touch()
    try:
        assert script(job, "fetch-kept.sh", tmp_path / "fetched") != 0
    finally:
        (job.state / "down").unlink()


def test_another_grader_or_python_makes_another_environment(tmp_path: Path, machine: Make) -> None:
    def key(*arguments: object) -> str:
        job = machine(tmp_path)
        assert script(job, "name-environment.sh", *arguments) == 0, job.said
        return job.told("output")["key"]

    engine = tmp_path / "engine"
    (engine / "grader").mkdir(parents=True)
    for name in ("grader/a.py", "pyproject.toml", "constraints.txt"):
        (engine / name).write_text(name)
    before = key(f"{engine}[instructor]")
    assert key(f"{engine}[instructor]") == before
    assert key(engine) != before
    (engine / "grader" / "a.py").write_text("changed")
    assert key(f"{engine}[instructor]") != before
    assert key("sequence-grader==1.0") != key("sequence-grader==1.1")


# -- a student's repository -------------------------------------------------------------------


@pytest.fixture
def student(tmp_path: Path) -> Path:
    """A student's repository: what was handed out, and nothing else of the course."""
    root = make_course(tmp_path / "secret-course")
    made = CliRunner().invoke(
        app, ["release", "tiny", "--course", str(root)], env={"GRADER_SECRET": SECRET}
    )
    assert made.exit_code == 0, made.output
    folder = tmp_path / "student"
    (root / "assignments" / "tiny").rename(folder)
    return folder


def test_a_student_s_push_is_checked_and_told_to_classroom(student: Path, machine: Make) -> None:
    (student / "tiny.py").write_text(WRONG)
    job = machine(student, inputs={"classroom": True}, secrets={"GRADER_SECRET": ""})
    assert job.job(STUDENT, "check") == 0, job.said
    told = json.loads(base64.b64decode(job.reported["GRADER_RESULTS"]))
    assert told["status"] == "fail" and told["max_score"] == 6
    assert [each["score"] for each in told["tests"]] == [1, 0, 3]
    assert "# Doubling" in job.summary
    (student / "tiny.py").write_text(RIGHT)
    right = machine(student, secrets={"GRADER_SECRET": ""})
    assert right.job(STUDENT, "check") == 0, right.said
    assert right.reported == {}
    (student / "tiny.py").write_text(WRONG)
    assert machine(student).job(STUDENT, "check") == 1


def test_a_folder_without_public_cases_fails_even_where_the_job_only_reports(
    tmp_path: Path, machine: Make
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    job = machine(empty, inputs={"classroom": True})
    assert job.job(STUDENT, "check") == 2
    assert "expected the public cases" in job.said


def test_a_student_s_job_holds_no_expected_value_of_a_hidden_case(
    student: Path, machine: Make, runner: Runner
) -> None:
    (student / "tiny.py").write_text(RIGHT)
    job = machine(student)
    assert job.job(STUDENT, "check") == 0, job.said
    course = read_assignment(student.parent / "secret-course", "tiny")
    standard = from_reference(course, runner.run, SECRET)
    told = job.said + job.summary
    files = [p for p in student.rglob("*") if p.is_file()]
    # What the action installs: tests/test_docs.py sees that a wheel is the engine and no more.
    files += [p for p in (ROOT / "grader").rglob("*") if p.is_file()]
    everything = b"".join(path.read_bytes() for path in files) + told.encode()
    looked_at = {True: 0, False: 0}
    for name, setting in standard.settings.items():
        hidden = setting.case.show != "public"
        assert not hidden or f'"{name}"'.encode() not in everything
        for leaf in (leaf for leaves in setting.expected.leaves for leaf in leaves):
            values = [] if leaf.array is None else leaf.array.ravel().tolist()
            for value in values:
                there = _held(value, everything, student / "public.npz")
                assert there is not hidden, (name, value)
                looked_at[hidden] += 1
    assert min(looked_at.values()) > 5, "public values are found, hidden ones would be"


def _held(value: float, everything: bytes, bundle: Path) -> bool:
    if repr(value).encode() in everything or np.float64(value).tobytes() in everything:
        return True
    with np.load(bundle) as arrays:
        return any(np.isin(value, arrays[name]).any() for name in arrays.files)


# -- every night ------------------------------------------------------------------------------


def test_a_night_without_assignments_is_left_out(tmp_path: Path, machine: Make) -> None:
    job = machine(tmp_path, "schedule")
    assert job.job(NIGHTLY, "nightly") is None


def test_a_night_pulls_regrades_and_returns(course: Path, machine: Make, tmp_path: Path) -> None:
    for name, source in (("ada", RIGHT), ("bob", WRONG)):
        repository = tmp_path / "students" / name
        repository.mkdir(parents=True)
        git(repository, "init", "-q", "-b", "main")
        (repository / "tiny.py").write_text(source)
        commit(repository)
        git(tmp_path, "clone", "-q", "--bare", str(repository), str(repository) + ".git")
    (course / "roster.csv").write_text("student,github\nada,ada\nbob,bob\n")
    url = f"{tmp_path.as_posix()}/students/{{github}}.git"
    settings = {"roster": "roster.csv", "repositories": {"url": url}}
    (course / "course.yaml").write_text(yaml.safe_dump(settings))
    commit(course)
    night = machine(course, "schedule", vars={"GRADER_ASSIGNMENTS": "tiny"})
    assert night.job(NIGHTLY, "nightly") == 0, night.said
    assert "tiny: 2 marks moved; 2 run" in night.said and "2 sent" in night.said
    sent = ["git", "-C", str(tmp_path / "students" / "bob.git"), "show", "grader/tiny:report.md"]
    assert "Doubling" in subprocess.run(sent, check=True, capture_output=True, text=True).stdout
    again = machine(course, "repository_dispatch", vars={"GRADER_ASSIGNMENTS": "tiny"})
    assert again.job(NIGHTLY, "nightly") == 0, again.said
    assert "tiny: 0 marks moved; 0 run" in again.said and "0 sent, 2 unchanged" in again.said
