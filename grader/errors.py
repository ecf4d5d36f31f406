"""The exception tree: each leaf says whose fault it is.

GraderError
├── UsageError              the person at the keyboard: no such path, no such assignment (exit 2)
├── CourseError             the course's author: a rubric, a reference or a released bundle (exit 2)
├── SubmissionError         the student: a file that can't be read at all (a record, never an exit)
└── EngineError             us: the zygote died, a disk is full; withholds a mark (exit 3)

What a student's code does while it runs is never an exception here: it is a `RawOutput`.
"""


class GraderError(Exception):
    """Every refusal this project makes.

    Args:
        message: expected, got, where and what to do next, in one or two sentences.
        code: the entry of `reports/messages.yaml` that says the same to a student, where one does.
        facts: what that entry's sentence is filled with.
    """

    def __init__(self, message: str, *, code: str = "", facts: dict[str, object] | None = None):
        super().__init__(message)
        self.code = code
        self.facts = facts or {}


class UsageError(GraderError):
    """The command was asked for something that is not there or makes no sense."""


class CourseError(GraderError):
    """The course on disk is at fault: its message ends in the file and the path within it."""


class SubmissionError(GraderError):
    """A submission can't be read as Python or as a notebook; said to its author by `code`."""


class EngineError(GraderError):
    """Our own fault or the machine's; a grade it touches is withheld, never lowered."""
