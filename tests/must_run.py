"""What a test needs that is not Python's: skipped where it is missing, a failure in CI."""

import os
import shutil

import pytest


def needed(*programs: str) -> str:
    """The path of the first of these programs that is here; skips the test where none is.

    With GRADER_TESTS_MUST_RUN=1, as in CI, the test fails instead.
    """
    for program in programs:
        if (found := shutil.which(program)) is not None:
            return found
    message = f"needs {' or '.join(programs)} (Debian: apt-get install {programs[0]})"
    if os.environ.get("GRADER_TESTS_MUST_RUN") == "1":
        pytest.fail(message)
    pytest.skip(message)
