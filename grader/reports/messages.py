"""The message catalogue: from a code and its facts to a sentence, in English or Korean.

Templates name facts in braces. Nothing but a fact's name and one of a few kinds may stand there,
so that a fact, whatever it holds, is only ever text: no attributes, no indexing, no format.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from grader.reports.legible import (
    DIGITS,
    number_text,
    position_text,
    shape_text,
    telling_digits,
    visible,
)
from grader.types import Facts, Text

LANGUAGES: Final = ("en", "ko")
"""Languages of the catalogue; the first is the one that others fall back to."""

NEUTRAL: Final = "ui.neutral"
"""What is said where the catalogue has no sentence."""

_FILE = Path(__file__).with_name("messages.yaml")
_FACT = re.compile(r"\{([a-z_]+)(?::([a-z]+))?\}")
_OPTIONAL = re.compile(r"\[\[(.*?)\]\]")
# The C parser reads the catalogue in a tenth of the time; not every PyYAML is built with it.
_YamlLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class CatalogueWarning(UserWarning):
    """A sentence could not be made: our fault, said once, and an error under test."""


class CatalogueError(LookupError):
    """A code is not in the catalogue, or its sentence names a fact that was not given."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a sentence."""

    text: str
    """What it says."""
    code: bool
    """Whether it is set as code."""


@lru_cache(maxsize=1)
def catalogue() -> Mapping[str, Text]:
    """Every sentence template by its code."""
    raw = yaml.load(_FILE.read_text(encoding="utf-8"), Loader=_YamlLoader)
    return {code: Text(**templates) for code, templates in raw.items()}


@cache
def placeholders(code: str, language: str, *, optional: bool = False) -> frozenset[str]:
    """Names of the facts that the sentence of `code` needs, or may have."""
    template = _template(code, language)
    named = template if optional else _OPTIONAL.sub("", template)
    return frozenset(match[1] for match in _FACT.finditer(named))


def say(code: str, facts: Facts, language: str) -> str:
    """The sentence of `code` in `language`, as plain text on one or more lines.

    An unknown code or a missing fact gives a neutral sentence and a `CatalogueWarning`.
    """
    return "".join(piece.text for piece in phrase(code, facts, language))


def said(code: str, facts: Facts) -> Text:
    """The sentence of `code` in every language."""
    return Text(**{language: say(code, facts, language) for language in LANGUAGES})


def phrase(code: str, facts: Facts, language: str) -> tuple[Piece, ...]:
    """As `say`, but in pieces, so that a page can set names and values as code."""
    try:
        return fill(code, facts, language)
    except CatalogueError as error:
        warnings.warn(str(error), CatalogueWarning, stacklevel=2)
        return fill(NEUTRAL, {}, language)


def prose(text: str) -> tuple[Piece, ...]:
    """A sentence of a rubric in pieces: what stands between backticks is set as code there too."""
    parts = enumerate(text.split("`"))
    return tuple(Piece(part, code=index % 2 == 1) for index, part in parts if part)


def fill(code: str, facts: Facts, language: str) -> tuple[Piece, ...]:
    """As `phrase`, but strict.

    Raises:
        CatalogueError: the code is unknown, or a fact that the sentence names is missing.
    """
    missing = placeholders(code, language) - facts.keys()
    if missing:
        raise CatalogueError(f"{code}: expected the facts {sorted(missing)}, got {sorted(facts)}")
    digits = telling_digits(facts.get("expected"), facts.get("got"))
    pieces = []
    for index, part in enumerate(_fitted(code, facts, language).split("`")):
        text = _FACT.sub(
            lambda match: _fact(facts[match[1]], match[2] or "", language, digits), part
        )
        pieces.append(Piece(text, code=index % 2 == 1))
    return tuple(piece for piece in _without_dangling_colon(pieces) if piece.text)


def _fitted(code: str, facts: Facts, language: str) -> str:
    """The template, with its optional stretches where all their facts are there."""

    def kept(match: re.Match[str]) -> str:
        named = [fact[1] for fact in _FACT.finditer(match[1])]
        given = all(facts.get(name) not in (None, "", [], ()) for name in named)
        return match[1] if given else ""

    return _OPTIONAL.sub(kept, _template(code, language))


def _without_dangling_colon(pieces: list[Piece]) -> list[Piece]:
    """An exception without a message leaves "...stopped with ValueError: ", and nothing after."""
    said_parts = [piece for piece in pieces if piece.text]
    if said_parts and not said_parts[-1].code and said_parts[-1].text.endswith(": "):
        said_parts[-1] = Piece(said_parts[-1].text[:-2] + ".", code=False)
    return said_parts


def _template(code: str, language: str) -> str:
    templates = catalogue().get(code)
    if templates is None:
        raise CatalogueError(f"{code!r} is not in {_FILE.name}")
    return templates.of(language)


def _fact(value: Any, kind: str, language: str, digits: int = DIGITS) -> str:
    """A fact as text; `kind` says what a list or a number stands for."""
    if value is None or (isinstance(value, list | tuple) and not value and not kind):
        return catalogue()["ui.none"].of(language)
    if kind == "line" and isinstance(value, int):
        return catalogue()["ui.line"].of(language).replace("{line}", str(value))
    if kind == "kinds" and isinstance(value, list | tuple):
        return ", ".join(_kind(str(one), language) for one in value)
    if isinstance(value, list | tuple):
        return _list(value, kind)
    if isinstance(value, int | float):
        return number_text(value, digits)
    if isinstance(value, Mapping) and set(value) == set(LANGUAGES):
        return visible(str(value[language]), lines=True)
    if isinstance(value, Mapping):
        pairs = (f"{visible(str(key))}={_fact(one, '', language)}" for key, one in value.items())
        return ", ".join(pairs)
    return visible(str(value), lines=True)


def _kind(name: str, language: str) -> str:
    text = catalogue().get(f"ui.kind.{name}")
    return text.of(language) if text else visible(name)


def _list(values: list[Any] | tuple[Any, ...], kind: str) -> str:
    if kind == "position":
        return position_text(values)
    if kind == "shape" or all(isinstance(value, int) for value in values):
        return shape_text(values)
    return ", ".join(
        number_text(value) if isinstance(value, int | float) else visible(str(value))
        for value in values
    )
