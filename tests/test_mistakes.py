"""What known mistakes answer: run from the reference, kept, and told by a student's folder."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from naming_course import REFERENCE, RUBRIC, make_assignment

from grader.assignment import Assignment
from grader.errors import CourseError, EngineError
from grader.expected import Standard, from_reference
from grader.fingerprints import Fingerprint, FingerprintFile, fingerprint
from grader.mistakes import (
    FromReference,
    Ids,
    NoMistakes,
    NotKept,
    Prints,
    Store,
    ToldPrints,
    from_bundle,
    patches,
    told,
)
from grader.mistakes.patched import PatchedReference, renamed
from grader.sandbox.runner import Runner
from grader.types import Job, Outcome, RawOutput

KNOWN = (
    *("triple", "no-one", "fourfold", "double-twice", "nothing"),
    *("other-way", "added", "detached", "by-two"),
)


@pytest.fixture(scope="module")
def assignment(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    return make_assignment(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def standard(assignment: Assignment, runner: Runner) -> Standard:
    return from_reference(assignment, runner.run, "secret")


class Counted:
    """Runs jobs, and counts them."""

    def __init__(self, run: Callable[[Job], tuple[RawOutput, ...]]):
        self.run, self.jobs = run, 0

    def __call__(self, job: Job) -> tuple[RawOutput, ...]:
        self.jobs += 1
        return self.run(job)


Run = Callable[[Job], tuple[RawOutput, ...]]


def known(standard: Standard, run: Run, store: Store) -> FromReference:
    return FromReference(PatchedReference(standard.rubric, REFERENCE, standard.trials, run), store)


@pytest.fixture(scope="module")
def mistakes(standard: Standard, runner: Runner) -> FromReference:
    return known(standard, runner.run, NotKept())


def alone(standard: Standard, runner: Runner, source: str) -> dict[tuple[str, str], Fingerprint]:
    """What one module answers in a child of its own."""
    trials = tuple(trial for trial in standard.trials if trial.probe != "describe")
    outputs = runner.run(Job(source=source, modules={}, trials=trials))
    return {(t.case, t.variant): fingerprint(out) for t, out in zip(trials, outputs, strict=True)}


def of_entry(standard: Standard, prints: Prints, entry: str) -> dict[tuple[str, str], Fingerprint]:
    return {
        (t.case, t.variant): prints[t.case, t.variant]
        for t in standard.trials
        if t.entry == entry and t.probe != "describe"
    }


# -- from the reference -----------------------------------------------------------------------


def test_misconceptions_come_first_then_variants_and_nothing_harmless(
    mistakes: FromReference,
) -> None:
    assert mistakes.ids == KNOWN


@pytest.mark.parametrize(
    ("ids", "old", "new"),
    [
        ((), "x * 2", "x * 2"),
        (("triple",), "x * 2", "x * 3"),
        (("detached",), "* self.factor", "* self.factor.detach()"),
        (("by-two",), "y - 3", "y - 2"),
        (("triple", "no-one"), "x * 2 + 1", "x * 3 + 0"),
    ],
)
def test_many_in_one_child_answer_as_each_does_alone(
    standard: Standard, runner: Runner, mistakes: FromReference, ids: Ids, old: str, new: str
) -> None:
    prints, own = mistakes.prints(ids), alone(standard, runner, REFERENCE.replace(old, new))
    assert prints.keys() == own.keys()
    assert all(prints[key].agrees(own[key]) for key in own)


def test_the_order_of_a_pair_makes_no_difference(mistakes: FromReference) -> None:
    assert mistakes.prints(("other-way", "triple")) == mistakes.prints(("triple", "other-way"))


def test_the_singles_run_once_and_together(standard: Standard, runner: Runner) -> None:
    counted = Counted(runner.run)
    mistakes = known(standard, counted, NotKept())
    assert counted.jobs == 0
    assert mistakes.prints(()) is mistakes.right
    assert counted.jobs == 1
    for name in KNOWN:
        mistakes.prints((name,))
    assert counted.jobs == 2
    mistakes.prints(("triple", "no-one"))
    mistakes.prints(("no-one", "triple"))
    assert counted.jobs == 3


def test_only_what_a_patch_may_change_is_asked_under_it(
    standard: Standard, mistakes: FromReference
) -> None:
    for name in KNOWN:
        asked = mistakes.patched.touched((name,), standard.trials)
        # By the old way: the whole module is run, and what differs is looked for.
        code = mistakes.patched.source((name,))
        outputs = mistakes.patched.outputs(
            {"_0": code}, tuple(renamed(trial, 0) for trial in standard.trials)
        )
        for trial, output in zip(standard.trials, outputs, strict=True):
            if trial not in asked and trial.probe != "describe":
                assert fingerprint(output).agrees(mistakes.right[trial.case, trial.variant])
    assert mistakes.patched.touched((), standard.trials) == standard.trials
    asked = mistakes.patched.touched(("added",), standard.trials)
    assert {trial.entry for trial in asked} == {"Scale"}


def test_what_is_not_asked_under_any_patch_needs_no_child(
    standard: Standard, mistakes: FromReference
) -> None:
    assert mistakes.patched.answers([(("triple",), ())]) == [()]


def test_our_own_fault_is_told_as_such(standard: Standard) -> None:
    def broken(job: Job) -> tuple[RawOutput, ...]:
        return (RawOutput(outcome=Outcome.BROKEN, facts={"reason": "gone"}),) * len(job.trials)

    with pytest.raises(EngineError, match="expected known mistakes to run: gone"):
        known(standard, broken, NotKept()).prints(())


def test_a_patch_that_does_not_fit_is_refused_with_the_file_and_its_name(
    standard: Standard,
) -> None:
    with pytest.raises(CourseError, match=r"got 0 @ rubrics/chain\.yaml triple"):
        patches(standard.rubric, REFERENCE.replace("x * 2", "2 * x"))


@pytest.mark.parametrize(
    ("ids", "entry", "pairs"),
    [
        (("triple", "no-one"), "double", (("triple", "no-one"),)),
        (("triple", "other-way"), "shift", (("triple", "other-way"),)),
        (("added", "no-one"), "Scale", (("no-one", "added"),)),
    ],
)
def test_pairs_are_those_that_answer_alike(
    standard: Standard, mistakes: FromReference, ids: Ids, entry: str, pairs: tuple[Ids, ...]
) -> None:
    own = of_entry(standard, mistakes.prints(ids), entry)
    assert mistakes.pairs(entry, own) == pairs


def test_patches_that_touch_one_place_make_no_pair(
    standard: Standard, mistakes: FromReference
) -> None:
    own = of_entry(standard, mistakes.prints(("fourfold",)), "double")
    found = mistakes.pairs("double", own)
    assert not any({"fourfold", "double-twice"} <= set(ids) for ids in found)
    assert not any({"added", "detached"} <= set(ids) for ids in found)


@pytest.mark.parametrize(
    ("ids", "entry", "seen"),
    [
        (("triple",), "shift", True),
        (("triple",), "Scale", True),
        (("nothing",), "shift", False),
        (("nothing",), "Scale", True),  # gradients tell
        (("triple", "no-one"), "shift", True),
    ],
)
def test_whether_own_mistakes_would_still_be_noticed(
    mistakes: FromReference, ids: Ids, entry: str, seen: bool
) -> None:
    assert mistakes.noticed(ids, entry) is seen


def test_an_entry_without_mistakes_of_its_own_hides_none(
    tmp_path: Path, runner: Runner, standard: Standard
) -> None:
    fewer = tuple(each for each in standard.rubric.misconceptions if each.id != "other-way")
    rubric = replace(standard.rubric, misconceptions=fewer)
    mistakes = FromReference(
        PatchedReference(rubric, REFERENCE, standard.trials, runner.run), NotKept()
    )
    assert mistakes.noticed(("nothing",), "shift")


# -- kept -------------------------------------------------------------------------------------


def test_what_is_kept_is_not_run_again(standard: Standard, runner: Runner, tmp_path: Path) -> None:
    path = tmp_path / "prints.json"
    first, second = Counted(runner.run), Counted(runner.run)
    made = known(standard, first, FingerprintFile(path)).prints(("triple",))
    again = known(standard, second, FingerprintFile(path)).prints(("triple",))
    assert (first.jobs > 0, second.jobs) == (True, 0)
    assert made == again


def lose_a_trial(tree: dict[str, dict[str, object]]) -> None:
    tree["triple"].popitem()


def rename_a_trial(tree: dict[str, dict[str, object]]) -> None:
    tree["triple"]["seen\tbasf"] = tree["triple"].pop("seen\tbase")


@pytest.mark.parametrize("damage", [lose_a_trial, rename_a_trial])
def test_a_kept_file_in_which_a_trial_is_missing_is_made_again(
    standard: Standard,
    runner: Runner,
    tmp_path: Path,
    damage: Callable[[dict[str, dict[str, object]]], None],
) -> None:
    path = tmp_path / "prints.json"
    made = known(standard, runner.run, FingerprintFile(path)).prints(("triple",))
    tree = json.loads(path.read_text())
    damage(tree)
    path.write_text(json.dumps(tree))
    counted = Counted(runner.run)
    assert known(standard, counted, FingerprintFile(path)).prints(("triple",)) == made
    assert counted.jobs == 1
    assert json.loads(path.read_text())["triple"].keys() == {"\t".join(key) for key in made}


# -- what a student's folder tells ------------------------------------------------------------


@pytest.fixture(scope="module")
def written(mistakes: FromReference, standard: Standard) -> ToldPrints:
    shown = tuple(trial for trial in standard.trials if not trial.hidden)
    return told(mistakes, shown)


def test_a_folder_tells_of_public_trials_only(written: ToldPrints, standard: Standard) -> None:
    public = {case.id for case in standard.rubric.cases if case.show == "public"}
    cases = {name.partition("\t")[0] for prints in written.prints.values() for name in prints}
    assert cases == public
    assert list(written.prints) == ["", *KNOWN]


def test_a_folder_tells_of_a_mistake_only_where_it_shows(written: ToldPrints) -> None:
    assert {name.partition("\t")[0] for name in written.prints["other-way"]} == {"moved"}
    (only,) = written.prints["detached"]
    assert only.startswith("scale\tgradient")


def test_what_is_told_is_digests_and_numbers(written: ToldPrints) -> None:
    for prints in written.prints.values():
        for form, numbers in prints.values():
            assert len(form) == 12 and int(form, 16) >= 0
            assert len(numbers) in (0, 5)
    text = json.dumps(asdict(written))
    assert not any(word in text for word in ("return", "self", "x * 3", "detach()"))


def test_read_again_it_answers_as_the_reference_does(
    written: ToldPrints, mistakes: FromReference
) -> None:
    read = from_bundle(written)
    assert read.ids == KNOWN
    for key, each in read.right.items():
        assert each == mistakes.right[key]
    for name in KNOWN:
        prints = read.prints((name,))
        assert prints is not None and prints.keys() == read.right.keys()
        assert all(prints[key].agrees(mistakes.prints((name,))[key]) for key in prints)
    assert read.prints(()) is None and read.prints(("unknown",)) is None
    assert read.prints(("triple", "no-one")) is None
    assert read.pairs("double", dict(read.right)) == ()


def test_it_pays_for_what_is_carried_just_as_the_course_does(
    written: ToldPrints, mistakes: FromReference
) -> None:
    read = from_bundle(written)
    for name in ("triple", "no-one", "nothing"):
        for entry in ("shift", "Scale"):
            assert read.noticed((name,), entry) == mistakes.noticed((name,), entry)
    assert not read.noticed(("other-way",), "double")


TWO_METHODS = """

class Twice(torch.nn.Module):
    def one(self, x):
        # BEGIN SOLUTION
        return self.two(x) + 1
        # END SOLUTION

    def two(self, x):
        # BEGIN SOLUTION
        return x * 2
        # END SOLUTION
"""


def test_a_mistake_in_one_method_is_carried_to_another_of_the_same_class(
    tmp_path: Path, runner: Runner
) -> None:
    """The class is both entries' own scope, and the folder has to say the same as the course."""
    head, _, rest = RUBRIC.partition("criteria:\n")
    body, _, known_ = rest.partition("misconceptions:\n")
    cases = "".join(
        f'  - {{id: {name}-{show}, entry: Twice.{name}, args: {{x: "normal(B, N)"}}, '
        f'sizes: {{B: {size}, N: 3}}, returns: {{y: "B, N"}}, show: {show}}}\n'
        for name in ("two", "one")
        for show, size in (("public", 2), ("hidden", 3))
    )
    criteria = "".join(
        f"  - {{id: {name}, entry: Twice.{name}, points: 1, title: {{en: a, ko: 가}}, "
        "checks: [close]}\n"
        for name in ("two", "one")
    )
    wrong = (
        '  - {id: twofold, edits: [{in: Twice.two, find: "x * 2", put: "x * 5"}], '
        "symptom: {en: a, ko: 가}, hint: {en: b, ko: 나}, source: here}\n"
    )
    rubric = f"{head}{cases}criteria:\n{body}{criteria}misconceptions:\n{wrong}{known_}"
    assignment = make_assignment(tmp_path, rubric, REFERENCE + TWO_METHODS)
    standard = from_reference(assignment, runner.run, "s")
    source = assignment.reference.content.decode()
    mistakes = FromReference(
        PatchedReference(assignment.rubric, source, standard.trials, runner.run), NotKept()
    )
    assert mistakes.noticed(("twofold",), "Twice.one")
    shown = tuple(trial for trial in standard.trials if not trial.hidden)
    assert from_bundle(told(mistakes, shown)).noticed(("twofold",), "Twice.one")


# -- none known -------------------------------------------------------------------------------


def test_where_no_mistakes_are_known_nothing_is_told_and_nothing_paid() -> None:
    none = NoMistakes()
    assert (none.ids, none.right, none.prints(()), none.pairs("f", {})) == ((), {}, None, ())
    assert not none.noticed((), "f")


def test_a_store_that_keeps_nothing_gives_nothing_back() -> None:
    store = NotKept()
    store.put((), {})
    store.save()
    assert store.get(()) is None
