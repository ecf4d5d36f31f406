"""An environment for each peer: torch first and exact, then the peer at an exact version."""

import json
import subprocess
import sys
from pathlib import Path

TORCH = ("torch==2.13.0", "numpy==2.4.6")
PEERS: dict[str, tuple[str, ...]] = {
    "nbgrader": ("nbgrader==0.9.6",),
    "otter": ("otter-grader==7.0.0", "ipykernel==7.4.0"),
    "pytest": ("pytest==9.2.0", "pytest-timeout==2.4.0"),
    "unittest": (),
}
"""What is installed beside torch; pip takes its index and wheels from where it is told to."""


def set_up(folder: Path, names: tuple[str, ...]) -> None:
    """Makes the environments that are not there yet."""
    for name in names:
        wanted = [*TORCH, *PEERS[name]]
        ready = folder / name / "ready.json"
        if ready.is_file() and json.loads(ready.read_text()) == wanted:
            continue
        print(f"making {folder / name}", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder / name)], check=True)
        pip = [str(python(folder, name)), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *TORCH], check=True)
        if PEERS[name]:
            subprocess.run([*pip, *TORCH, *PEERS[name]], check=True)
        ready.write_text(json.dumps(wanted))


def python(folder: Path, name: str) -> Path:
    """The interpreter of an environment."""
    return folder / name / "bin" / "python"
