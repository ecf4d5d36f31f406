"""A student's work check by check, as `pytest` reports it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from grader.errors import GraderError
from grader.reports.asked import first_calls
from grader.reports.messages import LANGUAGES, say
from grader.reports.phrasing import diagnosis_heading, where
from grader.reports.view import StudentCriterion, StudentFinding, StudentView, student_view
from grader.sandbox.runner import Runner
from grader.sandbox.warm import Zygote
from grader.student import Checked, check_work, public_part, work_in
from grader.types import Status, Verdict
