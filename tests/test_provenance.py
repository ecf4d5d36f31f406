"""What a mark rests on is told as it is."""

from importlib.metadata import version

import grader
from grader.provenance import provenance
from grader.sandbox.warm import Zygote


def test_the_versions_are_those_of_the_workers(zygote: Zygote) -> None:
    told = provenance("key", "B")
    assert (told.key, told.engine, told.isolation) == ("key", grader.__version__, "B")
    assert zygote.start() == {"torch": told.torch, "numpy": told.numpy}
    assert told.torch == version("torch")
