"""The Jinja environment of the HTML pages: autoescape on, undefined names refused, cached."""

from __future__ import annotations

import base64
import hashlib
from functools import cache, lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from grader.reports.legible import number_text, visible
from grader.reports.messages import LANGUAGES, phrase, prose, say
from grader.reports.phrasing import (
    VERDICT_NAMES,
    amount,
    diagnosis_heading,
    isolation_statement,
    status_word,
    verdict_name,
    verdict_word,
    where,
)
from grader.reports.svg import bar, icon, icon_masks

_TEMPLATES = Path(__file__).with_name("templates")


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The environment; templates are compiled once in a process."""
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(
        amount=amount,
        bar=bar,
        diagnosis_heading=diagnosis_heading,
        icon=icon,
        icon_masks=icon_masks,
        isolation_statement=isolation_statement,
        number_text=number_text,
        phrase=phrase,
        prose=prose,
        script=script,
        script_hash=script_hash,
        status_word=status_word,
        verdict_name=verdict_name,
        verdict_names=VERDICT_NAMES,
        verdict_word=verdict_word,
        visible=visible,
        where=where,
    )
    return made


@cache
def script(name: str) -> Markup:
    """A script of ours, as it stands in the page."""
    return Markup((_TEMPLATES / name).read_text(encoding="utf-8"))


@cache
def script_hash(name: str) -> str:
    """What the page's Content-Security-Policy calls that script; no other runs."""
    digest = hashlib.sha256(script(name).encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def render(template: str, language: str, **values: object) -> str:
    """A page in `language`, from a template in `templates/` and what it shows."""
    spoken = language if language in LANGUAGES else LANGUAGES[0]

    def ui(code: str, **facts: object) -> str:
        return say(f"ui.{code}", facts, spoken)

    return environment().get_template(template).render(language=spoken, ui=ui, **values)
