"""Known mistakes and what they answer: run from the reference, or told by a student's folder."""

from grader.mistakes.known import Ids, Mistakes, NoMistakes, NotKept, Prints, Store
from grader.mistakes.patched import Patch, PatchedReference, patches
from grader.mistakes.running import FromReference
from grader.mistakes.telling import FromBundle, ToldPrints, from_bundle, told

__all__ = [
    "FromBundle",
    "FromReference",
    "Ids",
    "Mistakes",
    "NoMistakes",
    "NotKept",
    "Patch",
    "PatchedReference",
    "Prints",
    "Store",
    "ToldPrints",
    "from_bundle",
    "patches",
    "told",
]
