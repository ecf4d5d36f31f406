"""How each tool is given a class, started, and asked for the marks.

What comes before a class can be graded (releasing an assignment, packing an autograder, putting
the files where a tool wants them) is nobody's time: `prepare` does it once. `commands` is timed.
Each peer gets the form it takes, `grader` both, as they are handed in.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from classes import Student, cells_of, notebook, write_mixed
from course import ASSIGNMENT, COMPARISONS, ROOT
from environments import python
from measuring import Command, Ran

INSIDE = Path(__file__).with_name("inside")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
FIRST_CELL = "import comparisons"
Marks = dict[str, float | None]
"""Comparisons passed, by student; None where a tool has no mark to give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where things are."""

    environments: Path
    """The peers' environments."""
    course: Path
    """The small course."""
    questions: Path
    """The comparisons' inputs and expected values."""
    work: Path
    """Folder for what a tool prepares and writes; its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How a tool is run."""

    workers: int = 1
    """Submissions at a time."""
    tuned: bool = False
    """Whether what its user can set is set: one thread for torch, a limit of time."""


class Tool(ABC):
    """One of those that are compared."""

    name: str
    """What it is called in `--only`; also its environment's name."""

    def __init__(self, place: Place, students: list[Student]):
        self.place, self.students = place, students
        self.run_number = 0

    @abstractmethod
    def prepare(self) -> None:
        """Puts the class where the tool wants it."""

    @abstractmethod
    def commands(self, setting: Setting) -> list[Command]:
        """What grades the class once, anew."""

    @abstractmethod
    def marks(self, ran: Mapping[str, Ran]) -> Marks:
        """What came of the last run."""

    def python(self) -> Path:
        return python(self.place.environments, self.name)

    def env(self, setting: Setting) -> dict[str, str]:
        told = {"QUESTIONS": str(self.place.questions), "PYTHONPATH": str(INSIDE)}
        # The environment's own kernel and programs, as where it is activated.
        told["PATH"] = f"{self.python().parent}:{os.environ['PATH']}"
        return told | (ONE_THREAD if setting.tuned else {})

    def quietly(self, argv: list[str], cwd: Path) -> None:
        """Runs what nobody times."""
        env = {**os.environ, **self.env(Setting())}
        done = subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"expected {argv} to work, got:\n{done.stdout}{done.stderr}")

    def fresh(self) -> Path:
        """A folder for the next run."""
        self.run_number += 1
        folder = self.place.work / f"run-{self.run_number}"
        folder.mkdir(parents=True)
        return folder


class Grader(Tool):
    """`grader grade`: as it is shipped, with every report and the class page."""

    name = "grader"

    def prepare(self) -> None:
        write_mixed(self.students, self.place.work / "class")

    def course(self) -> Path:
        return self.place.course

    def commands(self, setting: Setting) -> list[Command]:
        self.out = self.fresh()
        argv = [sys.executable, "-m", "grader", "grade", ASSIGNMENT, str(self.place.work / "class")]
        argv += ["--course", str(self.course()), "-j", str(setting.workers)]
        argv += ["--out", str(self.out / "results"), "--fresh", "--json"]
        env = {"XDG_CACHE_HOME": str(self.cache())}
        return [Command(name="class", argv=tuple(argv), cwd=ROOT, env=env)]

    def cache(self) -> Path:
        return self.out / "cache"

    def marks(self, ran: Mapping[str, Ran]) -> Marks:
        with (self.out / "results" / "grades.csv").open(encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        return {row["student"]: float(row["earned"]) if row["earned"] else None for row in rows}


class Battery(Grader):
    """The same class on the whole rubric of the assignment: every check, every diagnosis."""

    name = "battery"

    def course(self) -> Path:
        return ROOT


class WarmBattery(Battery):
    """The same with what known mistakes answer kept from an earlier run."""

    name = "battery-again"

    def prepare(self) -> None:
        super().prepare()
        (command,) = self.commands(Setting(workers=2))
        self.quietly(list(command.argv), ROOT)

    def cache(self) -> Path:
        return self.place.work / "cache"

    def python(self) -> Path:
        return Path(sys.executable)

    def env(self, setting: Setting) -> dict[str, str]:
        return {"XDG_CACHE_HOME": str(self.cache())}


class Floor(Tool):
    """A bare fork for each submission, from one process that has torch loaded."""

    name = "floor"

    def prepare(self) -> None:
        write_modules(self.students, self.place.work / "class")

    def python(self) -> Path:
        return Path(sys.executable)

    def commands(self, setting: Setting) -> list[Command]:
        argv = (str(self.python()), str(INSIDE / "floor.py"), str(self.place.work / "class"))
        argv += (str(setting.workers),)
        return [Command(name="class", argv=argv, cwd=self.fresh(), env=self.env(setting))]

    def marks(self, ran: Mapping[str, Ran]) -> Marks:
        passed = json.loads(ran["class"].stdout or "{}")
        return {each.name: passed.get(each.name) for each in self.students}


class OneProcessEach(Tool):
    """What starts one process for each submission."""

    def commands(self, setting: Setting) -> list[Command]:
        self.out = self.fresh()
        return [
            Command(
                name=student.name,
                argv=self.argv(student, setting),
                cwd=self.out,
                env=self.env(setting) | {"SUBMISSION": str(self.file(student))},
            )
            for student in self.students
        ]

    def file(self, student: Student) -> Path:
        return self.place.work / "class" / f"{student.name}.py"

    @abstractmethod
    def argv(self, student: Student, setting: Setting) -> tuple[str, ...]:
        """The command that grades one."""


class Unittest(OneProcessEach):
    """`unittest`, as Gradescope's own example runs it."""

    name = "unittest"

    def prepare(self) -> None:
        write_modules(self.students, self.place.work / "class")

    def argv(self, student: Student, setting: Setting) -> tuple[str, ...]:
        return (str(self.python()), str(INSIDE / "with_unittest.py"), str(self.file(student)))

    def marks(self, ran: Mapping[str, Ran]) -> Marks:
        return {
            name: float(each.stdout) if each.stdout.strip().isdecimal() else None
            for name, each in ran.items()
        }


class Pytest(OneProcessEach):
    """`pytest`; tuned, with pytest-timeout's limit for each test."""

    name = "pytest"

    def prepare(self) -> None:
        write_modules(self.students, self.place.work / "class")

    def argv(self, student: Student, setting: Setting) -> tuple[str, ...]:
        options = ("-q", "--tb=no", "-p", "no:cacheprovider", "--rootdir", str(INSIDE))
        options += ("--timeout=10",) if setting.tuned else ()
        return (str(self.python()), "-m", "pytest", *options, str(INSIDE / "with_pytest.py"))

    def marks(self, ran: Mapping[str, Ran]) -> Marks:
        marks: Marks = {}
        for name, each in ran.items():
            words = each.stdout.replace(",", " ").split()
            counted = [w for w in words if w in ("passed", "failed")]
            passed = float(words[words.index("passed") - 1]) if "passed" in counted else 0.0
            marks[name] = passed if counted else None
        return marks


class Otter(OneProcessEach):
    """`otter run`: what Otter runs in a container for each submission, without the container."""

    name = "otter"

    def prepare(self) -> None:
        tests, notebooks = self.place.work / "tests", self.place.work / "class"
        tests.mkdir(parents=True)
        notebooks.mkdir()
        for name in COMPARISONS:
            test = {
                "name": name,
                "points": 1,
                "suites": [
                    {
                        "cases": [{"code": f">>> {_test(name)}", "hidden": False, "locked": False}],
                        "scored": True,
                        "setup": "",
                        "teardown": "",
                        "type": "doctest",
                    }
                ],
            }
            (tests / f"{name}.py").write_text(f"OK_FORMAT = True\ntest = {test!r}\n")
        options = ("-t", str(tests), "-o", str(self.place.work / "autograder.zip"))
        options += ("--no-requirements", "--no-environment", "--no-config")
        self.quietly([str(self.otter()), "generate", *options], self.place.work)
        for student in self.students:
            cells = [FIRST_CELL, *cells_of(student.source)]
            made = notebook([nbformat.v4.new_code_cell(cell) for cell in cells])
            self.file(student).write_text(made, "utf-8")

    def otter(self) -> Path:
        return self.python().with_name("otter")

    def file(self, student: Student) -> Path:
        return self.place.work / "class" / f"{student.name}.ipynb"

    def commands(self, setting: Setting) -> list[Command]:
        commands = super().commands(setting)
        for student in self.students:
            (self.out / student.name).mkdir()
        return commands

    def argv(self, student: Student, setting: Setting) -> tuple[str, ...]:
        options = ("-a", str(self.place.work / "autograder.zip"), "--no-logo")
        options += ("-o", str(self.out / student.name))
        return (str(self.otter()), "run", *options, str(self.file(student)))

    def marks(self, ran: Mapping[str, Ran]) -> Marks:
        marks: Marks = {}
        for name in ran:
            path = self.out / name / "results.json"
            tests = json.loads(path.read_text())["tests"] if path.is_file() else None
            scores = [test.get("score") for test in tests or []]
            marks[name] = None if tests is None else sum(float(s) for s in scores if s is not None)
        return marks


class Nbgrader(Tool):
    """`nbgrader autograde`; it grades one at a time, so for two at a time two share the class."""

    name = "nbgrader"

    def prepare(self) -> None:
        for parts in (1, 2):
            for part in range(parts):
                self._prepare(
                    self.place.work / f"course-{parts}-{part}", self.students[part::parts]
                )

    def _prepare(self, course: Path, students: list[Student]) -> None:
        source = course / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
        source.parent.mkdir(parents=True)
        (course / "nbgrader_config.py").write_text("c = get_config()\n")
        solution = "### BEGIN SOLUTION\npass\n### END SOLUTION"
        cells = [
            _cell(FIRST_CELL, "first", locked=True),
            _cell(solution, "solution", solution=True),
            *(_cell(_test(name), name, points=1) for name in COMPARISONS),
        ]
        source.write_text(notebook(cells), "utf-8")
        self.quietly([*self.nbgrader(), "generate_assignment", ASSIGNMENT], course)
        release = course / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
        for student in students:
            given = nbformat.read(release, 4)
            first, *rest = cells_of(student.source)
            given.cells[1].source = first
            given.cells[2:2] = [nbformat.v4.new_code_cell(cell) for cell in rest]
            handed_in = course / "submitted" / student.name / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
            handed_in.parent.mkdir(parents=True)
            nbformat.write(given, handed_in)

    def nbgrader(self) -> list[str]:
        return [str(self.python()), "-m", "nbgrader"]

    def commands(self, setting: Setting) -> list[Command]:
        self.out, commands = self.fresh(), []
        options = ("--Execute.timeout=10",) if setting.tuned else ()
        for part in range(setting.workers):
            course = self.out / str(part)
            shutil.copytree(self.place.work / f"course-{setting.workers}-{part}", course)
            argv = (*self.nbgrader(), "autograde", ASSIGNMENT, *options)
            command = Command(name=str(part), argv=argv, cwd=course, env=self.env(setting))
            commands.append(command)
        return commands

    def marks(self, ran: Mapping[str, Ran]) -> Marks:
        marks: Marks = {student.name: None for student in self.students}
        for part in ran:
            sheet = self.out / part / "grades.csv"
            self.quietly([*self.nbgrader(), "export", f"--to={sheet}"], sheet.parent)
            with sheet.open(encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    if (self.out / part / "autograded" / row["student_id"]).is_dir():
                        marks[row["student_id"]] = float(row["score"])
        return marks


def write_modules(students: list[Student], folder: Path) -> None:
    """Each submission as a module."""
    folder.mkdir(parents=True)
    for student in students:
        (folder / f"{student.name}.py").write_text(student.source, "utf-8")


def _test(name: str) -> str:
    return f"comparisons.check({name!r}, globals())"


def _cell(
    source: str, name: str, *, points: int = 0, locked: bool = False, solution: bool = False
) -> nbformat.NotebookNode:
    """A cell that nbgrader knows: a test where it has points."""
    facts = {"grade_id": name, "schema_version": 3, "task": False, "cell_type": "code"}
    facts |= {"grade": bool(points), "locked": locked or bool(points), "solution": solution}
    if points:
        facts["points"] = points
    return nbformat.v4.new_code_cell(source, metadata={"nbgrader": facts})


TOOLS: tuple[type[Tool], ...] = (
    Nbgrader,
    Otter,
    Pytest,
    Unittest,
    Grader,
    Battery,
    WarmBattery,
    Floor,
)
