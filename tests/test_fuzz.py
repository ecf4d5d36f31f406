"""Every reader of what others wrote gives a value or a documented refusal, within its memory.

The targets are in `fuzz/targets.py`. Here hypothesis drives them, from seeds that it changes, and
atheris for a bounded time; `make fuzz` runs atheris for longer.
"""

import io
import os
import re
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from fuzz import make_corpus, targets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zips import packed, patched

from grader.rubric import MOST_VALUES
from grader.sandbox import wire

ROOT = Path(__file__).resolve().parent.parent
SECONDS = int(os.environ.get("FUZZ_SECONDS", "8"))
SEEDS = [(target, path) for target in targets.TARGETS for path in targets.seeds(target)]
LENIENT = settings(deadline=None, max_examples=120, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize(("target", "path"), SEEDS, ids=lambda x: getattr(x, "name", x))
def test_a_seed_is_read_or_refused_within_its_memory(target: str, path: Path) -> None:
    data = path.read_bytes()
    targets.TARGETS[target](data)  # what is made once is not this input's
    assert targets.peak_bytes(target, data) < targets.MOST_MEMORY[target](len(data))


def test_the_seeds_are_what_their_maker_makes() -> None:
    stored = {
        f"{target}/{path.name}": path.read_bytes()
        for target, path in SEEDS
        if not path.name.startswith("found-")
    }
    made = make_corpus.samples()
    assert made.keys() == stored.keys()
    for name in made:
        assert name.startswith("archive/") or made[name] == stored[name], name


@st.composite
def changed(draw: st.DrawFn, target: str) -> bytes:
    """A seed with pieces cut out, put twice, replaced by words of its format or by noise."""
    data = bytearray(draw(st.sampled_from([path.read_bytes() for path in targets.seeds(target)])))
    words = _words(target)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        end = draw(st.integers(at, min(len(data), at + 40)))
        put = draw(
            st.sampled_from(words)
            | st.binary(max_size=8)
            | st.just(bytes(data[at:end]) * 2)
            | st.just(b"")
        )
        data[at:end] = put
    return bytes(data)


def _words(target: str) -> list[bytes]:
    text = (Path(targets.__file__).parent / "dictionaries" / f"{target}.dict").read_text()
    quoted = re.findall(r'^"(.*)"$', text, re.MULTILINE)
    return [bytes(each, "latin-1").decode("unicode_escape").encode("latin-1") for each in quoted]


@pytest.mark.parametrize("target", targets.TARGETS)
def test_changed_seeds_are_read_or_refused_within_their_memory(target: str) -> None:
    @LENIENT
    @given(changed(target))
    def check(data: bytes) -> None:
        assert targets.peak_bytes(target, data) < targets.MOST_MEMORY[target](len(data))

    check()


@pytest.mark.parametrize("target", targets.TARGETS)
def test_any_bytes_are_read_or_refused(target: str) -> None:
    check = LENIENT(given(st.binary(max_size=200))(targets.TARGETS[target]))
    check()


NAMES = st.lists(
    st.sampled_from(
        ["ada", "Ada", "lstm", "lstm.py", "LSTM.PY", "a.ipynb", "x.zip", "김", "\u1100\u1175", "é",
         "e\u0301", "..", ".", "", "/", "C:", "\\", "\u202e", "\n", "\ud7ff", "\ufeff", "__MACOSX",
         ".DS_Store", "=1+1", "a\u200d"]
    ),
    min_size=1,
    max_size=4,
).map("/".join)  # fmt: skip
CONTENTS = st.sampled_from([b"", b"f = 1\n", b'{"cells": []}', bytes(1_200_000)]) | st.builds(
    packed, st.tuples(st.sampled_from(["lstm.py", "b/lstm.py", "../x.py"]), st.just(b"f = 1"))
)
MODES = st.sampled_from([0, 0o100644, 0o120777, 0o040755, 0o010644, 0o060644, 0o140755])


@st.composite
def zips(draw: st.DrawFn) -> bytes:
    """A zip that is well-formed, of entries that may be anything."""
    entries: list[tuple[zipfile.ZipInfo, bytes]] = []
    for name in draw(st.lists(NAMES, max_size=6)):
        info = zipfile.ZipInfo(name)
        info.external_attr = draw(MODES) << 16
        entries.append((info, draw(CONTENTS)))
    return packed(*entries, method=draw(st.sampled_from([0, 8, 12])))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@LENIENT
@given(zips())
def test_any_entries_of_a_zip_are_taken_or_listed(data: bytes) -> None:
    assert targets.peak_bytes("archive", data) < targets.MOST_MEMORY["archive"](len(data))


# -- large inputs, whose memory small ones say nothing about ------------------------------------

LAUGHS = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{y}: &{y} [{f'*{x}, ' * 9}]\n" for x, y in zip("abcdefgh", "bcdefghi", strict=True)
)
LARGE = {
    "wire: a list of lists": ("wire", make_corpus.frame(b'{"tree":[' + b"[]," * 6000)),
    "wire: numbers": (
        "wire",
        make_corpus.frame(b'{"tree":[' + b"0," * 6000 + b'0],"arrays":[]}'),
    ),
    "wire: empty arrays": (
        "wire",
        make_corpus.frame(b'{"tree":0,"arrays":[' + b'["int8",[0]],' * 1500 + b'["int8",[0]]]}'),
    ),
    "wire: a giant that is claimed": (
        "wire",
        wire.PREFIX.pack(wire.MAGIC, 100, 2**62),
    ),
    "module: many names": ("module", b"f = [" + b"a," * 20_000 + b"]"),
    "module: deep": ("module", b"f = " + b"(" * 150 + b"1" + b")" * 150),
    "module: many lines": ("module", b"f = 1\n" * 5_000),
    "module: unclosed strings": ("module", b"f = '\n" * 5_000),
    "module: magics": ("module", b"!ls\nf = 1\n" * 5_000),
    "notebook: many cells": (
        "notebook",
        b'{"cells":['
        + b'{"cell_type":"code","source":"f=1"},' * 3_000
        + b'{"cell_type":"code","source":"f=1"}]}',
    ),
    "notebook: deep": ("notebook", b'{"cells":' * 5_000),
    "notebook: a long number": ("notebook", b'{"cells":[], "nbformat":' + b"9" * 10_000 + b"}"),
    "archive: a bomb": ("archive", packed(("ada/lstm.ipynb", bytes(8_000_000)))),
    "archive: a bomb in a zip": (
        "archive",
        packed(("ada.zip", packed(("lstm.ipynb", bytes(8_000_000))))),
    ),
    "archive: sizes that lie": (
        "archive",
        patched(packed(("ada.py", bytes(3_000_000))), [(24, b"\xff\0\0\0")]),
    ),
    "archive: many entries": ("archive", packed(*((f"s{i}/a.py", b"") for i in range(500)))),
    "rubric: nine aliases of nine": ("rubric", (LAUGHS + "assignment: *i").encode()),
    "rubric: merged again and again": (
        "rubric",
        b"a: &a {x: 1}\n"
        + b"".join(
            b"%c: &%c {<<: [%s]}\n" % (y, y, b", ".join([b"*%c" % x] * 9))
            for x, y in zip(b"abcdefg", b"bcdefgh", strict=True)
        ),
    ),
    "rubric: deep": ("rubric", b"a: " + b"[" * 3000 + b"]" * 3000),
    "rubric: long number": ("rubric", b"assignment: 0x" + b"f" * 20_000),
    "rubric: wide": ("rubric", b"assignment: [" + b"1," * (MOST_VALUES // 4) + b"]"),
    "rubric: many faults": ("rubric", b"".join(b"a%d: 1\n" % i for i in range(1500))),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_large_input_takes_no_more_memory_than_it_may(name: str) -> None:
    target, data = LARGE[name]
    assert targets.peak_bytes(target, data) < targets.MOST_MEMORY[target](len(data))


def test_a_frame_of_the_largest_size_takes_little_more_than_its_payload() -> None:
    frame = wire.encode({"x": np.zeros(2_000_000)})
    caps = wire.Caps()
    tracemalloc.start()
    reader = wire.FrameReader(caps)
    for start in range(0, len(frame), 1 << 16):
        list(reader.feed(frame[start : start + (1 << 16)]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * len(frame)


@pytest.mark.slow
@pytest.mark.parametrize("target", targets.TARGETS)
def test_atheris_finds_nothing_in_a_short_run(target: str, tmp_path: Path) -> None:
    """Coverage-guided; set FUZZ_SECONDS for longer runs."""
    pytest.importorskip("atheris", reason="atheris has no wheel for this platform")
    script = Path(targets.__file__).with_name("run.py")
    command = [sys.executable, str(script), target, "--seconds", str(SECONDS)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [*command, "--keep", str(tmp_path / "found")],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS + 120,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    (runs,) = re.findall(r"stat::number_of_executed_units: (\d+)", done.stderr)
    assert int(runs) > 10 * SECONDS
    for path in sorted((tmp_path / "found").iterdir())[:200]:
        data = path.read_bytes()
        assert targets.peak_bytes(target, data) < targets.MOST_MEMORY[target](len(data)), path


def test_a_zip_made_by_the_seeds_maker_is_one() -> None:
    with zipfile.ZipFile(io.BytesIO(make_corpus.samples()["archive/class.zip"])) as archive:
        assert archive.testzip() is None
