"""Where in the student's own file a finding is about, and which name may have been meant."""

import difflib
from collections.abc import Mapping
from dataclasses import replace

from grader.types import Finding, Loaded

Findings = Mapping[str, tuple[Finding, ...]]
"""What the checks found, by criterion id."""


def located(findings: Findings, loaded: Loaded) -> dict[str, tuple[Finding, ...]]:
    """The findings, each with the line of the student's file where it is known.

    A missing entry becomes "did you mean" where the file defines a name that is alike.
    """
    return {
        criterion: tuple(_near(_at_line(finding, loaded), loaded) for finding in found)
        for criterion, found in findings.items()
    }


def _at_line(finding: Finding, loaded: Loaded) -> Finding:
    line = finding.facts.get("line")
    if type(line) is not int or not 1 <= line <= len(loaded.origins):
        return finding
    return replace(finding, origin=loaded.origins[line - 1])


def _near(finding: Finding, loaded: Loaded) -> Finding:
    if finding.code != "outcome.missing":
        return finding
    entry = str(finding.facts.get("entry", ""))
    there = (entry, entry.partition(".")[0])
    by_case = {name.lower(): name for name in loaded.names if name not in there}
    near = difflib.get_close_matches(entry.lower(), by_case, 1, cutoff=0.7)
    if not near:
        return finding
    facts = {"entry": entry, "near": by_case[near[0]]}
    return replace(finding, code="outcome.missing_near", facts=facts)
