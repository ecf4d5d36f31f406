"""The gradebook: what is kept, under which keys, in SQLite and in PostgreSQL."""

import math
import os
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from grader.errors import EngineError, UsageError
from grader.gradebook import Entry, Gradebook, GradeRow, MarkRow, as_kept
from grader.gradebook.opening import engine_at
from grader.gradebook.tables import METADATA, Name
from grader.types import (
    CriterionResult,
    Finding,
    Observation,
    Picture,
    Provenance,
    Share,
    Status,
    Submission,
    SubmittedFile,
    Text,
    Verdict,
)

POSTGRES = next(
    (path for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None
)
MUST_RUN = bool(os.environ.get("GRADER_TESTS_MUST_RUN"))


def as_postgres(*command: str) -> None:
    """Runs a command of PostgreSQL's, which refuses to be root."""
    user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
    listed = [*(user if os.getuid() == 0 else []), *command]
    subprocess.run(listed, check=True, capture_output=True, cwd="/", timeout=120)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of our own on a socket in a temporary folder."""
    if POSTGRES is None:
        if MUST_RUN:
            pytest.fail("expected Debian's package postgresql, got none")
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    folder = Path(
        subprocess.run(
            ["mktemp", "-d", "/tmp/pg-XXXXXX"], check=True, capture_output=True, text=True
        ).stdout.strip()
    )
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    as_postgres(str(POSTGRES / "initdb"), "-D", f"{folder}/data", "-A", "trust", "-U", "grader")
    told = f"-k {folder} -c listen_addresses='' -c fsync=off"
    start = ("-D", f"{folder}/data", "-o", told, "-l", f"{folder}/log", "-w", "start")
    as_postgres(str(POSTGRES / "pg_ctl"), *start)
    try:
        yield str(folder)
    finally:
        as_postgres(str(POSTGRES / "pg_ctl"), "-D", f"{folder}/data", "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture
def database(server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of an empty database."""
    name = f"book_{id(request.node)}"
    psql = [str(POSTGRES and POSTGRES / "psql"), "-h", server, "-U", "grader", "-d", "postgres"]
    subprocess.run([*psql, "-c", f"CREATE DATABASE {name}"], check=True, capture_output=True)
    yield f"postgresql://grader@/{name}?host={server}"


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "gradebook.db")
    return str(request.getfixturevalue("database"))


def submission(student: str, source: str = "x = 1", **changes: object) -> Submission:
    file = SubmittedFile(name="tiny.py", content=source.encode())
    made = Submission(student=student, assignment="tiny", path=f"in/{student}.py", files=(file,))
    return replace(made, **changes)  # type: ignore[arg-type]


def observation(key: str = "r") -> Observation:
    finding = Finding(check="close", case="a", verdict=Verdict.PASS, facts={"worst": 1e-9})
    return Observation(
        status=Status.GRADED,
        provenance=Provenance(key=key, engine="1", torch="2", numpy="3", isolation="A"),
        findings={"value": (finding,)},
    )


def entry(
    student: str, source: str = "x = 1", key: str = "k", earned: int | None = 1, **changes: object
) -> Entry:
    """What is written for a submission; digest and keys are not computed here."""
    result = CriterionResult(
        id="value",
        title=Text(en="", ko=""),
        verdict=Verdict.PASS,
        points=Fraction(2),
        earned=Fraction(earned or 0),
    )
    row = GradeRow(
        student=student,
        submission=f"digest of {source}",
        run_key=f"run {source}",
        score_key=f"{key} {source}",
        basis="basis",
        status=Status.GRADED if earned is not None else Status.WITHHELD,
        earned=None if earned is None else Fraction(earned),
        possible=Fraction(2),
        pending=Fraction(1, 3),
        criteria=(result,),
    )
    seen = observation(row.run_key)
    handed = submission(student, source, **changes)
    return Entry(submission=handed, row=row, parts={"engine": "1"}, seen=seen)


def test_what_is_written_is_read_again(place: str) -> None:
    when = datetime(2026, 10, 1, 12, 30, tzinfo=UTC)
    given = entry('아다, "x" 🙂', submitted_at=when)
    with Gradebook(place) as book:
        assert book.record("tiny", [given]) == 1
    with Gradebook(place) as book:
        (row,) = book.grades("tiny")
        assert row.made_at is not None and replace(row, made_at=None) == given.row
        (attempt,) = book.attempts("tiny")
        assert (attempt.submitted_at, attempt.path) == (when, given.submission.path)
        assert book.observations(book.observed("tiny")) == {"run x = 1": given.seen}
        assert book.files([row.submission]) == {row.submission: given.submission.files}
        assert book.parts(["basis"]) == {"basis": {"engine": "1"}}
        assert book.assignments() == ("tiny",)


def test_the_same_once_more_adds_nothing_and_what_differs_is_added(place: str) -> None:
    with Gradebook(place) as book:
        book.record("tiny", [entry("ada"), entry("bob")])
        assert book.record("tiny", [entry("ada"), entry("bob")]) == 0
        assert book.record("tiny", [entry("ada", key="other points", earned=2)]) == 1
        assert [row.earned for row in book.grades("tiny", "ada")] == [1, 2]
        assert book.latest("tiny")["ada", "digest of x = 1"].earned == 2
        assert len(book.attempts("tiny")) == 2


def test_who_hands_in_an_earlier_version_again_has_handed_in_three_times(place: str) -> None:
    with Gradebook(place) as book:
        for source in ("x = 1", "x = 2", "x = 1"):
            book.record("tiny", [entry("ada", source)])
        assert [each.submission[-1] for each in book.attempts("tiny")] == ["1", "2", "1"]
        assert len(book.grades("tiny")) == 2


def test_marks_by_hand_are_kept_in_order(place: str) -> None:
    told = {"who": "kim", "why": "late at night", "submission": "", "student": "ada"}
    marks = [
        MarkRow(criterion="clarity", points=Fraction(1, 2), **told),  # type: ignore[arg-type]
        MarkRow(criterion="clarity", points=None, **told),  # type: ignore[arg-type]
    ]
    with Gradebook(place) as book:
        book.decide("tiny", marks)
        assert [replace(each, made_at=None) for each in book.marks("tiny")] == marks


def test_two_writers_at_once_both_finish_and_write_nothing_twice(place: str) -> None:
    names = [f"s{number}" for number in range(20)]
    failures: list[BaseException] = []

    def write() -> None:
        try:
            with Gradebook(place) as book:
                for name in names:
                    book.record("tiny", [entry(name, f"x = {name!r}")])
        except (EngineError, UsageError) as error:
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with Gradebook(place) as book:
        assert sorted(row.student for row in book.grades("tiny")) == sorted(names)
        assert len(book.attempts("tiny")) == len(names)


def test_an_observation_comes_back_as_it_was_kept() -> None:
    seen = observation()
    assert as_kept(as_kept(seen)) == as_kept(seen)


def test_the_migrations_make_the_tables_that_the_code_knows(place: str) -> None:
    engine = engine_at(place)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_a_gradebook_of_a_newer_grader_is_refused_and_left_alone(place: str) -> None:
    engine = engine_at(place)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(UsageError, match=r"9999, of a newer grader .* upgrade"):
        Gradebook(place)


def test_sqlite_is_in_wal_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "gradebook.db"
    Gradebook(path).close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert sqlite3.connect(path).execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("mysql://somewhere:secret@x/x", "got mysql://"),
        ("postgresql://nobody:secret@127.0.0.1:1/none", "PostgreSQL"),
        ("/proc/none/gradebook.db", "written to"),
        ("notes.txt", "not a database"),
    ],
)
def test_what_is_no_gradebook_is_refused_without_its_password(
    place: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("a note\n" * 500)
    with pytest.raises(UsageError, match=said) as refused:
        Gradebook(place)
    assert "secret" not in str(refused.value)
    assert Path("notes.txt").read_text() == "a note\n" * 500


def remove(path: Path) -> None:
    for each in path.parent.glob("gradebook.db*"):
        each.unlink()


def replace_it(path: Path) -> None:
    remove(path)
    Gradebook(path).close()


@pytest.mark.parametrize("gone", [remove, replace_it])
def test_a_gradebook_that_goes_away_in_the_middle_is_said(
    gone: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "gradebook.db"
    with Gradebook(path) as book:
        book.record("tiny", [entry("ada")])
        gone(path)
        with pytest.raises(EngineError, match="another file or none"):
            book.record("tiny", [entry("bob")])


def test_a_gradebook_that_another_program_holds_is_waited_for_and_then_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.gradebook.opening.PATIENCE_SECONDS", 0.2)
    path = tmp_path / "gradebook.db"
    with Gradebook(path) as book:
        book.record("tiny", [entry("ada")])
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(EngineError, match=r"another program that has held it"):
            book.record("tiny", [entry("bob")])
        assert len(book.grades("tiny")) == 1  # who reads does not wait
        other.execute("ROLLBACK")
        assert book.record("tiny", [entry("bob")]) == 1


def test_a_full_disk_is_said_and_what_was_there_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.db"
    with Gradebook(path) as book:
        book.record("tiny", [entry("ada")])
        with book._engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        noise = "".join(f"{number * 7919 % 104729}" for number in range(40_000))
        with pytest.raises(EngineError, match=r"disk is full.*same command"):
            book.record("tiny", [entry("bob", noise)])
    with Gradebook(path) as book:
        assert [row.student for row in book.grades("tiny")] == ["ada"]
        assert [each.student for each in book.attempts("tiny")] == ["ada"]
        assert book.record("tiny", [entry("bob", noise)]) == 1


def test_a_server_that_goes_away_in_the_middle_is_said(database: str, server: str) -> None:
    with Gradebook(database) as book:
        book.record("tiny", [entry("ada")])
        psql = [str(POSTGRES and POSTGRES / "psql"), "-h", server, "-U", "grader", "-d", "postgres"]
        drop = f"DROP DATABASE {database.partition('@/')[2].partition('?')[0]} WITH (FORCE)"
        subprocess.run([*psql, "-c", drop], check=True, capture_output=True)
        with pytest.raises(EngineError, match="expected to use the gradebook"):
            book.record("tiny", [entry("bob")])


def test_what_holds_nan_and_infinities_is_kept_with_them() -> None:
    drawn = Picture(kind="heatmap", label="l", name="n", values=((math.nan, math.inf, 1.0),))
    facts = {"got": math.nan, "expected": [1, -math.inf]}
    found = Finding(
        check="close", case="c", verdict=Verdict.FAIL, code="x", facts=facts, pictures=(drawn,)
    )
    rests_on = Provenance(key="k", engine="", torch="", numpy="", isolation="A")
    share = Share(fraction=Fraction(1, 3), code="diagnosis.variant")
    seen = Observation(
        status=Status.GRADED, provenance=rests_on, findings={"a": (found,)}, shares={"a": share}
    )
    kept = as_kept(seen)
    assert repr(kept.findings) == repr(seen.findings)
    assert kept.shares == seen.shares
    assert repr(as_kept(kept)) == repr(kept)


@pytest.mark.parametrize("name", ["nul\0", "bytes\udcff\udcfe", 'json:"a"', "json:", "한글 🎓"])
def test_a_name_that_is_no_text_is_kept_as_it_is(name: str) -> None:
    column = Name()
    written = column.process_bind_param(name, None)
    assert written is not None and written.encode("utf-8") and "\0" not in written
    assert column.process_result_value(written, None) == name


def test_an_observation_with_a_file_name_that_is_no_text_is_kept() -> None:
    rests_on = Provenance(key="k", engine="", torch="", numpy="", isolation="A")
    seen = Observation(status=Status.GRADED, provenance=rests_on, file="a\udcff.py")
    assert as_kept(seen).file == "a\udcff.py"
