"""One submission under pytest: SUBMISSION names the module."""

import os
from pathlib import Path

import comparisons
import pytest
from one import namespace_of

NAMESPACE = namespace_of(Path(os.environ["SUBMISSION"]))


@pytest.mark.parametrize("name", list(comparisons.QUESTIONS))
def test_comparison(name: str) -> None:
    comparisons.check(name, NAMESPACE)
