"""How long a student waits: `grader check` cold, and warm as `--watch` keeps it.

    python benchmarks/student.py [ASSIGNMENT] [FILE]

Cold is a whole command, from the shell to its last line; warm is one check in a process that is
kept. Targets: 5 s and 1 s.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from grader.course import Settings
from grader.packing import folder_files, place, student_folder
from grader.sandbox.processes import warm_process
from grader.sandbox.runner import Runner
from grader.student import check_work, public_part, work_in

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 5


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else "lstm"
    file = Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "reference" / f"{name}.py"
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        files = folder_files(ROOT / "assignments" / name)
        place(student_folder(files, name, Settings()), name, home)
        shutil.copy(file, home / f"{name}{file.suffix}")
        cold = []
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        for _ in range(ROUNDS):
            started = time.perf_counter()
            command = [sys.executable, "-m", "grader", "check"]
            subprocess.run(command, cwd=home, env=environment, stdout=subprocess.DEVNULL)
            cold.append(time.perf_counter() - started)
        process = warm_process()
        try:
            public, runner, warm = public_part(None, None, home), Runner(process), []
            for _ in range(ROUNDS + 1):
                started = time.perf_counter()
                check_work(work_in(None, home, public), public, runner)
                warm.append(time.perf_counter() - started)
        finally:
            process.close()
    for said, seconds in (("cold", cold), ("warm", warm[1:])):
        listed = " ".join(f"{each:.2f}" for each in seconds)
        median = sorted(seconds)[len(seconds) // 2]
        print(f"{name} {said}: best {min(seconds):.2f} s, median {median:.2f} s ({listed})")


if __name__ == "__main__":
    main()
