"""What a command takes before it does anything: `grader --help`, and `grader check` cold and warm.

    .venv/bin/python benchmarks/startup.py [--rounds 10] [--assignment lstm]

`check` is run on a released folder outside the course, as a student has it, with a right solution
in it. Cold: the page cache is dropped before (as root; else it is said that it was not). Warm: the
same again. Beside it what `import torch` takes alone, which every check pays once. Where `check`
has --watch, the time from saving the file to the new verdict.
"""

import argparse
import os
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HELP_SECONDS, COLD_SECONDS, WARM_SECONDS = 0.3, 5.0, 1.0
QUIET_SECONDS = 3.0
GRADER = (sys.executable, "-m", "grader")


def timed(*argv: str, cwd: Path) -> float:
    """Wall-clock seconds of a command that may fail, as a check of unfinished work does."""
    started = time.perf_counter()
    done = subprocess.run(argv, cwd=cwd, env=environment(), capture_output=True, text=True)
    spent = time.perf_counter() - started
    if done.returncode not in (0, 1):
        raise SystemExit(f"expected {argv} to work, got {done.stderr}")
    return spent


def environment() -> dict[str, str]:
    """As installed: the package is found from every folder."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def drop_page_cache() -> bool:
    """Whether the kernel let go of every file it had read."""
    try:
        os.sync()
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        return False
    return True


def released(folder: Path, assignment: str) -> Path:
    """A student's folder, with a right solution in the module's place."""
    shutil.copytree(ROOT / "assignments" / assignment, folder)
    file = folder / f"{assignment}.py"
    shutil.copyfile(ROOT / "reference" / f"{assignment}.py", file)
    (folder / f"{assignment}.ipynb").unlink(missing_ok=True)
    return file


def watched(file: Path, rounds: int) -> list[float]:
    """Seconds from saving the file to the last of what is printed then; empty without --watch."""
    told = subprocess.run(
        [*GRADER, "check", "--help"], env=environment(), capture_output=True, text=True
    )
    if "--watch" not in told.stdout:
        return []
    process = subprocess.Popen(
        [*GRADER, "check", "--watch", file.name],
        cwd=file.parent,
        env=environment() | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    try:
        last_printed(process, 60.0)
        spent = []
        for number in range(rounds):
            with file.open("a") as end:
                end.write(f"# {number}\n")
            saved = time.perf_counter()
            spent.append(last_printed(process, 60.0) - saved)
        return spent
    finally:
        process.terminate()
        process.wait()


def last_printed(process: subprocess.Popen[bytes], patience: float) -> float:
    """When the last of a burst was printed."""
    assert process.stdout is not None
    last = 0.0
    while select.select([process.stdout], [], [], QUIET_SECONDS if last else patience)[0]:
        if not os.read(process.stdout.fileno(), 1 << 16):
            break
        last = time.perf_counter()
    if not last:
        raise SystemExit("expected a new verdict, got nothing")
    return last


def line(name: str, seconds: list[float], target: float | None = None) -> None:
    """One line of the table."""
    middle = statistics.median(seconds)
    met = "" if target is None else f"target {target:g}: {'met' if middle < target else 'NOT MET'}"
    print(f"{name:44}{middle:8.2f}{min(seconds):8.2f}{max(seconds):8.2f}  {met}")


def main() -> None:
    """Measures, and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--assignment", default="lstm")
    options = parser.parse_args()
    torch = (sys.executable, "-c", "import torch")
    with tempfile.TemporaryDirectory(prefix="startup-") as name:
        file = released(Path(name) / options.assignment, options.assignment)
        check = (*GRADER, "check", file.name)
        print(f"{'seconds':44}{'median':>8}{'least':>8}{'most':>8}")
        timed(*GRADER, "--help", cwd=ROOT)
        helps = [timed(*GRADER, "--help", cwd=ROOT) for _ in range(options.rounds)]
        line("grader --help", helps, HELP_SECONDS)
        dropped = drop_page_cache()
        cold = timed(*check, cwd=file.parent)
        line(f"grader check, {'cold' if dropped else 'first (not cold)'}", [cold], COLD_SECONDS)
        few = range(max(1, options.rounds // 2))
        again = [timed(*check, cwd=file.parent) for _ in few]
        line("grader check, again", again)
        line("  of which: import torch, alone", [timed(*torch, cwd=ROOT) for _ in few])
        if dropped:
            drop_page_cache()
            line("  import torch, cold", [timed(*torch, cwd=ROOT)])
        if saves := watched(file, len(few)):
            line("grader check --watch, from save to verdict", saves, WARM_SECONDS)
        else:
            print("grader check has no --watch here")


if __name__ == "__main__":
    main()
