"""Do samples come from the right distribution, in whatever order the random numbers were drawn?"""

import dataclasses
import math
from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from grader.checks.base import Outputs, axes_of, finding, named
from grader.checks.numeric import shape
from grader.errors import CourseError
from grader.types import Facts, Finding, Picture, RawOutput, Setting, Verdict

Columns = NDArray[np.float64]
"""(N, F): one row a sample, with every number of it."""

LEVEL = 1e-6
"""Probability, at most, that right code fails in a case."""
MOST_PAIRED = 12
"""Numbers of a sample of which every two are looked at together."""
BINS = 40


def distribution(setting: Setting, outputs: Outputs, options: Facts) -> Finding:
    """Independent samples along `axis` are distributed as the reference's, whatever their values.

    Compared are each number of a sample, and the sum and the difference of every two of the first
    MOST_PAIRED, so that numbers which are right one by one but hang together wrongly are seen. Each
    is a two-sample Kolmogorov-Smirnov test: the greatest distance D between the two empirical
    distribution functions, of n samples each, where n is the length of the axis. For samples of one
    and the same distribution

        P(D > d) <= e * exp(-n d^2)

    for every n and every distribution, with ties too (Wei and Dudley, Two-sample
    Dvoretzky-Kiefer-Wolfowitz inequalities, 2012, theorem 1). With m comparisons in a case a limit
    of d = sqrt(ln(e m / LEVEL) / n) thus fails right code with a probability below LEVEL = 1e-6.
    What is further from right than about d + 1 / sqrt(n) is noticed: d is 0.06 for n = 4000, m = 1.

    Raises:
        CourseError: nothing that is returned has the axis.
    """
    formed = shape(setting, outputs, {})
    if formed.verdict is not Verdict.PASS:
        return dataclasses.replace(formed, check="distribution")
    compared = list(_outputs(setting, outputs["base"], str(options["axis"])))
    if not compared:
        raise CourseError(
            f"expected an axis of what is returned, got {options['axis']!r} "
            f"@ case {setting.case.id}, check distribution"
        )
    count = sum(_comparisons(want.shape[1]) for _, _, _, want in compared)
    drawn: tuple[Picture, ...] = ()
    for name, place, got, want in compared:
        if not np.isfinite(got).all():
            at = np.argwhere(~np.isfinite(got))
            facts = {"bad": len(at), "total": int(got.size), "at": at[0].tolist()}
            code = "finite.not_finite"
            return finding(setting, "distribution", Verdict.FAIL, code, output=name, **facts)
        if found := _differing(setting, name, place, got, want, limit(len(want), count)):
            return found
        drawn = drawn or _pictures(setting, name, got[:, 0], want[:, 0])
    right = dataclasses.replace(formed, check="distribution")
    # Right or not, people want to see what is drawn.
    return dataclasses.replace(right, code="distribution.drawn", pictures=drawn) if drawn else right


def limit(samples: int, comparisons: int) -> float:
    """The distance that right code exceeds in one of so many comparisons with probability LEVEL.

    Both distribution functions are of as many `samples`.
    """
    return math.sqrt(math.log(math.e * comparisons / LEVEL) / samples)


def distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The greatest distance between two empirical distribution functions, samples (n,) each."""
    every = np.concatenate([one, other])
    shares = [np.searchsorted(np.sort(x), every, side="right") / len(x) for x in (one, other)]
    return float(np.abs(shares[0] - shares[1]).max(initial=0.0))


def _comparisons(numbers: int) -> int:
    paired = min(numbers, MOST_PAIRED)
    return numbers + paired * (paired - 1)


def _outputs(
    setting: Setting, output: RawOutput, axis: str
) -> Iterator[tuple[str, tuple[int, ...], Columns, Columns]]:
    """Outputs with that axis: name, lengths of the other axes, what came back, what should have."""
    wanted = setting.expected.leaves[0]
    for index, ((name, want), got) in enumerate(
        zip(named(setting, wanted), output.leaves[0], strict=True)
    ):
        axes = axes_of(setting, index)
        if axis not in axes or want.array is None or got.array is None:
            continue
        sides = [
            np.moveaxis(x.astype(np.float64), axes.index(axis), 0) for x in (got.array, want.array)
        ]
        left, right = (x.reshape(len(x), -1) for x in sides)
        yield name, sides[1].shape[1:], left, right


def _differing(
    setting: Setting, name: str, place: tuple[int, ...], got: Columns, want: Columns, allowed: float
) -> Finding | None:
    """The first comparison that goes beyond what is allowed, numbers by themselves first."""
    for index in range(want.shape[1]):
        left, right = got[:, index], want[:, index]
        if (far := distance(left, right)) > allowed:
            failure = finding(
                setting,
                "distribution",
                Verdict.FAIL,
                "distribution.differs",
                output=name,
                at=_place(index, place),
                mean=float(left.mean()),
                mean_expected=float(right.mean()),
                deviation=float(left.std()),
                deviation_expected=float(right.std()),
                distance=far,
                allowed=allowed,
            )
            return dataclasses.replace(failure, pictures=_pictures(setting, name, left, right))
    for one, other in combinations(range(min(want.shape[1], MOST_PAIRED)), 2):
        for sign in (1.0, -1.0):
            far = distance(got[:, one] + sign * got[:, other], want[:, one] + sign * want[:, other])
            if far > allowed:
                return finding(
                    setting,
                    "distribution",
                    Verdict.FAIL,
                    "distribution.together",
                    output=name,
                    at=_place(one, place),
                    second=_place(other, place),
                    distance=far,
                    allowed=allowed,
                )
    return None


def _place(index: int, place: tuple[int, ...]) -> list[int]:
    """Where a number stands in its sample."""
    return [int(each) for each in np.unravel_index(index, place)] if place else []


def _pictures(
    setting: Setting, name: str, got: NDArray[np.float64], want: NDArray[np.float64]
) -> tuple[Picture, ...]:
    """How often what value came, beside how often it should have, in a public case."""
    if setting.case.show == "hidden":
        return ()
    low, high = np.quantile(np.concatenate([got, want]), [0.005, 0.995])
    if not low < high:
        return ()
    bins = np.linspace(low, high, BINS + 1)
    shares = [np.histogram(x, bins)[0] / len(x) for x in (got, want)]
    values = tuple(tuple(float(share) for share in each) for each in shares)
    return (Picture(kind="curve", label="picture.samples", name=name, values=values),)
