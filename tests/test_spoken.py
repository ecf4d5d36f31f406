"""Which language a person is answered in."""

import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from grader import spoken as language
from grader.errors import UsageError
from grader.spoken import Language, asked_language, default_language, refusal_text

NAMES = ("LC_ALL", "LC_MESSAGES", "LANG")


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """An environment that says nothing of a language."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(language.locale, "getlocale", lambda: (None, None))
    yield monkeypatch


@pytest.mark.parametrize("name", NAMES)
def test_the_environment_says_it(silent: pytest.MonkeyPatch, name: str) -> None:
    assert default_language() is Language.EN
    silent.setenv(name, "ko_KR.UTF-8")
    assert default_language() is Language.KO
    silent.setenv(name, "C")
    assert default_language() is Language.EN


def test_windows_says_it_where_the_environment_is_silent(silent: pytest.MonkeyPatch) -> None:
    silent.setattr(language.sys, "platform", "win32")
    for number, spoken in ((0x0412, Language.KO), (0x0409, Language.EN), (0xFFFF, Language.EN)):
        kernel = SimpleNamespace(GetUserDefaultUILanguage=lambda number=number: number)
        windll = SimpleNamespace(kernel32=kernel)
        silent.setattr(language.ctypes, "windll", windll, raising=False)
        assert default_language() is spoken
    silent.setenv("LANG", "en_US")
    assert default_language() is Language.EN


def test_macos_says_it_where_the_environment_is_silent(silent: pytest.MonkeyPatch) -> None:
    silent.setattr(language.sys, "platform", "darwin")

    def answers(text: str) -> None:
        told = subprocess.CompletedProcess([], 0, stdout=text)
        silent.setattr(language.subprocess, "run", lambda *_, **__: told)

    answers("ko_KR\n")
    assert default_language() is Language.KO
    answers("")
    assert default_language() is Language.EN

    def none(*_: object, **__: object) -> None:
        raise FileNotFoundError

    silent.setattr(language.subprocess, "run", none)
    assert default_language() is Language.EN


def test_an_option_says_it_before_it_is_read(silent: pytest.MonkeyPatch) -> None:
    assert asked_language(["check", "--lang", "ko"]) is Language.KO
    assert asked_language(["--lang=ko"]) is Language.KO
    silent.setenv("LANG", "ko_KR")
    assert asked_language(["check", "--lang", "en"]) is Language.EN
    assert asked_language(["check"]) is Language.KO


def test_a_refusal_is_said_in_korean_where_the_catalogue_has_it() -> None:
    known = UsageError("nothing", code="student.nothing_at", facts={"path": "x.py"})
    assert refusal_text(known, "en") == "nothing"
    assert refusal_text(known, "ko").endswith("x.py") and "확인할" in refusal_text(known, "ko")
    assert refusal_text(UsageError("plain"), "ko") == "plain"


def test_a_console_in_cp949_is_spoken_to(tmp_path: object) -> None:
    command = [sys.executable, "-m", "grader", "check", "없는 파일 é.py", "--lang", "ko"]
    environment = {"PYTHONIOENCODING": "cp949", "PYTHONUTF8": "0"}
    ran = subprocess.run(
        command, cwd=str(tmp_path), capture_output=True, env={**language.os.environ, **environment}
    )
    said = ran.stderr.decode("cp949")
    assert (
        ran.returncode == 2 and "확인할 파일" in said and "없는 파일 ?.py" in said.replace("\n", "")
    )
