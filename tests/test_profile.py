"""Where a run's time went: the stages of every submission, and which were slowest."""

import io
import time
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console

from grader.profile import MEANS, ONCE, ORDER, Profile
from grader.sandbox.stopwatch import stage


@stage("load")
def loading(seconds: float) -> None:
    time.sleep(seconds)


@stage("report")
def reporting() -> None:
    time.sleep(0.01)


def shown(profile: Profile) -> str:
    console = Console(width=160, file=io.StringIO(), record=True)
    console.print(profile.shown())
    return console.export_text()


def measured() -> Profile:
    profile = Profile()

    def mark(student: str) -> None:
        with profile.submission(student):
            loading(0.2 if student == "slow[/]" else 0.01)

    with profile.run(), ThreadPoolExecutor(2) as threads:
        list(threads.map(mark, ["ann", "slow[/]", "bob"]))
        reporting()
    return profile


def test_each_submission_has_its_own_stages_whatever_thread_it_is_in() -> None:
    profile = measured()
    took = {each.student: each.stages for each in profile.taken}
    assert took.keys() == {"ann", "bob", "slow[/]"}
    assert took["slow[/]"]["load"] >= 0.2 > took["ann"]["load"]
    assert "load" not in profile.main and profile.main["report"] >= 0.01


def test_the_table_holds_every_stage_and_the_slowest_first() -> None:
    text = shown(measured())
    for name in (*ORDER, *ONCE):
        assert name in text and name in MEANS
    assert "3 graded in" in text
    slowest = text.split("slowest submissions")[1]
    assert slowest.index("slow[/]") < slowest.index("ann")


def test_a_run_in_which_nothing_was_graded_has_a_table_too() -> None:
    profile = Profile()
    with profile.run():
        pass
    assert "0 graded in" in shown(profile)
