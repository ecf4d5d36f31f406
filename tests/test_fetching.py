"""Every student's repository, at what had arrived in time."""

import shutil
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repositories import commit, made_repository, run_git

from grader.collect import collect
from grader.course import Repositories
from grader.errors import UsageError
from grader.fetching import Fetched, fetch, remotes
from grader.fetching.arrivals import Arrival, Store
from grader.roster import Person, Roster

DUE = datetime(2026, 3, 2, tzinfo=UTC)
EARLY = {"GIT_AUTHOR_DATE": "2020-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2020-01-01T00:00:00Z"}
CLASS = tuple(Person(student=name, github=f"{name}-gh") for name in ("ada", "bob", "김민준"))


class Clock:
    """A clock that stands where it is put."""

    def __init__(self, now: datetime):
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def hosted(folder: Path, *people: Person, pushes_logged: bool = False) -> Repositories:
    """A bare repository for each on a host, and a clone that they work in."""
    for person in people:
        bare = folder / "host" / f"lstm-{person.github}.git"
        made_repository(folder / "home" / person.student, {"lstm.py": f"of = {person.student!r}\n"})
        bare.mkdir(parents=True)
        run_git(bare, "init", "-q", "--bare", "-b", "main")
        if pushes_logged:
            run_git(bare, "config", "core.logAllRefUpdates", "always")
        run_git(folder / "home" / person.student, "remote", "add", "origin", str(bare))
        push(folder, person.student)
    return Repositories(url=str(folder / "host" / "{assignment}-{github}.git"))


def push(folder: Path, student: str, at: datetime | None = None, *options: str) -> None:
    """A push; `at` is what the host's clock says."""
    stamp = {"GIT_COMMITTER_DATE": f"{int(at.timestamp())} +0000"} if at else {}
    run_git(folder / "home" / student, "push", "-q", *options, "origin", "main", **stamp)


def pulled(
    folder: Path, where: Repositories, clock: Clock | None = None, until: datetime | None = None
) -> dict[str, Fetched]:
    everyone = tuple(remotes(CLASS, where, "lstm", folder))
    by = None if until is None else {person.student: until for person in CLASS}
    now = clock or Clock(DUE)
    return {
        each.student: each
        for each in fetch(everyone, folder / "submissions" / "lstm", until=by, now=now)
    }


def work(folder: Path, student: str) -> str:
    return (folder / "submissions" / "lstm" / student / "lstm.py").read_text("utf-8")


def test_every_repository_lands_in_a_folder_with_its_commit(tmp_path: Path) -> None:
    got = pulled(tmp_path, hosted(tmp_path, *CLASS))
    assert {each.state for each in got.values()} == {"new"}
    for student in ("ada", "bob", "김민준"):
        assert work(tmp_path, student) == f"of = {student!r}\n"
        assert got[student].commit == run_git(tmp_path / "home" / student, "rev-parse", "HEAD")
    found = collect([tmp_path / "submissions" / "lstm"], "lstm", Roster(CLASS))
    assert [each.student for each in found.submissions] == ["ada", "bob", "김민준"]
    assert found.submissions[0].submitted_at == DUE
    assert found.receipts["ada"].commit == got["ada"].commit
    assert found.unmapped == found.missing == ()


def test_a_second_pull_says_what_is_new(tmp_path: Path) -> None:
    where = hosted(tmp_path, *CLASS)
    pulled(tmp_path, where)
    made = commit(tmp_path / "home" / "ada", {"lstm.py": "better = 1\n", "more/plots.py": ""})
    push(tmp_path, "ada")
    got = pulled(tmp_path, where, Clock(DUE + timedelta(hours=1)))
    assert {each.state for each in got.values()} == {"new", "unchanged"}
    assert (got["ada"].commit, got["ada"].arrived) == (made, DUE + timedelta(hours=1))
    assert got["bob"].arrived == DUE
    assert work(tmp_path, "ada") == "better = 1\n"
    assert (tmp_path / "submissions" / "lstm" / "ada" / "more" / "plots.py").exists()


def test_a_repository_that_fails_is_listed_and_what_was_there_stays(tmp_path: Path) -> None:
    where = hosted(tmp_path, *CLASS)
    pulled(tmp_path, where)
    shutil.rmtree(tmp_path / "host" / "lstm-bob-gh.git")
    got = pulled(tmp_path, where)
    assert got["bob"].state == "failed" and "does not" in got["bob"].reason
    assert {got["ada"].state, got["김민준"].state} == {"unchanged"}
    assert work(tmp_path, "bob") == "of = 'bob'\n"
    found = collect([tmp_path / "submissions" / "lstm"], "lstm", Roster(CLASS))
    assert found.missing == ()


def test_an_empty_repository_is_listed(tmp_path: Path) -> None:
    where = hosted(tmp_path, CLASS[0])
    for person in CLASS[1:]:
        empty = tmp_path / "host" / f"lstm-{person.github}.git"
        empty.mkdir()
        run_git(empty, "init", "-q", "--bare", "-b", "main")
    got = pulled(tmp_path, where)
    assert got["ada"].state == "new" and got["bob"].state == "failed"


# -- deadlines --------------------------------------------------------------------------------


def test_a_commit_that_is_dated_back_does_not_arrive_any_earlier(tmp_path: Path) -> None:
    where = hosted(tmp_path, *CLASS)
    pulled(tmp_path, where, Clock(DUE - timedelta(days=1)))
    late = commit(tmp_path / "home" / "ada", {"lstm.py": "late = 1\n"}, **EARLY)
    push(tmp_path, "ada")
    got = pulled(tmp_path, where, Clock(DUE + timedelta(days=1)), until=DUE)
    assert got["ada"].commit != late
    assert work(tmp_path, "ada") == "of = 'ada'\n"
    assert late[:12] in got["ada"].notes[0]
    newest = pulled(tmp_path, where, Clock(DUE + timedelta(days=2)))
    assert newest["ada"].commit == late
    assert newest["ada"].arrived == DUE + timedelta(days=1)


def test_what_is_first_seen_after_the_deadline_is_not_taken_on_its_authors_word(
    tmp_path: Path,
) -> None:
    where = hosted(tmp_path, *CLASS)
    got = pulled(tmp_path, where, Clock(DUE + timedelta(hours=1)), until=DUE)
    assert {each.state for each in got.values()} == {"failed"}
    assert "no commit is known to have arrived by" in got["ada"].reason


def test_the_hosts_own_log_of_pushes_is_believed(tmp_path: Path) -> None:
    where = hosted(tmp_path, *CLASS, pushes_logged=True)
    home = tmp_path / "home" / "ada"
    in_time = commit(home, {"lstm.py": "in_time = 1\n"})
    push(tmp_path, "ada", DUE - timedelta(minutes=5))
    late = commit(home, {"lstm.py": "late = 1\n"}, **EARLY)
    push(tmp_path, "ada", DUE + timedelta(minutes=5))
    got = pulled(tmp_path, where, Clock(DUE + timedelta(days=9)), until=DUE)
    assert (got["ada"].commit, got["ada"].arrived) == (in_time, DUE - timedelta(minutes=5))
    assert late[:12] in got["ada"].notes[0]
    assert work(tmp_path, "ada") == "in_time = 1\n"


def test_what_was_pushed_away_is_still_there_if_it_was_in_time(tmp_path: Path) -> None:
    where = hosted(tmp_path, *CLASS)
    pulled(tmp_path, where, Clock(DUE - timedelta(days=1)))
    home = tmp_path / "home" / "ada"
    run_git(home, "commit", "-q", "--amend", "-m", "rewritten", "--date=2020-01-01T00:00:00Z")
    push(tmp_path, "ada", None, "--force")
    for path in (tmp_path / "submissions" / "lstm" / ".repositories").glob("*.git"):
        run_git(path, "gc", "-q", "--prune=now")
    got = pulled(tmp_path, where, Clock(DUE + timedelta(days=1)), until=DUE)
    assert got["ada"].state == "unchanged"
    assert got["ada"].commit != run_git(home, "rev-parse", "HEAD")


def test_a_branch_that_went_back_is_taken_as_it_stood_then(tmp_path: Path) -> None:
    where = hosted(tmp_path, *CLASS)
    home = tmp_path / "home" / "ada"
    first = run_git(home, "rev-parse", "HEAD")
    pulled(tmp_path, where, Clock(DUE - timedelta(days=3)))
    commit(home, {"lstm.py": "worse = 1\n"})
    push(tmp_path, "ada")
    pulled(tmp_path, where, Clock(DUE - timedelta(days=2)))
    run_git(home, "reset", "-q", "--hard", first)
    push(tmp_path, "ada", None, "--force")
    pulled(tmp_path, where, Clock(DUE - timedelta(days=1)))
    got = pulled(tmp_path, where, Clock(DUE + timedelta(days=1)), until=DUE)
    assert got["ada"].commit == first
    assert got["ada"].arrived == DUE - timedelta(days=1)


# -- one repository for all -------------------------------------------------------------------


def test_one_repository_with_a_branch_for_each_is_fetched_once(tmp_path: Path) -> None:
    made_repository(tmp_path / "class", {"lstm.py": "skeleton = 1\n"})
    for person in CLASS:
        run_git(tmp_path / "class", "checkout", "-q", "-b", person.github, "main")
        commit(tmp_path / "class", {"lstm.py": f"of = {person.student!r}\n"})
    got = pulled(tmp_path, Repositories(url=str(tmp_path / "class"), branch="{github}"))
    assert len({each.commit for each in got.values()}) == 3
    assert work(tmp_path, "김민준") == "of = '김민준'\n"
    kept = tmp_path / "submissions" / "lstm" / ".repositories"
    assert len(list(kept.glob("*.git"))) == 1


def test_one_repository_with_a_folder_for_each(tmp_path: Path) -> None:
    files = {f"hw/{person.student}/lstm.py": f"of = {person.student!r}\n" for person in CLASS[:2]}
    made_repository(tmp_path / "class", files)
    got = pulled(tmp_path, Repositories(url=f"file://{tmp_path}/class", folder="hw/{student}"))
    assert work(tmp_path, "ada") == "of = 'ada'\n"
    assert got["김민준"].state == "failed"


# -- what is hostile or at fault --------------------------------------------------------------


def test_nothing_of_a_repository_is_obeyed(tmp_path: Path) -> None:
    where = hosted(tmp_path, *CLASS)
    home = tmp_path / "home" / "ada"
    (home / "link.py").symlink_to("/etc/passwd")
    commit(home, {".gitattributes": "*.py filter=evil\n", ".gitmodules": "[x]\n", "a b.py": ""})
    push(tmp_path, "ada")
    got = pulled(tmp_path, where)
    folder = tmp_path / "submissions" / "lstm" / "ada"
    assert (folder / "a b.py").exists() and not (folder / "link.py").exists()
    assert any("link.py: a link" in note for note in got["ada"].notes)
    assert not any(path.is_symlink() for path in folder.rglob("*"))
    assert not (folder / ".git").exists()


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (Repositories(url="https://x/{account}"), "expected places among .*, got 'https://x/{acc"),
        (Repositories(url="--upload-pack=touch x"), "got '--upload-pack"),
        (Repositories(url="https://x/{github"), "expected places such as {github}"),
    ],
)
def test_an_address_at_fault_is_refused(where: Repositories, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        tuple(remotes(CLASS, where, "lstm", Path("/course")))


def test_an_address_that_would_run_a_program_is_not_fetched(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    got = pulled(tmp_path, Repositories(url=f"ext::sh -c 'touch {mark}' {{github}}"))
    assert {each.state for each in got.values()} == {"failed"}
    assert not mark.exists()


def test_whoever_has_no_account_in_the_roster_has_no_remote() -> None:
    people = (Person(student="ada"), Person(student="bob", github="b"))
    where = Repositories(url="https://x/{assignment}-{github}.git")
    (remote,) = remotes(people, where, "lstm", Path("/course"))
    assert remote.url == "https://x/lstm-b.git"


@pytest.mark.parametrize(
    ("url", "filled"),
    [
        ("hosts/{github}.git", "/course/hosts/b.git"),
        ("/hosts/{github}.git", "/hosts/b.git"),
        ("git@host:org/{assignment}-{github}", "git@host:org/lstm-b"),
        ("file:///hosts/{github}", "file:///hosts/b"),
    ],
)
def test_a_path_starts_from_the_course(url: str, filled: str) -> None:
    people = (Person(student="bob", github="b"),)
    (remote,) = remotes(people, Repositories(url=url), "lstm", Path("/course"))
    assert remote.url == filled


def test_two_pulls_at_once_are_refused(tmp_path: Path) -> None:
    where = hosted(tmp_path, *CLASS)
    everyone = tuple(remotes(CLASS, where, "lstm", tmp_path))
    out = tmp_path / "submissions" / "lstm"

    def again(fetched: Fetched) -> None:
        with pytest.raises(UsageError, match="another pull at work"):
            fetch(everyone, out)

    assert len(fetch(everyone, out, jobs=1, progress=again)) == 3


def test_a_history_that_was_cut_off_in_the_middle_of_a_line_is_read(tmp_path: Path) -> None:
    where = hosted(tmp_path, *CLASS)
    pulled(tmp_path, where, Clock(DUE - timedelta(days=1)))
    history = tmp_path / "submissions" / "lstm" / ".repositories" / "arrivals.jsonl"
    with history.open("a") as file:
        file.write('{"url": "x", "ref"')
    got = pulled(tmp_path, where, Clock(DUE + timedelta(days=1)), until=DUE)
    assert got["ada"].state == "unchanged"


def test_several_are_fetched_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each fetch waits for the others: one after another, none would end."""
    where = hosted(tmp_path, *CLASS)
    together = threading.Barrier(3, timeout=60)
    fetch_one = Store.fetch

    def waiting(store: Store, url: str) -> str:
        together.wait()
        return fetch_one(store, url)

    monkeypatch.setattr(Store, "fetch", waiting)
    assert {each.state for each in pulled(tmp_path, where).values()} == {"new"}


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 100)), max_size=12), st.integers(0, 100)
)
def test_what_a_branch_held_at_a_time_is_the_last_that_had_arrived(
    events: list[tuple[int, int]], until: int
) -> None:
    store = Store(Path("/nonexistent"), Clock(DUE))
    history = [
        Arrival(url="u", ref="r", commit=str(number), arrived=DUE + timedelta(seconds=at))
        for number, at in events
    ]
    store._history["u", "r"] = history
    got = store.by("u", "r", DUE + timedelta(seconds=until))
    in_time = [(at, index) for index, (_, at) in enumerate(events) if at <= until]
    expected = history[max(in_time)[1]] if in_time else None
    assert got is expected
