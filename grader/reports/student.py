"""A student's report, as a page, as Markdown and as JSON, each from the redacted view only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from markupsafe import Markup

from grader.reports.legible import number_text, visible
from grader.reports.messages import Piece, catalogue, phrase, prose, say
from grader.reports.pages import render
from grader.reports.phrasing import (
    MARKS,
    amount,
    diagnosis_heading,
    isolation_statement,
    next_step,
    public_share,
    status_word,
    verdict_name,
    verdict_word,
    where,
)
from grader.reports.schema import VIEW
from grader.reports.svg import LARGEST, bounds, curve, heatmap
from grader.reports.view import StudentCriterion, StudentFinding, StudentPicture, StudentView

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&@:])")
_BACKTICKS = re.compile(r"`+")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture, ready for the page."""

    caption: str
    """What it is: yours, expected, difference."""
    name: str
    """Which output it shows."""
    lines: tuple[str, ...]
    """Names of a curve's lines; empty for a heatmap."""
    scale: str
    """What the colours stand for; empty for a curve."""
    svg: Markup
    """The picture."""


def report_html(view: StudentView, language: str, handout: str = "") -> str:
    """The report as one page that needs nothing else: no script, no font, no network.

    Args:
        view: what the student may know.
        language: "en" or "ko".
        handout: address of the hand-out, relative or http(s), that sections to read link into;
            without it they are named only.
    """
    places = {one.id: index for index, one in enumerate(view.criteria, start=1)}
    return render(
        "report.html",
        language,
        view=view,
        share=_share(view),
        next_step=next_step(view, language),
        anchors={id_: f"criterion-{index}" for id_, index in places.items()},
        titles={one.id: one.title for one in view.criteria},
        links=_links(view, handout),
        draw=lambda pictures: draw(pictures, language),
    )


def check_html(view: StudentView, language: str, calls: Mapping[str, str]) -> str:
    """A check as a piece of a notebook: a table, with what is wrong below the rows it is about.

    Args:
        view: what the student may know.
        language: "en" or "ko".
        calls: what was called in each public case.
    """
    return render(
        "check.html",
        language,
        view=view,
        calls=calls,
        next_step=next_step(view, language),
        public_share=public_share(view, language),
        titles={one.id: one.title for one in view.criteria},
        draw=lambda pictures: draw(pictures, language),
    )


def report_json(view: StudentView) -> str:
    """The report as strict JSON, as `docs/schema/grade.schema.json` describes it."""
    return VIEW.dump_json(view, indent=2).decode() + "\n"


def report_markdown(view: StudentView, language: str) -> str:
    """The report as Markdown, for a pull request, an LMS comment or a terminal."""
    head = f"# {_escaped(view.title.of(language))}"
    lines = [head, "", f"{_code(view.student)} · {_score(view, language)}", ""]
    lines += [f"> **{say('ui.next', {}, language)}**: {_escaped(next_step(view, language))}", ""]
    for criterion in view.criteria:
        lines += [*_criterion(criterion, view, language), ""]
    if view.notes:
        lines += [f"## {say('ui.notes', {}, language)}", ""]
        lines += [f"- {_sentence(phrase(note.code, note.facts, language))}" for note in view.notes]
        lines += [""]
    if view.provenance:
        made = view.provenance
        said = [isolation_statement(made.isolation, language)]
        if made.seconds:
            seconds = {"seconds": number_text(made.seconds, 3)}
            said.insert(0, f"{say('ui.graded_in', seconds, language)}.")
        lines += [_escaped(" ".join(said)), ""]
    return "\n".join(lines)


def draw(pictures: Sequence[StudentPicture], language: str) -> tuple[Drawn, ...]:
    """Pictures of one finding; what was expected and what came instead share their colours."""
    return tuple(
        _curve(picture, language)
        if picture.kind == "curve"
        else _heatmap(picture, _partners(picture, pictures), language)
        for picture in pictures
    )


def _share(view: StudentView) -> float:
    return (view.earned or 0.0) / view.possible if view.possible else 0.0


def _links(view: StudentView, handout: str) -> dict[str, str]:
    """Addresses of the sections to read; nothing but http(s) and relative ones."""
    if not handout or urlsplit(handout).scheme not in ("", "http", "https"):
        return {}
    base = handout.partition("#")[0]
    return {
        one.id: f"{base}#{quote(one.read.removeprefix('#'))}" for one in view.criteria if one.read
    }


def _partners(one: StudentPicture, pictures: Sequence[StudentPicture]) -> list[StudentPicture]:
    shared = ("picture.got", "picture.expected")
    if one.label not in shared:
        return [one]
    return [other for other in pictures if other.label in shared and other.name == one.name]


def _caption(picture: StudentPicture, language: str) -> str:
    if picture.label in catalogue():
        return say(picture.label, {}, language)
    return visible(picture.label)


def _heatmap(picture: StudentPicture, partners: Sequence[StudentPicture], language: str) -> Drawn:
    low, high = bounds(*(partner.values for partner in partners))
    rows, columns = len(picture.values), max((len(row) for row in picture.values), default=0)
    facts = {"low": number_text(low, 3), "high": number_text(high, 3)}
    scale = say("ui.picture_range", facts, language)
    if low == high:
        scale = say("ui.picture_same", {"value": number_text(low)}, language)
    if rows > LARGEST or columns > LARGEST:
        cut = {"rows": min(rows, LARGEST), "columns": min(columns, LARGEST)}
        scale = f"{scale} ({say('ui.picture_cut', cut, language)})"
    caption = _caption(picture, language)
    told = {"label": caption, "name": picture.name, "rows": rows, "columns": columns}
    text = say("ui.picture_text", told, language)
    return Drawn(caption, picture.name, (), scale, heatmap(picture.values, low, high, text))


def _curve(picture: StudentPicture, language: str) -> Drawn:
    low, high = bounds(picture.values)
    caption = _caption(picture, language)
    told = {
        "label": caption,
        "name": picture.name,
        "count": max((len(row) for row in picture.values), default=0),
        "low": number_text(low, 3),
        "high": number_text(high, 3),
    }
    text = say("ui.picture_curve", told, language)
    both = (say("ui.yours", {}, language), say("ui.expected", {}, language))
    lines = both[: len(picture.values)]
    # Samples are counted in bins, whose numbers say nothing.
    drawn = curve(picture.values, text, counted=picture.label != "picture.samples")
    return Drawn(caption, picture.name, lines, "", drawn)


def _criterion(criterion: StudentCriterion, view: StudentView, language: str) -> list[str]:
    name = verdict_name(criterion.verdict)
    earned = "?" if criterion.verdict is None else amount(criterion.earned)
    word = _escaped(verdict_word(criterion.verdict, language))
    points = f"{earned} / {amount(criterion.points)}"
    lines = [f"## {_escaped(MARKS[name])} {_escaped(criterion.title.of(language))}", ""]
    lines += [f"**{word}** · {points} {say('ui.points', {}, language)}", ""]
    if criterion.blocked_by:
        titles = {one.id: one.title.of(language) for one in view.criteria}
        title = titles.get(criterion.blocked_by, criterion.blocked_by)
        lines.append(f"- {_escaped(say('ui.blocked_by', {'title': title}, language))}")
    lines += _diagnosis(criterion, language)
    lines += [_finding(finding, language) for finding in criterion.findings]
    for line in criterion.hidden:
        tag = say("ui.hidden", {}, language)
        lines.append(f"- ({tag}) {_sentence(phrase(line.code, {}, language))}")
    if criterion.read and name != "pass":
        lines.append(f"- {say('ui.read', {}, language)}: {_code(criterion.read.removeprefix('#'))}")
    return lines if lines[-1] else lines[:-1]


def _diagnosis(criterion: StudentCriterion, language: str) -> list[str]:
    seen = criterion.diagnosis
    if seen is None:
        return []
    lines = [f"- **{_escaped(diagnosis_heading(seen, language))}**"]
    lines += [f"  - {_sentence(prose(symptom.of(language)))}" for symptom in seen.symptoms]
    ask = say("ui.ask", {}, language)
    return lines + [f"  - *{ask}* {_sentence(prose(hint.of(language)))}" for hint in seen.hints]


def _finding(finding: StudentFinding, language: str) -> str:
    places = []
    if finding.cases:
        cases = ", ".join(_code(case) for case in finding.cases)
        places.append(f"{say('ui.case', {}, language)} {cases}")
    if finding.origin:
        places.append(_escaped(where(finding.origin, language)))
    behind = f" ({'; '.join(places)})" if places else ""
    return f"- {_sentence(phrase(finding.code, finding.facts, language))}{behind}"


def _score(view: StudentView, language: str) -> str:
    status = _escaped(status_word(view.status, language))
    if view.earned is None:
        return f"**{status}**"
    facts = {"earned": amount(view.earned), "possible": amount(view.possible)}
    score = f"**{_escaped(say('ui.of_points', facts, language))}** · {status}"
    if not view.pending:
        return score
    pending = say("ui.pending", {"points": amount(view.pending)}, language)
    return f"{score} · {_escaped(pending)}"


def _sentence(pieces: Sequence[Piece]) -> str:
    return "".join(_code(piece.text) if piece.code else _escaped(piece.text) for piece in pieces)


def _escaped(text: str) -> str:
    """Text in which no character is Markdown or HTML; what is harmless in prose stays readable."""
    flat = visible(text)
    return _MARKDOWN.sub(_escape_one, flat)


def _escape_one(match: re.Match[str]) -> str:
    char = match[1]
    around = match.string[match.end() : match.end() + 1]
    harmless = char in ".-+!:()@" and (not around or around == " " or char in "()")
    if harmless or (char in ".-+" and match.start() > 0 and match.string[match.start() - 1] != " "):
        return char
    return f"\\{char}"


def _code(text: str) -> str:
    """A code span, fenced by more backticks than it holds; line breaks would end the list item."""
    flat = visible(text)
    longest = max((len(run) for run in _BACKTICKS.findall(flat)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{pad}{flat}{pad}{fence}" if flat else ""
