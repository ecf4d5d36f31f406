"""An audit as a page, as JSON, and as the Markdown that stands in `docs/`."""

import json
import math
from dataclasses import asdict
from typing import Any

from grader.audit import MARGIN, Audit
from grader.reports.legible import number_text
from grader.reports.pages import render


def audit_json(*audits: Audit) -> str:
    """Everything of some audits, as one list in strict JSON: an infinite margin is null."""
    trees = [_finite(asdict(audit)) for audit in audits]
    return json.dumps(trees, ensure_ascii=False, indent=2) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, (list, tuple)) else value


def audit_html(audit: Audit) -> str:
    """The kill matrix as a page."""
    return render("audit.html", "en", audit=audit, margin=margin_text, limit=MARGIN)


def audit_markdown(audit: Audit) -> str:
    """The table for `docs/`: who catches what, and by how much."""
    lines = [
        f"## {audit.assignment}",
        "",
        f"{len(audit.rows)} misconceptions; each fails {number_text(round(audit.mean_cost, 2))} "
        f"criteria in the mean. Right code ({audit.right} implementations by others) lies within "
        f"{margin_text(audit.right_margin)} of the tolerance, the closest wrong code "
        f"{margin_text(audit.wrong_margin)} tolerances away.",
        "",
        "| misconception | public cases | hidden cases | fails | margin |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {row.id} | {len(row.public)} | {len(row.hidden)} | {', '.join(row.costs)} "
        f"| {margin_text(row.margin)} |"
        for row in audit.rows
    ]
    if audit.weak:
        lines += ["", f"Cases that catch nothing alone: {', '.join(audit.weak)}."]
    return "\n".join(lines) + "\n"


def margin_text(margin: float) -> str:
    """A margin in two digits; what no number measures is told by its kind."""
    return "by its form" if math.isinf(margin) else number_text(margin, 2)
