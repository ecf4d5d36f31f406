"""What a class has in common: known mistakes, ranked, and answers that nothing known explains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from grader.reports.legible import plain_facts, visible
from grader.types import Alike, Diagnosis, Facts, Grade, Text

__all__ = ["Person", "Ranked", "Same", "Similar", "mistakes_of", "ranked", "same", "similar"]


@dataclass(frozen=True, slots=True)
class Person:
    """A student, as the page names one."""

    name: str
    """Name, made visible."""
    href: str
    """Address of the report."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A known mistake, or some that nothing tells apart, with who made it."""

    name: str
    """Ids: "or" joins those that are not told apart, "+" those made together."""
    symptoms: tuple[Text, ...]
    """What was seen, a sentence each."""
    people: tuple[Person, ...]
    """Who made it."""


@dataclass(frozen=True, slots=True)
class Same:
    """Submissions that are wrong in the same way, which has no name."""

    entries: tuple[str, ...]
    """The entries that answered the same."""
    error: str
    """Name of the exception, where nothing else came back."""
    code: str
    """Message code of where the answers differ from what is right; empty where it is not known."""
    facts: Facts
    """What that sentence is filled with."""
    people: tuple[Person, ...]
    """Whose answers they are."""


@dataclass(frozen=True, slots=True)
class Similar:
    """Submissions with nearly the same code of their own."""

    percent: int
    """What each has in common with another, at least."""
    people: tuple[Person, ...]
    """Who handed them in."""


@dataclass(slots=True)
class _Seen:
    symptoms: tuple[Text, ...] = ()
    students: dict[str, None] = field(default_factory=dict)


def mistakes_of(grade: Grade) -> dict[str, tuple[Text, ...]]:
    """The known mistakes that a submission makes itself, each with its symptoms."""
    found: dict[str, tuple[Text, ...]] = {}
    told: set[str] = set()
    for diagnosis in grade.diagnoses:
        if diagnosis.kind == "mistake":
            found |= {name: said for name, said in _named(diagnosis, told) if name not in found}
        told |= {name for ids in diagnosis.alternatives for name in ids}
    return found


def _named(diagnosis: Diagnosis, told: set[str]) -> Iterator[tuple[str, tuple[Text, ...]]]:
    """Names with their symptoms; what an earlier entry has told already has none of its own."""
    if len(diagnosis.alternatives) == 1:
        new = [name for name in diagnosis.alternatives[0] if name not in told]
        if len(new) == len(diagnosis.symptoms):
            yield from ((name, (said,)) for name, said in zip(new, diagnosis.symptoms, strict=True))
            return
    yield " or ".join("+".join(ids) for ids in diagnosis.alternatives), diagnosis.symptoms


def ranked(grades: Sequence[Grade], people: Mapping[str, Person]) -> tuple[Ranked, ...]:
    """The known mistakes of a class, the most frequent first."""
    seen: dict[str, _Seen] = defaultdict(_Seen)
    for grade in grades:
        for name, symptoms in mistakes_of(grade).items():
            seen[name].symptoms = seen[name].symptoms or symptoms
            seen[name].students[grade.student] = None
    found = [
        Ranked(visible(name), each.symptoms, tuple(people[student] for student in each.students))
        for name, each in seen.items()
    ]
    return tuple(sorted(found, key=lambda each: (-len(each.people), each.name)))


def same(grades: Sequence[Grade], people: Mapping[str, Person]) -> tuple[Same, ...]:
    """Groups of submissions that answered the same where no known mistake explains it.

    Entries in which the same students meet make one group.
    """
    met: dict[tuple[str, str, str], list[Grade]] = defaultdict(list)
    for grade in grades:
        for each in grade.unexplained:
            met[each.entry, each.digest, each.error].append(grade)
    groups: dict[tuple[tuple[str, ...], str], list[str]] = defaultdict(list)
    located: dict[tuple[tuple[str, ...], str], Diagnosis] = {}
    for (entry, _, error), members in met.items():
        if len(members) > 1:
            key = tuple(grade.student for grade in members), error
            groups[key].append(entry)
            for diagnosis in members[0].diagnoses:
                if diagnosis.entry == entry and diagnosis.code:
                    located.setdefault(key, diagnosis)
    found = []
    for key, entries in groups.items():
        where = located.get(key)
        found.append(
            Same(
                entries=tuple(entries),
                error=visible(key[1]),
                code=where.code if where else "",
                facts=plain_facts(where.facts) if where else {},
                people=tuple(people[student] for student in key[0]),
            )
        )
    return tuple(sorted(found, key=lambda each: (-len(each.people), each.entries)))


def similar(groups: Sequence[Alike], people: Mapping[str, Person]) -> tuple[Similar, ...]:
    """Groups of similar code, with the students as the page names them."""
    return tuple(
        Similar(each.percent, tuple(people[student] for student in each.students))
        for each in groups
    )
