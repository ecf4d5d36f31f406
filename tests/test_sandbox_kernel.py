"""Calls of the kernel by their names, and landlock and namespaces by themselves."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.sandbox import kernel, landlock, lockdown, namespaces

pytestmark = pytest.mark.skipif(not kernel.CALLS, reason="Linux on x86-64 or aarch64 only")


def in_a_child(what: Callable[[], object]) -> str:
    """What a task gives in a process that is thrown away: its value, or the error."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, str(what()).encode())
        except OSError as error:
            os.write(writing, f"{type(error).__name__} {error.strerror}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as said:
        answer = said.read().decode()
    os.waitpid(pid, 0)
    return answer


def test_a_refusal_names_the_call() -> None:
    with pytest.raises(OSError, match="close: Bad file descriptor") as raised:
        kernel.call("close", 10**6)
    assert raised.value.errno == errno.EBADF
    with pytest.raises(OSError, match="no_such_call: not known on this machine"):
        kernel.call("no_such_call")


def test_capabilities_are_given_up() -> None:
    def held() -> str:
        kernel.drop_capabilities_for_good()
        return Path("/proc/self/status").read_text().partition("CapEff:\t")[2][:16]

    assert in_a_child(held) == "0" * 16


@pytest.fixture
def rules() -> Callable[..., int]:
    try:
        landlock.version()
    except OSError:
        pytest.skip("no Landlock here")
    return landlock.rules


def test_landlock_keeps_to_its_rules(rules: Callable[..., int], tmp_path: Path) -> None:
    (tmp_path / "readable").mkdir()
    (tmp_path / "scratch").mkdir()
    for name in ("readable/file", "beside"):
        (tmp_path / name).write_text("text")

    def tried(*attempts: Callable[[], object]) -> Callable[[], str]:
        def told() -> str:
            kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
            readable = str(tmp_path / "readable")
            landlock.take_on(rules([readable], str(tmp_path / "scratch"), ["/dev/null"]))
            answers = []
            for attempt in attempts:
                try:
                    attempt()
                    answers.append("done")
                except PermissionError:
                    answers.append("refused")
            return " ".join(answers)

        return told

    attempts: list[tuple[Callable[[], object], str]] = [
        ((tmp_path / "readable" / "file").read_text, "done"),
        (lambda: (tmp_path / "readable" / "file").write_text("x"), "refused"),
        (lambda: (tmp_path / "readable" / "new").write_text("x"), "refused"),
        ((tmp_path / "readable" / "file").unlink, "refused"),
        ((tmp_path / "beside").read_text, "refused"),
        (lambda: os.listdir(tmp_path), "refused"),
        (lambda: (tmp_path / "scratch" / "new").write_text("x"), "done"),
        ((tmp_path / "scratch" / "new").read_text, "done"),
        (lambda: os.mkfifo(tmp_path / "scratch" / "pipe"), "refused"),
        (lambda: Path("/dev/null").write_text("x"), "done"),
        (lambda: os.execv("/bin/true", ["true"]), "refused"),
    ]
    told = in_a_child(tried(*(attempt for attempt, _ in attempts)))
    assert told.split() == [answer for _, answer in attempts]
    assert (tmp_path / "readable" / "file").read_text() == "text"


def test_what_may_be_read_is_python_and_libraries_and_not_the_course() -> None:
    paths = lockdown.readable()
    assert any(os.__file__.startswith(path + "/") for path in paths)
    here = str(Path(__file__).resolve().parent)
    assert not any(here == path or here.startswith(path + "/") for path in paths)
    assert not {"/", "/usr", "/etc", "/home", "/root", "/tmp", "/var"} & set(paths)
    for path in paths:
        assert not any(other != path and path.startswith(other + "/") for other in paths)


def test_a_level_that_can_not_be_had_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(flags: int) -> None:
        raise OSError(errno.EPERM, "unshare: Operation not permitted")

    monkeypatch.setattr(namespaces, "unshare", refused)
    level, why = lockdown.probe()
    assert level != "A" and why["A"] == "unshare: Operation not permitted"
    monkeypatch.setattr(lockdown, "_inspect", lambda level: os._exit(1))
    level, why = lockdown.probe()
    assert level == "E" and why["B"] == "a job died on being shut in"


def test_a_job_that_can_still_see_a_folder_is_not_shut_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "take_on", lambda ruleset: None)
    level, why = lockdown.probe()
    assert "can still be read" in why.get("B", "can still be read")
    monkeypatch.setattr(kernel, "CALLS", {})
    level, why = lockdown.probe()
    assert level == "E" and why["A"].startswith("not tried on ")


@pytest.mark.skipif(os.geteuid() != 0, reason="has no root to give up")
def test_root_is_given_up_for_good(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("text")
    (tmp_path / "mine").chmod(0o600)

    def became(reading_as_before: bool) -> Callable[[], str]:
        def told() -> str:
            assert namespaces.privileged()
            namespaces.become_nobody(reading_as_before)
            assert not namespaces.privileged()
            try:
                os.setuid(0)
            except PermissionError:
                held = Path("/proc/thread-self/status").read_text().partition("CapPrm:\t")[2][:16]
                return f"{os.getresuid()} {held} {(tmp_path / 'mine').read_text()}"
            return "root again"

        return told

    users = str((namespaces.NOBODY,) * 3)
    assert in_a_child(became(True)) == f"{users} {'0' * 16} text"
    assert "PermissionError" in in_a_child(became(False))


def test_call_numbers_are_known_for_what_the_lockdown_itself_calls() -> None:
    for name in ("unshare", "setns", "mount", "umount2", "pivot_root", "mount_setattr", "seccomp"):
        assert name in kernel.CALLS
