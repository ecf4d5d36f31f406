"""A gradebook's place -> a connection, with its tables made or brought up to date."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from grader.errors import EngineError, UsageError
from grader.gradebook.tables import REVISION

PATIENCE_SECONDS = 60
"""How long a writer waits for another one."""
LOCK = 0x6772616465
"""Number of the lock that one PostgreSQL writer holds, as SQLite has one writer at a time."""
MIGRATIONS = Path(__file__).with_name("migrations")


def engine_at(place: str | Path) -> Engine:
    """The database at a path or a URL, its tables ready.

    Raises:
        UsageError: there is no such database, it is something else, or it is of a newer grader.
    """
    url = _url(place)
    shown = url.render_as_string()
    if url.get_backend_name() == "sqlite":
        _private_file(Path(url.database or ""))
    try:
        engine = create_engine(url, **_options(url))
        _ready(engine, shown)
    except SQLAlchemyError as error:
        raise UsageError(
            f"expected a gradebook (SQLite or PostgreSQL), got: {_cause(error)} @ {shown}; name "
            "another in course.yaml (gradebook:) or GRADER_GRADEBOOK"
        ) from error
    return engine


def _ready(engine: Engine, shown: str) -> None:
    """Sees that the tables are there and of today; lets go of the database where they can't be."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _as_we_need)
        event.listen(engine, "begin", _begin)
    try:
        with engine.connect() as connection:
            known = _revision(connection)
        if known != REVISION:
            with writing(engine) as connection:
                _migrate(connection, shown)
    except (SQLAlchemyError, UsageError):
        engine.dispose()
        raise


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction of the one writer: all of it or nothing, after others have finished theirs."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        yield connection


def refusal(error: SQLAlchemyError, where: str) -> EngineError:
    """What is said when the database fails in the middle: what is in it is whole."""
    cause = _cause(error)
    if "locked" in cause:
        cause = f"another program that has held it for {PATIENCE_SECONDS} s ({cause})"
    return EngineError(
        f"expected to use the gradebook, got: {cause} @ {where}; everything that was graded until "
        "then is in it, so mend that (room on the disk, rights, the server) and run the same "
        "command again"
    )


def _cause(error: SQLAlchemyError) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())


def _url(place: str | Path) -> URL:
    if "://" not in str(place):
        return URL.create("sqlite", database=str(Path(place).expanduser().resolve()))
    try:
        url = make_url(str(place))
        if url.get_backend_name() not in ("sqlite", "postgresql"):
            raise NoSuchModuleError(url.get_backend_name())
    except (ArgumentError, NoSuchModuleError) as error:
        scheme = str(place).partition("://")[0]
        raise UsageError(
            f"expected a path, or a URL as postgresql://user@host/name, got {scheme}://... as the "
            "gradebook"
        ) from error
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return url


def _options(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": PATIENCE_SECONDS}}
    patience = f"-c lock_timeout={PATIENCE_SECONDS}s"
    return {"connect_args": {"connect_timeout": 10, "options": patience}}


def _private_file(path: Path) -> None:
    """Makes the file, if it is not there, for its owner alone: it holds hidden evidence."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise UsageError(
            f"expected a gradebook that can be written to, got {error.strerror} @ {path}; name "
            "another in course.yaml (gradebook:) or GRADER_GRADEBOOK"
        ) from error


def _as_we_need(connection: Any, _record: object) -> None:
    """Transactions are begun by us, readers do not wait for writers, and references hold."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(connection: Connection, shown: str) -> None:
    """Brings the tables up to date, in the transaction that is open.

    Raises:
        UsageError: the gradebook is of a newer grader.
    """
    # 0.3 s, and needed once in a gradebook's life
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    known = _revision(connection)
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    revisions = {each.revision for each in ScriptDirectory.from_config(config).walk_revisions()}
    if known is not None and known not in revisions:
        raise UsageError(
            f"expected a gradebook of revision {REVISION} or older, got {known}, of a newer "
            f"grader @ {shown}; upgrade the grader"
        )
    command.upgrade(config, REVISION)
