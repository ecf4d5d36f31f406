"""A student's folder: its version, what stands in it beside the assignment, its zip.

lstm.py  lstm.ipynb                            the student's code, never written over
README.md  public.json  public.npz  *.npz      the assignment
bundle.json  requirements.txt  pytest.ini      where it comes from, and how it is checked
"""

import hashlib
import io
import json
import re
import urllib.error
import urllib.request
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import requires
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

import grader
from grader.course import Settings
from grader.errors import CourseError, UsageError
from grader.types import FORBID_UNKNOWN_KEYS

MANIFEST, REQUIREMENTS, PYTEST = "bundle.json", "requirements.txt", "pytest.ini"
FETCH_SECONDS = 30.0
ASK_SECONDS = 2.0
MOST_BYTES = 100_000_000
NEEDED = ("torch", "numpy", "pytest")
"""Of what the engine needs, what a student's own code and commands use by name."""
FIRST_DATE = (1980, 1, 1, 0, 0, 0)
"""So that the same folder always makes the same zip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What `bundle.json` says."""

    __pydantic_config__ = FORBID_UNKNOWN_KEYS
    assignment: str
    """Name of the assignment."""
    version: str
    """Hash of all that was handed out."""
    engine: str
    """The engine that made it."""
    source: str = ""
    """Address of the newest one, as a zip; empty where the course names none."""


MANIFESTS: TypeAdapter[Manifest] = TypeAdapter(Manifest)


def code_files(assignment: str) -> tuple[str, str]:
    """The files that a student writes in."""
    return f"{assignment}.py", f"{assignment}.ipynb"


def version(files: Mapping[str, bytes], assignment: str) -> str:
    """Version of what was handed out: the notebook, which follows from the module, aside."""
    digest = hashlib.sha256()
    left_out = (f"{assignment}.ipynb", MANIFEST, REQUIREMENTS, PYTEST)
    for name in sorted(set(files) - set(left_out)):
        digest.update(f"{name} {len(files[name])}\n".encode() + files[name])
    return digest.hexdigest()[:12]


def folder_files(folder: Path) -> dict[str, bytes]:
    """What lies in a folder of a course, hidden files aside."""
    return {
        path.name: path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.startswith(".")
    }


def student_folder(
    files: Mapping[str, bytes], assignment: str, settings: Settings
) -> dict[str, bytes]:
    """All that a student gets, by file name.

    Args:
        files: the assignment, as its folder in the course holds it.
        assignment: its name.
        settings: where the engine and newer folders are to be had.
    """
    source = settings.bundles.replace("{assignment}", assignment)
    manifest = Manifest(
        assignment=assignment,
        version=version(files, assignment),
        engine=grader.__version__,
        source=source,
    )
    notebook = f"{assignment}.ipynb"
    return {
        **files,
        notebook: _alone(files[notebook], assignment, settings.wheel, source),
        MANIFEST: (json.dumps(asdict(manifest), indent=1) + "\n").encode(),
        REQUIREMENTS: _requirements(settings.wheel).encode(),
        PYTEST: PYTEST_INI.format(assignment=assignment).encode(),
    }


def place(files: Mapping[str, bytes], assignment: str, folder: Path) -> tuple[Path, ...]:
    """Writes what is new or other than before, but never over a student's code: what was written.

    Raises:
        UsageError: the folder can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        old = outdated(files, assignment, folder)
        for name in old:
            (folder / name).write_bytes(files[name])
    except OSError as error:
        raise UsageError(
            f"expected a folder to write to, got {error.strerror} @ {folder}",
            code="student.not_writable",
            facts={"folder": str(folder), "reason": error.strerror or ""},
        ) from error
    return tuple(folder / name for name in old)


def outdated(files: Mapping[str, bytes], assignment: str, folder: Path) -> tuple[str, ...]:
    """Names of what a folder has otherwise, or not at all; a student's code is never outdated."""
    return tuple(
        name
        for name, content in files.items()
        if not (folder / name).exists()
        or (name not in code_files(assignment) and (folder / name).read_bytes() != content)
    )


def read_manifest(folder: Path) -> Manifest | None:
    """What a folder says of where it comes from; nothing where it does not say so."""
    try:
        return MANIFESTS.validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return None


def packed(files: Mapping[str, bytes]) -> bytes:
    """The folder as a zip, the same for the same files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, FIRST_DATE), files[name])
    return made.getvalue()


def unpacked(content: bytes, where: str) -> tuple[Manifest, dict[str, bytes]]:
    """What a zip of a student's folder holds: plain files, no folders.

    Raises:
        CourseError: it is no such zip.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            listed = [each for each in archive.infolist() if not each.is_dir()]
            if sum(each.file_size for each in listed) > MOST_BYTES:
                raise zipfile.BadZipFile(f"more than {MOST_BYTES} bytes")
            files = {each.filename: archive.read(each) for each in listed}
            manifest = MANIFESTS.validate_json(files.get(MANIFEST, b""))
    except (zipfile.BadZipFile, ValidationError, NotImplementedError, RuntimeError) as error:
        raise _not_had(where, "no zip of an assignment") from error
    if any(set(name) & set("/\\:") or name in (".", "..") for name in files):
        raise _not_had(where, "names of files in other folders")
    return manifest, files


def fetched(address: str, seconds: float = FETCH_SECONDS) -> bytes:
    """What stands at an address, or in a file.

    Raises:
        CourseError: it can't be had.
    """
    try:
        if "://" not in address:
            return Path(address).read_bytes()
        with urllib.request.urlopen(address, timeout=seconds) as answer:
            content = answer.read(MOST_BYTES + 1)
            return bytes(content)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise _not_had(address, str(getattr(error, "reason", error))) from error


def newest(manifest: Manifest) -> str:
    """Version that the course hands out now; empty where that can't be known here and now.

    It stands beside the zip, as `release --to x.zip` writes it.
    """
    if not manifest.source:
        return ""
    try:
        content = fetched(beside(manifest.source), ASK_SECONDS)
        return MANIFESTS.validate_json(content).version
    except (CourseError, ValidationError):
        return ""


def beside(zip_address: str) -> str:
    """Where the manifest of a zip stands."""
    return zip_address.removesuffix(".zip") + ".json"


def _not_had(where: str, got: str) -> CourseError:
    return CourseError(
        f"expected the folder of an assignment, got {got} @ {where}",
        code="student.not_had",
        facts={"where": where, "got": got},
    )


PYTEST_INI = """\
# `pytest` in this folder checks your work: one test for each thing that is looked at.
[pytest]
grader_assignment = {assignment}
testpaths = public.json
addopts = -v -rN -p no:cacheprovider
"""


def _requirements(wheel: str) -> str:
    """Ranges: what is installed already and fits is left as it is."""
    listed = {
        re.split(r"[^\w-]", each)[0]: each for each in reversed(requires("sequence-grader") or ())
    }
    engine = f"sequence-grader @ {wheel}" if wheel else f"sequence-grader>={grader.__version__}"
    lines = [engine, *(listed[name] for name in NEEDED if name in listed), "ipykernel>=6.29"]
    return "# pip install -r requirements.txt\n" + "\n".join(lines) + "\n"


SETUP = """\
# Run this first: it makes the notebook work on its own, as in Colab.
# torch and NumPy stay as they are.
import importlib.metadata, importlib.util, pathlib, subprocess, sys, tempfile

if importlib.util.find_spec("grader") is None:
    kept = [name for name in ("torch", "numpy") if importlib.util.find_spec(name)]
    lines = [name + "==" + importlib.metadata.version(name) for name in kept]
    constraints = pathlib.Path(tempfile.mkdtemp(), "constraints.txt")
    constraints.write_text("\\n".join(lines))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "-c", str(constraints)]
    subprocess.run([*pip, "{wheel}"], check=True)
    importlib.invalidate_caches()
"""
FETCH = """
import grader
grader.fetch("{assignment}", "{source}")
"""
CHECK = """\
# Run this whenever you want to know how far you are.
import grader
grader.check("{assignment}")
"""


def _alone(notebook: bytes, assignment: str, wheel: str, source: str) -> bytes:
    """A notebook that works by itself: what it needs in the first cell, the check in the last."""
    tree = json.loads(notebook)
    first = SETUP.format(wheel=wheel) if wheel else ""
    if source:
        first += FETCH.format(assignment=assignment, source=source).lstrip("" if first else "\n")
    if first:
        tree["cells"].insert(0, _cell(f"{assignment}-setup", first))
    tree["cells"].append(_cell(f"{assignment}-check", CHECK.format(assignment=assignment)))
    return (json.dumps(tree, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _cell(name: str, source: str) -> dict[str, object]:
    lines = source.rstrip("\n").splitlines(keepends=True)
    cell: dict[str, object] = {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": {},
    }
    return {**cell, "outputs": [], "source": lines}
