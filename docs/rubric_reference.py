"""Writes docs/rubric.md from the models that rubrics and course.yaml are read into.

python docs/rubric_reference.py          # writes it
python docs/rubric_reference.py --check  # exits 1 when it is stale
"""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "rubric.md"
MODELS = {
    "grader/types.py": (
        *("Rubric", "Case", "Criterion", "CheckUse", "Misconception", "Variant", "Harmless"),
        *("Edit", "Limits", "Tolerance", "Void", "Text"),
    ),
    "grader/course.py": ("Settings",),
    "grader/policy/values.py": ("Dates", "LateRule"),
}
"""What is described, file by file, in order."""
IN_YAML = {("Edit", "scope"): "in"}
"""Keys that Python keeps for itself."""
HEADINGS = {
    "Rubric": "rubrics/x.yaml",
    "Case": "cases",
    "Criterion": "criteria",
    "CheckUse": "A check in `criteria.checks`",
    "Misconception": "misconceptions",
    "Variant": "variants",
    "Harmless": "harmless",
    "Edit": "A patch in `edits`",
    "Limits": "limits",
    "Tolerance": "tolerance",
    "Void": "void",
    "Text": "A sentence",
    "Settings": "course.yaml",
    "Dates": "An assignment in course.yaml",
    "LateRule": "late, in course.yaml",
}
HEAD = """# Every key of a rubric and of course.yaml

Generated from the models by `python docs/rubric_reference.py`; do not edit. What a rubric is for,
with examples: [write an assignment](authors.md).
"""


def sections() -> list[str]:
    """One section for each model: its sentence, and a row for each key."""
    found = []
    for path, names in MODELS.items():
        classes = {
            node.name: node
            for node in ast.parse((ROOT / path).read_text("utf-8")).body
            if isinstance(node, ast.ClassDef)
        }
        found += [section(classes[name]) for name in names]
    return found


def section(model: ast.ClassDef) -> str:
    """A heading, what the model is, and its keys."""
    rows = ["| key | type | default | |", "| --- | --- | --- | --- |"]
    for field, following in zip(model.body, [*model.body[1:], None], strict=True):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if field.target.id.startswith("_"):
            continue
        sentence = ""
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            sentence = " ".join(str(following.value.value).split())
        key = IN_YAML.get((model.name, field.target.id), field.target.id)
        cells = [f"`{key}`", kind(field.annotation), default(field.value), sentence]
        rows.append("| " + " | ".join(each.replace("|", "\\|") for each in cells) + " |")
    said = " ".join((ast.get_docstring(model) or "").split())
    return "\n".join([f"## {HEADINGS[model.name]}", "", said, "", *rows, ""])


def kind(annotation: ast.expr) -> str:
    """A type as an author reads it."""
    text = ast.unparse(annotation)
    for ours, theirs in (
        ("Annotated[str, AfterValidator(_zone)]", "time zone"),
        ("Literal", "one of "),
        ("Fraction", "points"),
        ("Mapping[", "mapping["),
        ("tuple[", "list["),
        (", ...]", "]"),
        ("Facts", "mapping"),
    ):
        text = text.replace(ours, theirs)
    return f"`{text}`"


def default(value: ast.expr | None) -> str:
    """What holds where the key is left out."""
    if value is None:
        return "required"
    text = ast.unparse(value)
    if "default_factory" in text or text in ("()", "''"):
        return ""
    return f"`{text}`"


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *sections()])


if __name__ == "__main__":
    if "--check" in sys.argv:
        if PAGE.read_text("utf-8") != page():
            sys.exit(f"stale: {PAGE}; make it again with: python docs/rubric_reference.py")
    else:
        PAGE.write_text(page(), "utf-8")
