"""Samples that are right, right in another order, and wrong in ways that a mean does not show."""

import math
from typing import Any

import numpy as np
import pytest
from numpy_entries import Entry, a_case, examine

from grader.checks.sampling import LEVEL, distance, limit
from grader.errors import CourseError
from grader.types import Verdict

MANY = {"N": 2000, "B": 2}
CASE = a_case({"x": "normal(B)"}, MANY, {"samples": "N, B, 2"}, show="public")
CENTRES = np.array([[-1.0, 0.5], [2.0, 3.0]])  # one of the two for each sample: (component, D)


class Mixture(Entry):
    """Every sample is around one of two centres, for each item its own; D = 2."""

    def __call__(self, x: Any) -> Any:
        chosen = self.chance.randint(2, size=(2000, len(x)))
        return CENTRES[chosen] + 0.5 * self.chance.standard_normal((2000, len(x), 2))


class AnotherOrder(Entry):
    """The same from other random numbers."""

    def __call__(self, x: Any) -> Any:
        other = np.random.RandomState(7)
        noise = other.standard_normal((len(x), 2, 2000)).transpose(2, 0, 1)
        return np.where(other.uniform(size=(2000, len(x), 1)) < 0.5, *CENTRES) + 0.5 * noise


class OwnCentreForEachNumber(Entry):
    """Each number right by itself, but the two of a sample may come from different centres."""

    def __call__(self, x: Any) -> Any:
        chosen = self.chance.randint(2, size=(2000, len(x), 2))
        centre = np.where(chosen == 0, *CENTRES)
        return centre + 0.5 * self.chance.standard_normal((2000, len(x), 2))


class OneCentreForAllItems(Entry):
    def __call__(self, x: Any) -> Any:
        chosen = np.repeat(self.chance.randint(2, size=(2000, 1)), len(x), axis=1)
        return CENTRES[chosen] + 0.5 * self.chance.standard_normal((2000, len(x), 2))


class SameMeanAndDeviation(Entry):
    """One Gaussian with the mixture's mean and deviation."""

    def __call__(self, x: Any) -> Any:
        spread = np.sqrt(0.25 + ((CENTRES[1] - CENTRES[0]) / 2) ** 2)
        return CENTRES.mean(axis=0) + spread * self.chance.standard_normal((2000, len(x), 2))


class Undefined(Mixture):
    def __call__(self, x: Any) -> Any:
        samples = super().__call__(x)
        samples[3, 1, 0] = np.nan
        return samples


class TooFew(Mixture):
    def __call__(self, x: Any) -> Any:
        return super().__call__(x)[:-1]


def test_right_samples_from_other_random_numbers_pass_and_are_drawn() -> None:
    found = examine(CASE, "distribution", Mixture, AnotherOrder, axis="N")
    assert (found.verdict, found.code) == (Verdict.PASS, "distribution.drawn")
    assert [each.kind for each in found.pictures] == ["curve"]


def test_one_gaussian_with_the_right_mean_and_deviation_fails_and_is_drawn() -> None:
    found = examine(CASE, "distribution", Mixture, SameMeanAndDeviation, axis="N")
    assert (found.verdict, found.code) == (Verdict.FAIL, "distribution.differs")
    assert found.facts["at"] == [0, 0]
    assert found.facts["mean"] == pytest.approx(found.facts["mean_expected"], abs=0.2)
    assert found.facts["distance"] > found.facts["allowed"]
    (picture,) = found.pictures
    assert (picture.kind, len(picture.values)) == ("curve", 2)
    assert all(0.97 < sum(line) <= 1 for line in picture.values)


def test_a_hidden_case_is_not_drawn() -> None:
    hidden = a_case({"x": "normal(B)"}, MANY, {"samples": "N, B, 2"})
    found = examine(hidden, "distribution", Mixture, SameMeanAndDeviation, axis="N")
    assert found.verdict is Verdict.FAIL and found.pictures == ()
    found = examine(hidden, "distribution", Mixture, AnotherOrder, axis="N")
    assert (found.verdict, found.code, found.pictures) == (Verdict.PASS, "", ())


@pytest.mark.parametrize(
    ("student", "second"), [(OwnCentreForEachNumber, [0, 1]), (OneCentreForAllItems, [1, 0])]
)
def test_what_is_right_alone_and_wrong_together_fails(
    student: type[Entry], second: list[int]
) -> None:
    found = examine(CASE, "distribution", Mixture, student, axis="N")
    assert (found.verdict, found.code) == (Verdict.FAIL, "distribution.together")
    assert (found.facts["at"], found.facts["second"]) == ([0, 0], second)


def test_samples_that_are_no_numbers_or_too_few_fail() -> None:
    undefined = examine(CASE, "distribution", Mixture, Undefined, axis="N")
    assert (undefined.code, undefined.facts["at"]) == ("finite.not_finite", [3, 2])
    assert examine(CASE, "distribution", Mixture, TooFew, axis="N").code == "shape.mismatch"


def test_an_axis_that_nothing_returned_has_is_refused() -> None:
    with pytest.raises(CourseError, match="an axis of what is returned, got 'Q' @ case drawn"):
        examine(CASE, "distribution", Mixture, Mixture, axis="Q")


def test_the_distance_is_that_of_the_two_step_functions() -> None:
    assert distance(np.array([1.0, 2, 3, 4]), np.array([1.0, 2, 3, 4])) == 0
    assert distance(np.array([1.0, 2, 3, 4]), np.array([3.0, 4, 5, 6])) == 0.5
    assert distance(np.array([0.0, 0, 1, 1]), np.array([0.0, 1, 1, 1])) == 0.25


def test_the_limit_is_where_the_bound_reaches_its_level() -> None:
    for samples, comparisons in ((300, 1), (4000, 16)):
        beyond = comparisons * math.e * math.exp(-samples * limit(samples, comparisons) ** 2)
        assert beyond == pytest.approx(LEVEL)


@pytest.mark.parametrize("tied", [False, True])
def test_right_samples_are_further_apart_no_more_often_than_the_bound_says(tied: bool) -> None:
    chance, samples = np.random.RandomState(3), 60
    drawn = chance.standard_normal((2000, 2, samples))
    drawn = np.round(drawn) if tied else drawn
    found = np.array([distance(one, other) for one, other in drawn])
    for level in (0.5, 0.1, 0.02):
        beyond = math.sqrt(math.log(math.e / level) / samples)
        assert (found > beyond).mean() <= level
