"""MkDocs' hook: the navigation, in which a page stands once it is there."""

from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
PAGES: list[tuple[str, list[tuple[str, str]]]] = [
    (
        "Start",
        [
            ("Students", "start/student.md"),
            ("Instructors", "start/instructor.md"),
            ("CI", "start/ci.md"),
        ],
    ),
    (
        "Guides",
        [
            ("For students", "students.md"),
            ("For instructors", "instructors.md"),
            ("From the LMS and back", "lms.md"),
            ("CI: what runs where", "ci.md"),
            ("Many machines", "cluster.md"),
        ],
    ),
    (
        "Write assignments",
        [
            ("One from nothing", "first-assignment.md"),
            ("How to write one", "authors.md"),
            ("Every key", "rubric.md"),
            ("Adapters", "adapters.md"),
        ],
    ),
    (
        "How it works",
        [
            ("Security", "security.md"),
            ("Numerics", "numerics.md"),
            ("How a mistake is named", "diagnosis.md"),
        ],
    ),
]


def on_config(config: Any) -> Any:
    """Sections of pages that exist, then the decisions and the audits, by name."""
    nav: list[Any] = [{"Home": "index.md"}]
    for section, pages in PAGES:
        nav.append({section: [{t: p} for t, p in pages if (DOCS / p).exists()]})
    for section, folder in (("Decisions", "decisions"), ("Audits", "audit")):
        listed = sorted(path.relative_to(DOCS).as_posix() for path in (DOCS / folder).glob("*.md"))
        nav.append({section: listed})
    config["nav"] = nav
    return config
