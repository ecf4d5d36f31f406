"""How the criteria of a folder of results came out, as continuous integration reads it."""

from collections.abc import Iterable

from grader.exports.junit import Case, Suite
from grader.exports.marks import Kept

OUTCOMES = {
    "pass": "passed",
    "fail": "failed",
    "error": "error",
    "broken": "error",
    "blocked": "skipped",
    "pending": "skipped",
}


def results_suite(assignment: str, kept: Iterable[Kept]) -> Suite:
    """One case for each student's criterion; one for the submission where none was looked at."""
    return Suite(
        name=assignment,
        cases=tuple(case for each in kept for case in _cases(assignment, each)),
    )


def _cases(assignment: str, kept: Kept) -> tuple[Case, ...]:
    suite = f"{assignment}.{kept.student}"
    status, note = kept.record["status"], kept.record["note"]
    if not kept.record["criteria"]:
        return (Case(suite=suite, name=status, outcome="error", said=note or status),)
    return tuple(
        Case(
            suite=suite,
            name=each["title"]["en"],
            outcome=OUTCOMES[each["verdict"]],
            said=f"{each['verdict']}: {each['earned']} of {each['points']} points",
        )
        for each in kept.record["criteria"]
    )
