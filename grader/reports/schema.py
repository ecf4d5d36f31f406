"""A student's `grade.json` and its JSON schema, both made from the types themselves."""

from __future__ import annotations

import json

from pydantic import TypeAdapter

from grader.reports.view import StudentView

VIEW: TypeAdapter[StudentView] = TypeAdapter(StudentView)
"""Writes a view as JSON."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def grade_schema() -> str:
    """What `docs/schema/grade.schema.json` holds; a test keeps the file fresh."""
    schema = VIEW.json_schema(mode="serialization")
    return json.dumps({"$schema": DIALECT, **schema}, ensure_ascii=False, indent=2) + "\n"
