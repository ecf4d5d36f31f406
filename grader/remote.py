"""Grading on the workers of a cluster: what they are sent, what they do, what comes back.

The course's files for one assignment go to every worker once, so nothing needs a shared disk; a
submission goes without its student's name. Each worker has a warm process of its own.
"""

import base64
import json
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

from grader.adapters.model import FOLDER as ADAPTERS
from grader.cluster import DEATHS, Cluster
from grader.course import FILE, require
from grader.errors import CourseError, EngineError, GraderError, UsageError
from grader.executors import Travelling
from grader.gradebook.rows import dumped, observation
from grader.instructor import Marker
from grader.provenance import provenance
from grader.sandbox.runner import Runner
from grader.sandbox.warm import Zygote
from grader.types import Note, Observation, Status, Submission, SubmittedFile

REFUSALS: dict[str, type[GraderError]] = {
    each.__name__: each for each in (UsageError, CourseError, EngineError)
}
LOST = "cluster.lost"
"""Message code for a submission that ended every worker that was at it."""


# -- where the batch was started --------------------------------------------------------------


class Elsewhere(Marker):
    """Has submissions marked by the workers of a cluster; nothing is run here."""

    def __init__(self, course: Path, name: str, cluster: Cluster, *, unisolated: bool):
        """Gives the workers the course, and sees that all of them can grade it alike.

        Args:
            course: the course.
            name: the assignment.
            cluster: where it is graded.
            unisolated: whether hidden cases may run where submissions can't be shut in.

        Raises:
            UsageError, CourseError, EngineError: a worker can't, or they differ.
        """
        super().__init__(course, name, Runner(Zygote()))  # which is never started
        self.station = Station(_kit(course, name, self._secret, unisolated=unisolated))
        cluster.install(self.station)
        answers = cluster.everywhere(ready, self.station.name.encode())
        levels = {worker: _opened(answer)["level"] for worker, answer in answers.items()}
        if len(set(levels.values())) > 1:
            told = ", ".join(f"{level} @ {worker}" for worker, level in sorted(levels.items()))
            raise UsageError(
                f"expected one level of isolation on all workers, got {told}; leave out the ones "
                "that differ (see: grader doctor)"
            )
        self._workers_level: str = next(iter(levels.values()))

    @property
    def _level(self) -> str:
        return self._workers_level

    def prepare(self) -> None:
        """Nothing: each worker makes what it needs when its first submission comes."""

    @property
    def work(self) -> Travelling[Submission, Observation]:
        """What is sent to the workers."""
        return Travelling(run=answer, pack=self._packed, unpack=self._unpacked, lost=self._lost)

    def _packed(self, submission: Submission) -> bytes:
        files = [[file.name, _text(file.content)] for file in submission.files]
        return json.dumps({"station": self.station.name, "files": files}).encode()

    def _unpacked(self, submission: Submission, answer: bytes) -> Observation:
        seen = observation(_opened(answer)["seen"])
        if seen.provenance.key != self.key(submission):
            raise EngineError(
                f"expected what was seen under the key {self.key(submission)}, got it under "
                f"{seen.provenance.key!r}; the worker's machine differs from the others"
            )
        return seen

    def _lost(self, submission: Submission) -> Observation:
        rests_on = provenance(self.key(submission), self._level)
        note = Note(code=LOST, facts={"times": DEATHS})
        return Observation(status=Status.WITHHELD, provenance=rests_on, notes=(note,))


@contextmanager
def cluster_marker(
    course: Path, name: str, address: str, *, unisolated: bool
) -> Iterator[tuple[Elsewhere, Cluster]]:
    """A marker on the cluster of a scheduler, and the executor that goes with it.

    Raises:
        UsageError, CourseError, EngineError: as `Cluster` and `Elsewhere`.
    """
    cluster = Cluster(address)
    try:
        marker = Elsewhere(course, name, cluster, unisolated=unisolated)
        try:
            yield marker, cluster
        finally:
            cluster.uninstall(marker.station.name)
    finally:
        cluster.close()


def _kit(course: Path, name: str, secret: str, *, unisolated: bool) -> bytes:
    """What a worker needs of a course: the files of one assignment, and the secret."""
    paths = [
        course / FILE,
        course / "reference" / f"{name}.py",
        course / "rubrics" / f"{name}.yaml",
        course / ADAPTERS / f"{name}.yaml",
        *sorted((course / "assignments" / name).rglob("*")),
    ]
    here = provenance("", "")
    kit = {
        "assignment": name,
        "secret": secret,
        "unisolated": unisolated,
        "versions": {"grader": here.engine, "torch": here.torch, "numpy": here.numpy},
        "files": {
            path.relative_to(course).as_posix(): _text(path.read_bytes())
            for path in paths
            if path.is_file()
        },
    }
    return json.dumps(kit).encode()


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _opened(answer: bytes) -> dict[str, Any]:
    """What a worker answered; a refusal of its is raised here."""
    opened: dict[str, Any] = json.loads(answer)
    if "refused" in opened:
        raise REFUSALS.get(opened["kind"], EngineError)(opened["refused"])
    return opened


# -- on a worker ------------------------------------------------------------------------------


class Station(WorkerPlugin):  # type: ignore[misc]
    """The course on a worker, with a warm process of the worker's own. Travels as bytes."""

    def __init__(self, kit: bytes):
        self._kit = kit
        # Another batch may end, and take its own away, while this one is under way.
        self.name = f"grader-{uuid.uuid4().hex}"

    def setup(self, worker: Worker) -> None:
        """Nothing is made before it is asked for."""
        self._lock = threading.Lock()
        self._marker: Marker | None = None
        self._zygote = Zygote()
        # Dask clears the folder of a worker that was killed.
        scratch = worker.local_directory
        self._folder = tempfile.TemporaryDirectory(prefix="grader-course-", dir=scratch)
        self._address, self._threads = worker.address, worker.state.nthreads

    def teardown(self, worker: Worker) -> None:
        """Ends the warm process and takes the course away."""
        self._zygote.close()
        self._folder.cleanup()

    def marker(self, *, prepared: bool = True) -> Marker:
        """Marks the assignment that was sent; made, and made ready, when it is first needed.

        Raises:
            UsageError, CourseError, EngineError: this worker can't.
        """
        with self._lock:
            if self._marker is None:
                self._marker = self._made(json.loads(self._kit))
            if prepared:
                self._marker.prepare()
            return self._marker

    def level(self) -> str:
        """Isolation level in force on this worker, once it is seen that it may grade here."""
        self.marker(prepared=False)
        return self._zygote.isolation().level

    def _made(self, kit: dict[str, Any]) -> Marker:
        here = provenance("", "")
        versions = {"grader": here.engine, "torch": here.torch, "numpy": here.numpy}
        if versions != kit["versions"]:
            raise UsageError(
                f"expected {_listed(kit['versions'])}, as where the batch was started, got "
                f"{_listed(versions)} @ worker {self._address}; install the same there"
            )
        course = Path(self._folder.name)
        for name, content in kit["files"].items():
            (course / name).parent.mkdir(parents=True, exist_ok=True)
            (course / name).write_bytes(base64.b64decode(content))
        runner = Runner(self._zygote, self._threads)
        marker = Marker(course, kit["assignment"], runner, kit["secret"])
        require(self._zygote.isolation(), course, hides=marker.hides, unisolated=kit["unisolated"])
        self._zygote.training = marker.trains
        return marker


def ready(station: bytes) -> bytes:
    """The level of isolation in force on this worker, once it has been given the course."""
    return _answered(partial(_level_of, _station(station.decode())))


def answer(sent: bytes) -> bytes:
    """What one submission shows, on a worker."""
    asked = json.loads(sent)
    files = tuple(
        SubmittedFile(name=name, content=base64.b64decode(text)) for name, text in asked["files"]
    )
    return _answered(partial(_seen_of, _station(asked["station"]), files))


def _station(name: str) -> Station:
    found: Station = get_worker().plugins[name]
    return found


def _level_of(station: Station) -> dict[str, Any]:
    return {"level": station.level()}


def _seen_of(station: Station, files: tuple[SubmittedFile, ...]) -> dict[str, Any]:
    marker = station.marker()
    name = marker.assignment.name
    nameless = Submission(student="", assignment=name, path=name, files=files)
    return {"seen": dumped(marker.observe(nameless)).decode()}


def _answered(make: "partial[dict[str, Any]]") -> bytes:
    """What is made, or the refusal to make it, as JSON."""
    try:
        made = make()
    except GraderError as error:
        made = {"refused": str(error), "kind": type(error).__name__}
    return json.dumps(made).encode()


def _listed(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
