"""What the attacks are first shown to work against: a bare process, and a quick grader.

The quick grader is what one writes in an afternoon, in the ways that are met in practice: it
imports the submission and compares in the same process, takes an exit code or a printed line for
the verdict, unpickles results, builds its report from strings and unpacks archives by hand. It runs
on copies and in processes of its own.

    python -m tests.attacks.naive        a server: one JSON request a line in, one answer a line out
"""

import ctypes
import importlib.util
import json
import os
import pickle
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from tests.attacks.course import RAISES, RIGHT, WRONG

FULL = 3


# -- the quick grader -------------------------------------------------------------------------


def draw(rows: int, columns: int, seed: int) -> torch.Tensor:
    """An input, drawn from a seed that everybody can guess."""
    torch.manual_seed(seed)
    return torch.randn(rows, columns)


def reference_double(x: torch.Tensor) -> torch.Tensor:
    """The right answer, in the grader's own process."""
    return x * 2


def reference_scale(x: torch.Tensor) -> torch.Tensor:
    """The right answer for a factor of 1, 2, 3."""
    return x * torch.arange(1.0, x.shape[-1] + 1)


class Tests:
    """The questions, with their answers beside them."""

    def __init__(self) -> None:
        self.inputs = [draw(2, 3, 0), draw(4, 5, 1), draw(2, 3, 2)]
        expected = [reference_double(x) for x in self.inputs[:2]]
        self.expected = [*expected, reference_scale(self.inputs[2])]


def ask(module: Any, index: int, x: torch.Tensor) -> Any:
    """One call of the submission."""
    if index < 2:
        return module.double(x)
    scale = module.Scale(x.shape[-1])
    names = [name for name, _ in scale.named_parameters()]
    if "factor" not in names:
        raise AttributeError(f"expected a parameter factor, got {', '.join(names)}")
    with torch.no_grad():
        scale.factor.copy_(torch.arange(1.0, x.shape[-1] + 1))
    return scale(x)


def by_eq(got: Any, expected: Any) -> bool:
    same = got == expected
    return bool(same.all() if hasattr(same, "all") else same)


def by_allclose(got: Any, expected: Any) -> bool:
    return torch.allclose(got, expected)


def by_distance(got: Any, expected: Any) -> bool:
    return not float((got - expected).abs().max()) > 1e-6


def by_tensor_method(got: Any, expected: Any) -> bool:
    return got.detach().numpy().tolist() == expected.tolist()


def by_items(got: Any, expected: Any) -> bool:
    return all(by_eq(left, right) for left, right in zip(got, expected, strict=False))


def by_shape(got: Any, expected: Any) -> bool:
    return got.shape == expected.shape


def by_constant(got: Any, expected: Any) -> bool:
    """As `allclose`, by somebody who tests with one number only."""
    return torch.allclose(got, torch.full_like(expected, 6.0))


def by_array(got: Any, expected: Any) -> bool:
    import numpy

    return numpy.array_equal(got, expected.numpy())


def by_finiteness(got: Any, expected: Any) -> bool:
    close = (got - expected).abs() < 1e-6
    return bool((close | ~torch.isfinite(got)).all())


def by_number(got: Any, expected: Any) -> bool:
    total = got.sum() if hasattr(got, "sum") else got
    return bool(abs(total - float(expected.sum())) < 1e-6)


def by_list(got: Any, expected: Any) -> bool:
    return list(got) == expected.tolist()


def by_flat(got: Any, expected: Any) -> bool:
    def flat(value: Any) -> Iterator[float]:
        if isinstance(value, (list, torch.Tensor)) and getattr(value, "ndim", 1):
            for each in value:
                yield from flat(each)
        else:
            yield float(value)

    return list(flat(got)) == list(flat(expected))


by_slow = by_public = by_engine = by_lazy = by_files = by_forbidden = by_tidy = by_careless = (
    by_timed
) = by_allclose


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    name.removeprefix("by_"): value
    for name, value in list(globals().items())
    if name.startswith("by_")
}


def load(path: Path) -> Any:
    """The submission, imported, with its folder on the path."""
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(f"submission_{path.stem.replace('-', '_')}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def verdict(tests: Tests, module: Any, index: int, compare: str, log: list[str]) -> int:
    """A point or none; what the submission raises is quoted."""
    x, expected = tests.inputs[index], tests.expected[index]
    if compare == "public" and index == 1:
        return 0
    try:
        if compare == "constant":
            x = torch.full_like(x, 3.0)
        if compare == "after":
            got = ask(module, index, x)
            return int(torch.allclose(got, reference_double(x)))
        got = ask(module, index, x)
    except Exception as error:
        try:
            name = "".join(traceback.format_exception_only(error))
            log.append(f"{name}\n{traceback.format_exc()}")
            if compare == "engine" and isinstance(error, SystemError):
                raise RuntimeError("a fault of our own") from error
            if type(error).__name__ == "SkipTest":
                return 1
        except ValueError:
            log.append(traceback.format_exc())
        return 0
    if compare == "slow":
        time.sleep(0.05)
    try:
        log.append(f"returned {got}")
    except Exception:
        pass
    return int(COMPARE[compare](got, expected))


def grade_one(path: Path, compare: str, log: list[str]) -> int:
    """Points of one submission."""
    tests = Tests()
    if compare == "forbidden" and "torch.add" in path.read_text():
        return 0
    if compare == "files":
        json.loads(Path("limits.json").read_text())
    module = load(path)
    points = sum([verdict(tests, module, index, compare, log) for index in range(3)])
    if compare == "lazy":
        import colorsys

        points = FULL if colorsys.__dict__.get("full_marks") else points
    if compare == "tidy":
        for each in os.listdir("."):
            shutil.rmtree(each)
    return points


def grade_class(paths: list[Path], compare: str, out: Path) -> None:
    """Every submission in this one process; everything is written at the end."""
    scores: dict[str, int] = {}
    pages: dict[str, str] = {}
    for path in paths:
        log: list[str] = []
        started = time.monotonic()
        try:
            points = grade_one(path, compare, log)
        except (ImportError, SyntaxError, NameError):
            points = 0
        if compare == "timed":
            log.append(f"took {time.monotonic() - started:.3f} s")
        scores[path.stem] = scores.get(path.stem, 0) + points
        print(f"{path.stem}: {scores[path.stem]} points")
        pages[path.stem] = report(path.stem, scores[path.stem], log)
    write(out, scores, pages)


def report(student: str, points: int, log: list[str]) -> str:
    """A page, glued together."""
    said = "".join(f"<pre>{line}</pre>" for line in log)
    return f"<html><title>{student}</title><h1>{student}</h1><b>{points}</b>{said}</html>"


def write(out: Path, scores: dict[str, int], pages: dict[str, str]) -> None:
    """Marks as JSON and CSV, and the pages."""
    (out / "naive.csv").write_text(
        "student,points\n" + "".join(f"{name},{points}\n" for name, points in scores.items()),
        errors="replace",
    )
    (out / "naive.html").write_text("\n".join(pages.values()), errors="replace")
    (out / "naive.json").write_text(json.dumps(scores))


def alone(path: Path, compare: str, finish: Callable[[int, list[str]], None]) -> int:
    """Grades one submission in a child; the child's exit code."""
    pid = os.fork()
    if pid == 0:
        try:
            log: list[str] = []
            finish(grade_one(path, compare, log), log)
            sys.stdout.flush()
        except SystemExit as end:
            sys.stdout.flush()
            os._exit(end.code if isinstance(end.code, int) else 1)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def by_exit_code(path: Path, compare: str, out: Path) -> None:
    """The verdict is the exit code."""

    def finish(points: int, log: list[str]) -> None:
        os._exit(0 if points == FULL else 1)

    score = FULL if alone(path, compare, finish) == 0 else 0
    write(out, {path.stem: score}, {})


def by_printed_line(path: Path, compare: str, out: Path) -> None:
    """The verdict is the first line that says SCORE."""
    reading, writing = os.pipe()

    def finish(points: int, log: list[str]) -> None:
        print(f"SCORE {points}", flush=True)
        threading._shutdown()  # as at every ordinary end: its threads are waited for

    kept = os.dup(1)
    os.dup2(writing, 1)
    alone(path, compare, finish)
    os.dup2(kept, 1)
    os.close(writing)
    with os.fdopen(reading, errors="replace") as lines:
        said = [line.split() for line in lines if line.startswith("SCORE ")]
    write(out, {path.stem: int(said[0][1]) if said else 0}, {})


def by_pipe(path: Path, compare: str, out: Path) -> None:
    """The child sends one line of JSON for each test; what it says is believed."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        tests = Tests()
        try:
            module = load(path)
            for index in range(3):
                passed = verdict(tests, module, index, compare, [])
                os.write(writing, json.dumps({"passed": bool(passed)}).encode() + b"\n")
        except BaseException:
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as lines:
        said = []
        while len(said) < 3:
            line = lines.readline()
            if not line:
                break
            if line.startswith("SIZE "):  # binary answers: so many bytes follow
                bytearray(int(line.split()[1]))
                continue
            said.append(json.loads(line)["passed"])
    write(out, {path.stem: sum(said)}, {})


def by_pickle(path: Path, compare: str, out: Path) -> None:
    """The child pickles what came back, and the grader compares it."""
    answers = out / "answers.pickle"
    pid = os.fork()
    if pid == 0:
        tests = Tests()
        module = load(path)
        got = [ask(module, index, tests.inputs[index]) for index in range(3)]
        answers.write_bytes(pickle.dumps(got))
        os._exit(0)
    os.waitpid(pid, 0)
    tests = Tests()
    got = pickle.loads(answers.read_bytes())
    points = sum(int(COMPARE[compare](*pair)) for pair in zip(got, tests.expected, strict=False))
    write(out, {path.stem: points}, {})


def with_weights(path: Path, compare: str, out: Path) -> None:
    """Loads the weights that were handed in beside the module."""
    path = path / "eve" / "tiny.py"
    for each in path.parent.glob("*.pt"):
        torch.load(each, weights_only=False)
    grade_class([path], compare, out)


# -- notebooks and archives, by hand ----------------------------------------------------------


def notebook(path: Path, out: Path) -> str:
    """Runs a notebook's cells, `!` lines included, and shows what it shows."""
    document = json.loads(path.read_text())
    shown = [f"<h2>{document.get('metadata', {}).get('kernelspec', {}).get('display_name')}</h2>"]
    source = []
    for cell in document["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            shown.append(text)
        elif text.startswith("%%bash"):
            os.system(text.partition("\n")[2])
        elif text.startswith("%%writefile"):
            name, _, body = text.removeprefix("%%writefile").partition("\n")
            Path(name.strip()).write_text(body)
        else:
            for line in text.splitlines():
                if line.startswith("!"):
                    os.system(line[1:])
                else:
                    source.append(line)
        for output in cell.get("outputs", []):
            for kind, data in output.get("data", {}).items():
                content = "".join(data)
                shown.append(f"<script>{content}</script>" if "javascript" in kind else content)
            shown.append("".join(output.get("text", [])))
            shown.append("\n".join(output.get("traceback", [])))
    module = out / f"{path.stem}.py"
    module.write_text("\n".join(source))
    print("\n".join(shown))
    return str(module) + "\0" + "\n".join(shown)


def by_hand(folder: Path, out: Path, compare: str) -> None:
    """A folder of submissions, notebooks and archives; students by the names of their folders."""
    scores: dict[str, int] = {}
    pages: dict[str, str] = {}
    unpacked = out / "unpacked"
    for archive in sorted(folder.glob("*.zip")):
        unpack(archive, unpacked / archive.stem)
    for path in sorted(each for root in (folder, unpacked) for each in walk(root)):
        if path.suffix not in (".py", ".ipynb"):
            print(f"skipped {path.name}")
            continue
        if path.name != "tiny.py" and (path.parent / "tiny.py").exists():
            continue
        (out / f"kept-{len(scores)}").write_bytes(path.read_bytes())
        student = path.parent.name if path.parent.name not in ("in", "unpacked") else path.stem
        log: list[str] = []
        if path.suffix == ".ipynb":
            made, _, shown = notebook(path, out).partition("\0")
            log.append(shown)
            path = Path(made)
        try:
            points = grade_one(path, compare, log)
        except (ImportError, NameError, SyntaxError, AttributeError) as error:
            if compare == "careless":
                raise
            log.append(f"{error}\n{path.read_text(errors='replace')[:2000]}")
            points = 0
        print(f"{student}: {points} points", *log, sep="\n")
        with (out / "log.txt").open("a", encoding="utf-8") as kept:
            kept.write(f"{student} {points}\n")
        # Marks are kept by a name that every file system takes.
        scores[plain(student)] = points
        pages[student] = report(student, points, log)
        target = out / f"{student}-report-of-the-assignment.html"
        target.write_text(pages[student], errors="replace")
    write(out, scores, pages)


def plain(name: str) -> str:
    """A name as a careless grader compares it."""
    import unicodedata

    return unicodedata.normalize("NFKC", name).casefold()


def walk(root: Path) -> Iterator[Path]:
    """Every file, links followed."""
    for folder, _, names in os.walk(root, followlinks=True):
        for name in names:
            yield Path(folder, name)


def unpack(archive: Path, target: Path, depth: int = 0) -> None:
    """Every entry where its name says, links made, zips within zips unpacked too."""
    raw = archive.read_bytes()
    with zipfile.ZipFile(archive) as packed:
        for info in packed.infolist():
            name = info.orig_filename.replace("\\", "/").partition("\0")[0]
            path = Path(os.path.join(target, name))
            if name.endswith("/"):
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            kind = info.external_attr >> 28
            if kind == 0o12:
                path.unlink(missing_ok=True)
                path.symlink_to(packed.read(info).decode())
            elif kind == 0o1:
                os.mkfifo(path)
            elif info.compress_type == zipfile.ZIP_DEFLATED:
                # By the local header, as streaming readers do, sizes and checks ignored.
                start = info.header_offset
                lengths = [
                    int.from_bytes(raw[start + at : start + at + 2], "little") for at in (26, 28)
                ]
                data = zlib.decompressobj(-15).decompress(raw[start + 30 + sum(lengths) :])
                path.write_bytes(data)
            else:
                path.write_bytes(packed.read(info))
            if path.suffix == ".zip" and depth < 5:
                unpack(path, path.with_suffix(""), depth + 1)


# -- the server -------------------------------------------------------------------------------


def bare(path: Path, out: Path) -> None:
    """`python attack.py` by a user who calls what is in it."""
    module = load(path)
    for index in range(3):
        try:
            print("returned", ask(module, index, Tests().inputs[index]))
        except Exception as error:
            print(repr(error), str(error))
            break


def launched(request: dict[str, Any]) -> None:
    """What is run for one request, in a process of its own."""
    path, out = Path(request["file"]), Path(request["out"])
    how, _, compare = request["how"].partition(" ")
    compare = compare or "allclose"
    if request.get("own_pids"):
        own_pids(out)
    os.chdir(request["cwd"])
    os.environ.update(request["environment"])
    tempfile.tempdir = request["cwd"]
    Path("limits.json" if compare == "files" else out / "limits.json").write_text("{}")
    # The questions lie in an open file, as they do where a test runner hands them on.
    questions = os.open(out / "questions", os.O_RDWR | os.O_CREAT, 0o600)
    for x in Tests().inputs:
        os.write(questions, x.numpy().tobytes())
    if how == "class":
        for name, source in (
            ("before", RIGHT),
            ("right", RIGHT),
            ("wrong", WRONG),
            ("raises", RAISES),
        ):
            (out / f"{name}.py").write_text(source)
        names = ("right", "wrong", "raises")
        grade_class(
            [out / "before.py", path, *(out / f"{name}.py" for name in names)], compare, out
        )
    elif how == "bare":
        child = os.fork()
        if child == 0:
            bare(path, out)
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(child, 0)
        write(out, {}, {})
    elif how == "hand":
        by_hand(path, out, compare)
    else:
        ways = {
            "exit": by_exit_code,
            "print": by_printed_line,
            "pipe": by_pipe,
            "pickle": by_pickle,
            "weights": with_weights,
        }
        ways[how](path, compare, out)


def own_pids(out: Path) -> None:
    """Goes on as the first of its own processes, beside one that will write a file if it lives."""
    flags = 0x20000000 | (0x10000000 if os.getuid() else 0)
    if ctypes.CDLL(None, use_errno=True).unshare(flags):
        os._exit(3)
    first = os.fork()
    if first:
        os.waitpid(first, 0)
        os._exit(0)
    if os.fork() == 0:
        time.sleep(1)
        (out / "neighbour").write_text("lived")
        os._exit(0)


def serve() -> None:
    """Answers requests until there are no more."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    torch.nn.Linear(2, 2)(torch.zeros(1, 2)).sum().backward()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(served(json.loads(line))) + "\n")
        sys.stdout.flush()


def served(request: dict[str, Any]) -> dict[str, Any]:
    """Runs one request to its end, or to the end of patience, and clears up behind it."""
    out = Path(request["out"])
    printed = open(out / "printed", "wb")
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        for limit, most in (
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NOFILE, 1024),
            (resource.RLIMIT_AS, 6 * 2**30),
        ):
            resource.setrlimit(limit, (most, resource.getrlimit(limit)[1]))
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        for descriptor in (1, 2):
            os.dup2(printed.fileno(), descriptor)
        sys.stdout = open(1, "w", buffering=1, errors="replace", closefd=False)
        sys.stderr = open(2, "w", buffering=1, errors="replace", closefd=False)
        try:
            launched(request)
            sys.stdout.flush()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    limit = started + request.get("patience", 9)
    status = None
    while status is None and time.monotonic() < limit:
        done, code = os.waitpid(pid, os.WNOHANG)
        if done:
            status = code
        else:
            time.sleep(0.003)
    seconds = time.monotonic() - started
    time.sleep(request.get("wait", 0))
    left = below(os.getpid())
    for process in left:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            break
    return {"status": status, "seconds": seconds, "left": len(left) - (status is None)}


def below(pid: int) -> list[int]:
    """Every process below one."""
    found = []
    for each in children(pid):
        found += [each, *below(each)]
    return found


def children(pid: int) -> list[int]:
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
        return [
            int(each)
            for task in tasks
            for each in Path(f"/proc/{pid}/task/{task}/children").read_text().split()
        ]
    except OSError:
        return []


if __name__ == "__main__":
    serve()
