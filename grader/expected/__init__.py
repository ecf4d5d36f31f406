"""What submissions are held against: made by the reference, or read from a released bundle."""

from grader.expected.bundle import Bundle, from_bundle, public_rubric, same_bundle, to_bundle
from grader.expected.reference import from_reference
from grader.expected.standard import Run, Standard, top_level

__all__ = [
    "Bundle",
    "Run",
    "Standard",
    "from_bundle",
    "from_reference",
    "public_rubric",
    "same_bundle",
    "to_bundle",
    "top_level",
]
