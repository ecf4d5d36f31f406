"""Ordinary student code gives the same inside, at every level, as in a plain Python process.

Each file of `idioms/` is a small submission; it takes the whole road of loader, wire and worker.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.errors import EngineError
from grader.load import load
from grader.sandbox.runner import Runner
from grader.sandbox.warm import Zygote
from grader.types import Call, Job, Limits, Outcome, RawOutput, Submission, SubmittedFile, Trial

FOLDER = Path(__file__).parent / "idioms"
IDIOMS = sorted(path.stem for path in FOLDER.glob("*.py"))
LEVELS = ("A", "B", "E")
NOT_AT = {
    # Level B has no folder to write in: what is not a namespace of its own could be looked at.
    "B": {
        "compression_and_encoding",
        "json_and_csv",
        "logging_to_stderr_and_file",
        "memory_map_and_globals",
        "pathlib_and_shutil",
        "plot_to_file",
        "save_and_load",
        "sqlite",
        "temporary_files",
    }
}
CLOSE = {"explicit_float32": 1e-6}
"""What is computed in float32 outside; inside in float64, as everything is."""
ROOMY = Limits(seconds=60, trial_seconds=30, memory_mb=1024)


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each idiom gives in a plain process."""
    out = tmp_path_factory.mktemp("idioms") / "outside.json"
    script = Path(__file__).with_name("idioms_outside.py")
    environment = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-I", "-B", str(script), str(FOLDER), str(out)]
    subprocess.run(command, check=True, env=environment, timeout=240)
    told: dict[str, Any] = json.loads(out.read_text())
    return told


@pytest.fixture(scope="module")
def runners() -> Iterator[dict[str, Runner | str]]:
    """A runner for each level, started when it is first asked for; or why there is none."""
    with ExitStack() as stack:
        yield _Runners(stack)


class _Runners(dict[str, Runner | str]):
    def __init__(self, stack: ExitStack):
        self._stack = stack

    def __missing__(self, level: str) -> Runner | str:
        zygote = Zygote(level=level)
        try:
            zygote.start()
        except EngineError as error:
            self[level] = str(error)
        else:
            self._stack.callback(zygote.close)
            self[level] = Runner(zygote)
        return self[level]


def submitted(name: str) -> Submission:
    content = (FOLDER / f"{name}.py").read_bytes()
    file = SubmittedFile(name=f"{name}.py", content=content)
    return Submission(student="kim", assignment=name, path=name, files=(file,))


def inside(runner: Runner, name: str) -> RawOutput:
    loaded = load(submitted(name), ("run",))
    trial = Trial(case="c", variant="base", entry="run", calls=(Call(args={}),))
    job = Job(source=loaded.source, modules=loaded.modules, trials=(trial,), limits=ROOMY)
    (output,) = runner.run(job)
    return output


def flattened(output: RawOutput) -> list[Any]:
    """As `idioms_outside.leaves` has it."""
    found: list[Any] = []
    for leaf in output.leaves[0]:
        if leaf.array is None:
            found.append(["text", "None" if leaf.kind == "none" else leaf.text])
        else:
            array = np.asarray(leaf.array, dtype=float)
            found.append(["array", list(array.shape), array.ravel().tolist()])
    return found


def numbers(leaves: list[Any]) -> list[float]:
    """All numbers of a result in order: a list of numbers travels as one array."""
    return [number for leaf in leaves if leaf[0] == "array" for number in leaf[2]]


def texts(leaves: list[Any]) -> list[str]:
    return [leaf[1] for leaf in leaves if leaf[0] == "text"]


def test_there_are_enough_of_them() -> None:
    assert len(IDIOMS) >= 60


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", IDIOMS)
def test_an_idiom_gives_inside_what_it_gives_outside(
    name: str, level: str, outside: dict[str, Any], runners: dict[str, Runner | str]
) -> None:
    runner = runners[level]
    if isinstance(runner, str):
        pytest.skip(runner)
    if name in NOT_AT.get(level, ()):
        output = inside(runner, name)
        assert output.outcome in (Outcome.RAISED, Outcome.OK)
        said = output.error.message if output.error else ""
        assert (
            output.outcome is Outcome.OK or "Permission denied" in said or "database file" in said
        )
        return
    want = outside[name]
    assert isinstance(want, list), want
    output = inside(runner, name)
    assert output.outcome is Outcome.OK, (output.error, output.facts, output.stdout[-2000:])
    got = flattened(output)
    close = CLOSE.get(name, 1e-12)
    assert texts(got) == texts(want)
    assert np.allclose(numbers(got), numbers(want), rtol=close, atol=close, equal_nan=True)


@pytest.mark.parametrize("name", ["dataloader_workers", "dataloader_workers_by_position"])
def test_workers_that_are_left_aside_are_said(name: str) -> None:
    loaded = load(submitted(name), ("run",))
    (note,) = [note for note in loaded.notes if note.code == "load.workers"]
    assert "DataLoader(" in note.facts["text"]
    without = [load(submitted(each), ("run",)).notes for each in ("iterable_dataset", "losses")]
    assert not any(note.code == "load.workers" for notes in without for note in notes)


REFUSED = {
    "import subprocess\ndef run(): subprocess.run(['ls'])": "starting another program",
    "import subprocess\ndef run(): subprocess.check_output('ls', shell=True)": "another program",
    "import os\ndef run(): os.popen('ls')": "starting another program",
    "import os\ndef run(): os.fork() or os._exit(0)": "starting another process",
    "import multiprocessing as mp\ndef run(): mp.Process(target=int).start()": "another process",
    "import multiprocessing as mp\ndef run(): mp.Pool(2).map(abs, [1])": "between processes",
    "import multiprocessing as mp\ndef run(): mp.Queue().put(1)": "between processes",
    "import torch.multiprocessing as mp\ndef run(): mp.get_context('spawn').Process().start()": "",
    "import socket\ndef run(): socket.socket().bind(('127.0.0.1', 0))": "a network connection",
    "from urllib.request import urlopen\n"
    "def run(): urlopen('http://127.0.0.1:9/', timeout=1)": "a network connection",
}


@pytest.mark.parametrize("level", ["A", "B"])
@pytest.mark.parametrize("source", REFUSED)
def test_what_is_refused_is_refused_in_words(
    source: str, level: str, runners: dict[str, Runner | str]
) -> None:
    runner = runners[level]
    if isinstance(runner, str):
        pytest.skip(runner)
    trial = Trial(case="c", variant="base", entry="run", calls=(Call(args={}),))
    (output,) = runner.run(Job(source=source, modules={}, trials=(trial,), limits=ROOMY))
    assert output.outcome is Outcome.RAISED and output.error is not None, output
    assert f"{REFUSED[source]} is not possible while grading".strip() in output.error.message
