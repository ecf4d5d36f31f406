"""The JSON schema of a student's `grade.json`, made from the types themselves.

Apart from the rest, so that only who asks for the schema waits for pydantic.
"""

from __future__ import annotations

import json

from pydantic import TypeAdapter

from grader.reports.view import StudentView

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def grade_schema() -> str:
    """What `docs/schema/grade.schema.json` holds; a test keeps the file fresh."""
    schema = TypeAdapter(StudentView).json_schema(mode="serialization")
    return json.dumps({"$schema": DIALECT, **schema}, ensure_ascii=False, indent=2) + "\n"
