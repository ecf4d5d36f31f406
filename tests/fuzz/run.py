"""Drives one reader by coverage for a bounded time: `make fuzz`, or

    .venv/bin/python tests/fuzz/run.py archive --seconds 60 [--keep DIR]

New inputs that reach new code go to DIR (a temporary folder by default); an input that breaks the
reader is written to `crash-...` there and printed, and belongs into `tests/fuzz/corpus/<target>/`
with the mend. Exit code 0 if nothing broke.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import atheris

ROOT = Path(__file__).resolve().parent.parent.parent
LONGEST_BYTES = 4096
MOST_MEMORY_MB = 2048
SLOWEST_SECONDS = 20

with atheris.instrument_imports(include=["grader", "zipfile", "yaml", "json"]):
    sys.path.insert(0, str(ROOT / "tests"))
    from fuzz import targets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target", choices=targets.TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--keep", type=Path, help="folder of what is found")
    asked = parser.parse_args()
    folder = asked.keep or Path(tempfile.mkdtemp(prefix="grader-fuzz-"))
    folder.mkdir(parents=True, exist_ok=True)
    target = targets.TARGETS[asked.target]

    def one_input(data: bytes) -> None:
        target(data)

    dictionary = Path(__file__).parent / "dictionaries" / f"{asked.target}.dict"
    arguments = [
        sys.argv[0],
        str(folder),
        str(targets.CORPUS / asked.target),
        f"-max_total_time={asked.seconds}",
        f"-max_len={LONGEST_BYTES}",
        f"-rss_limit_mb={MOST_MEMORY_MB}",
        f"-timeout={SLOWEST_SECONDS}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
        "-verbosity=1",
    ]
    if dictionary.exists():
        arguments.append(f"-dict={dictionary}")
    print(f"fuzzing {asked.target} for {asked.seconds} s; finds go to {folder}", flush=True)
    os.chdir(folder)
    atheris.Setup(arguments, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
