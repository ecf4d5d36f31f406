"""Outcomes -> JUnit XML, as the schema that pytest holds its own against describes it.

That schema (testing/example_scripts/junit-10.xsd in pytest's repository) knows no element `error`
in a case, so what is an error is a failure of that type.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from grader.reports.legible import visible

MOST_CHARACTERS = 10_000
"""Of what is said in a case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing that was looked at."""

    suite: str
    """Dotted name of where it belongs."""
    name: str
    """Its name."""
    outcome: str
    """"passed", "failed", "error" or "skipped"."""
    said: str = ""
    """What is said of it."""
    seconds: float = 0.0
    """How long it took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Cases that belong together."""

    name: str
    """Its name."""
    cases: tuple[Case, ...]
    """What was looked at, in order."""


ELEMENTS = {"failed": "failure", "error": "failure", "skipped": "skipped"}


def junit_xml(suites: Iterable[Suite], *, host: str = "", now: datetime | None = None) -> str:
    """The suites as JUnit XML; what XML cannot hold is made visible."""
    root = ET.Element("testsuites")
    for suite in suites:
        counts = [each.outcome for each in suite.cases]
        element = ET.SubElement(
            root,
            "testsuite",
            name=visible(suite.name),
            errors="0",
            failures=str(counts.count("failed") + counts.count("error")),
            skipped=str(counts.count("skipped")),
            tests=str(len(counts)),
            time=f"{sum(each.seconds for each in suite.cases):.3f}",
            timestamp=(now or datetime.now(UTC)).replace(tzinfo=None).isoformat(timespec="seconds"),
            hostname=visible(host) or "localhost",
        )
        for case in suite.cases:
            _case(element, case)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, case: Case) -> None:
    element = ET.SubElement(
        suite,
        "testcase",
        classname=visible(case.suite),
        name=visible(case.name),
        time=f"{case.seconds:.3f}",
    )
    if case.outcome in ELEMENTS:
        said = visible(case.said, lines=True, limit=MOST_CHARACTERS)
        ET.SubElement(element, ELEMENTS[case.outcome], message=said, type=case.outcome)
