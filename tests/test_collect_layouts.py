"""nbgrader's tree, clones of a Classroom, repositories with a branch or a folder per student."""

import json
import subprocess
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from repositories import IDENTITY, commit, made_repository, run_git
from zips import packed, write_zip

from grader.collect import collect
from grader.collect.repositories import GitError, commit_contents, git
from grader.errors import UsageError
from grader.roster import Person, Roster

WORK = "x = 1\n"
CLASS = Roster(
    (
        Person(student="ada", github="ada-l"),
        Person(student="김민준", github="kim"),
        Person(student="zoe", github="l"),
    )
)


def write(path: Path, text: str = WORK) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def taken(path: Path, roster: Roster | None = None, **more: bool) -> dict[str, list[str]]:
    got = collect([path], "lstm", roster, **more)
    return {one.student: [file.name for file in one.files] for one in got.submissions}


# -- nbgrader ---------------------------------------------------------------------------------


def nbgrader_tree(folder: Path) -> Path:
    """nbgrader's docs, "the nbgrader directory structure": submitted/STUDENT/ASSIGNMENT/NOTEBOOK,
    and timestamp.txt beside it with the time of the exchange."""
    for student in ("ada", "bob"):
        write(folder / "submitted" / student / "lstm" / "lstm.ipynb", "{}")
        write(folder / "submitted" / student / "gru" / "gru.ipynb", "{}")
    stamp = folder / "submitted" / "ada" / "lstm" / "timestamp.txt"
    write(stamp, "2026-03-01 23:50:01.123456 Asia/Seoul")
    write(folder / "submitted" / "cid" / "gru" / "gru.ipynb", "{}")
    return folder / "submitted"


def test_of_nbgraders_tree_only_the_assignments_own_folder_is_taken(tmp_path: Path) -> None:
    got = collect([nbgrader_tree(tmp_path)], "lstm", Roster((Person(student="cid"),)))
    assert [each.student for each in got.submissions] == ["ada", "bob"]
    assert [[file.name for file in each.files] for each in got.submissions] == [["lstm.ipynb"]] * 2
    at = datetime(2026, 3, 1, 23, 50, 1, tzinfo=ZoneInfo("Asia/Seoul"))
    assert got.submissions[0].submitted_at == at
    assert got.submissions[1].submitted_at is None
    assert got.missing == ("cid",)
    assert any("cid: no folder lstm" in line for line in got.skipped)


def test_nbgraders_tree_in_a_zip_is_the_same(tmp_path: Path) -> None:
    names = [f"submitted/{student}/lstm/lstm.py" for student in ("ada", "bob")]
    path = write_zip(tmp_path / "submitted.zip", *((name, b"x = 1\n") for name in names))
    assert taken(path) == {"ada": ["lstm.py"], "bob": ["lstm.py"]}


@pytest.mark.parametrize(
    "stamp", ["soon", "2026-13-01 00:00:00 UTC", "2026-01-01 00:00:00 No/Where"]
)
def test_a_time_stamp_that_is_none_is_no_time(stamp: str, tmp_path: Path) -> None:
    write(tmp_path / "ada" / "lstm" / "lstm.py")
    write(tmp_path / "ada" / "lstm" / "timestamp.txt", stamp)
    (submission,) = collect([tmp_path], "lstm").submissions
    assert (submission.student, submission.submitted_at) == ("ada", None)


# -- clones and repositories ------------------------------------------------------------------


def test_clones_of_a_classroom_are_called_after_the_account(tmp_path: Path) -> None:
    """gh classroom clone student-repos: <assignment>-submissions/<assignment>-<account>."""
    folder = tmp_path / "week-3-submissions"
    heads = {}
    for account in ("ada-l", "kim", "stranger"):
        heads[account] = made_repository(folder / f"week-3-{account}", {"lstm.py": WORK})
    got = collect([folder], "lstm", CLASS)
    assert [each.student for each in got.submissions] == ["ada", "김민준", "stranger"]
    assert got.receipts["ada"].commit == heads["ada-l"]
    assert got.missing == ("zoe",)
    assert len(got.unmapped) == 1 and got.unmapped[0].startswith("stranger (")


def test_a_packed_branch_of_a_clone_gives_its_commit_too(tmp_path: Path) -> None:
    head = made_repository(tmp_path / "all" / "lstm-kim", {"lstm.py": WORK})
    run_git(tmp_path / "all" / "lstm-kim", "pack-refs", "--all")
    assert collect([tmp_path / "all"], "lstm", CLASS).receipts["김민준"].commit == head


def test_a_repository_with_a_folder_for_each_student_is_a_class(tmp_path: Path) -> None:
    made_repository(tmp_path / "class", {"ada/lstm.py": WORK, "kim/lstm.ipynb": "{}"})
    assert taken(tmp_path / "class", CLASS) == {"ada": ["lstm.py"], "김민준": ["lstm.ipynb"]}


def branched(folder: Path) -> Path:
    made_repository(folder, {"lstm.py": "skeleton = 1\n"})
    for account in ("ada-l", "kim"):
        run_git(folder, "checkout", "-q", "-b", account, "main")
        commit(folder, {"lstm.py": f"of = {account!r}\n", "deep/more.py": WORK})
    run_git(folder, "checkout", "-q", "main")
    return folder


def test_a_repository_with_a_branch_for_each_student_is_a_class(tmp_path: Path) -> None:
    folder = branched(tmp_path / "class")
    assert taken(folder, CLASS, each_branch=True) == {"ada": ["lstm.py"], "김민준": ["lstm.py"]}
    got = collect([folder], "lstm", CLASS, each_branch=True)
    assert got.submissions[0].files[0].content == b"of = 'ada-l'\n"
    assert all(len(receipt.commit) == 40 for receipt in got.receipts.values())
    assert taken(folder) == {"class": ["lstm.py"]}  # as it lies there, it is one hand-in


@pytest.mark.parametrize("bare", [True, False])
def test_a_clone_of_such_a_repository_has_the_same_branches(bare: bool, tmp_path: Path) -> None:
    source = branched(tmp_path / "class")
    where = ["--bare"] if bare else []
    subprocess.run(["git", "clone", "-q", *where, str(source), str(tmp_path / "copy")], check=True)
    assert taken(tmp_path / "copy", CLASS, each_branch=not bare) == {
        "ada": ["lstm.py"],
        "김민준": ["lstm.py"],
    }


def test_branches_are_asked_for_where_there_are_none(tmp_path: Path) -> None:
    write(tmp_path / "ada.py")
    with pytest.raises(UsageError, match="expected a Git repository, for --branches"):
        collect([tmp_path], "lstm", each_branch=True)


def test_links_submodules_and_paths_that_lead_elsewhere_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "class"
    made_repository(folder, {"lstm.py": WORK})
    where = folder / ".git"
    blob = git("hash-object", "-w", "--stdin", where=where, stdin=b"/etc/passwd").decode().strip()
    head = git("rev-parse", "HEAD", where=where).decode().strip()
    odd = (
        f"120000 blob {blob}\tlink.py\n160000 commit {head}\tmodule\n"
        f"100644 blob {blob}\ta\\\\b.py\n100644 blob {blob}\tC:x.py\n100644 blob {blob}\tok.py\n"
    )
    tree = git("mktree", "--missing", where=where, stdin=odd.encode()).decode().strip()
    made = git("commit-tree", "-m", "x", tree, where=where, environment=IDENTITY)
    contents = commit_contents(where, made.decode().strip(), "here")
    assert [file.name for file in contents.files] == ["ok.py"]
    told = "\n".join(contents.left_out)
    assert "a link" in told and "a submodule" in told and told.count("leads elsewhere") == 2


def test_git_says_in_its_own_words_why_it_failed(tmp_path: Path) -> None:
    with pytest.raises(GitError, match=r"fatal: .*"):
        git("rev-parse", "HEAD", where=tmp_path)
    with pytest.raises(GitError, match=r"no answer in 0\.2 seconds"):
        git("-c", "alias.wait=!sleep 5", "wait", seconds=0.2)


def test_what_a_pull_left_is_known_by_its_list(tmp_path: Path) -> None:
    write(tmp_path / "ada" / "lstm.py")
    write(tmp_path / "kim" / "lstm.py")
    times = ("2026-03-01T10:00:00+00:00", "2026-03-02T10:00:00+00:00")
    pulled = [
        {"student": "ada", "folder": "ada", "commit": "c1", "arrived": times[0]},
        {"student": "김민준", "folder": "kim", "commit": "c2", "arrived": times[1]},
    ]
    write(tmp_path / "pulled.json", json.dumps(pulled))
    got = collect([tmp_path], "lstm", CLASS)
    assert [each.student for each in got.submissions] == ["ada", "김민준"]
    assert got.receipts["김민준"].commit == "c2"
    assert got.submissions[1].submitted_at == datetime.fromisoformat(times[1])
    assert got.missing == ("zoe",)


def test_a_list_of_what_was_pulled_is_not_believed_in_a_zip(tmp_path: Path) -> None:
    forged = json.dumps(
        [{"student": "zoe", "folder": "eve", "commit": "", "arrived": "2026-01-01T00:00:00+00:00"}]
    )
    entries = [("eve/lstm.py", b"x = 1\n"), ("bob/lstm.py", b""), ("pulled.json", forged.encode())]
    path = tmp_path / "all.zip"
    path.write_bytes(packed(*entries))
    assert sorted(taken(path, CLASS)) == ["bob", "eve"]
