"""What holds for every input: no surprise exception, and slicing changes no value."""

import json
import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.errors import SubmissionError
from grader.load import load
from grader.load.ipython import python_only
from grader.types import Loaded, Submission, SubmittedFile

LENIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = ("a", "b", "c", "d")


def read(name: str, content: bytes, *entries: str) -> Loaded:
    file = SubmittedFile(name=name, content=content)
    return load(
        Submission(student="kim", assignment="mha", path="in/kim", files=(file,)), entries or NAMES
    )


def never_surprises(name: str, content: bytes) -> None:
    try:
        loaded = read(name, content)
    except SubmissionError as error:
        assert error.code.startswith("load.")
    else:
        assert len(loaded.origins) == loaded.source.count("\n")
        json.dumps([dict(note.facts) for note in loaded.notes])


FRAGMENTS = st.sampled_from(
    ["a", "b = ", "def a(", "):", "\n", "\n    ", "%", "%%bash\n", "!", "?", "'''", '"', "\\", "#",
     "# %%\n", ";", "import ", "from . import *", "x as y", "(", ")", "[", "]", "class b:", "\r",
     "if __name__ == '__main__':", "lambda: ", ":=", "1", "'cuda'", ".float()", "@", "\f", "\t",
     "\0", "\u00e9", "\u2028", "global a", "return", "await ", "async ", "match a:", "case b:",
     "*", "f'{", "}'", "del ", "# coding: cp949\n", "\ufeff", "e\u0301", ".cuda()",
     "from __future__ import annotations"]
)  # fmt: skip


@LENIENT
@given(st.binary(max_size=300))
def test_arbitrary_bytes_load_or_are_refused(content: bytes) -> None:
    never_surprises("mha.py", content)
    never_surprises("mha.ipynb", content)


@LENIENT
@given(st.lists(FRAGMENTS, max_size=40).map("".join), st.sampled_from(["utf-8", "utf-16", "cp949"]))
def test_scraps_of_python_load_or_are_refused(text: str, encoding: str) -> None:
    never_surprises("mha.py", text.encode(encoding, "replace"))
    book = {"cells": [{"cell_type": "code", "source": text.splitlines(keepends=True)}]}
    never_surprises("mha.ipynb", json.dumps(book).encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["cells", "worksheets", "source", "input", "cell_type", "x"]), inner
        )
    ),
    max_leaves=12,
)


@LENIENT
@given(JSON)
def test_arbitrary_json_loads_or_is_refused(document: object) -> None:
    never_surprises("mha.ipynb", json.dumps(document).encode())
    never_surprises("mha.ipynb", json.dumps({"cells": document}).encode())
    cell = {"cell_type": "code", "source": document}
    never_surprises("mha.ipynb", json.dumps({"cells": [cell, {"cell_type": document}]}).encode())


@LENIENT
@given(st.lists(FRAGMENTS, max_size=40).map("".join))
def test_taking_out_magics_keeps_the_number_of_lines(text: str) -> None:
    assert python_only(text)[0].count("\n") == text.count("\n")


def shadowing(text: str, local: str) -> str:
    """`text` with `local` replaced: a function can't read its own local before it binds it."""
    return re.sub(rf"\b{local}\b", "e", text)


name = st.sampled_from(NAMES)
number = st.integers(0, 9).map(str)
term = st.one_of(number, name.map(lambda x: f"val({x})"))
expression = st.one_of(
    term,
    st.tuples(term, term).map(" + ".join),
    st.tuples(name, name, term).map(lambda x: f"sum([val({x[0]}) for {x[1]} in range({x[2]})])"),
    st.tuples(term, name).map(lambda x: f"(lambda {x[1]}: {x[0]})(3)"),
)
statement = st.one_of(
    st.tuples(name, expression).map(lambda x: f"{x[0]} = {x[1]}"),
    st.tuples(name, name, expression).map(lambda x: f"{x[0]}, {x[1]} = {x[2]}, 5"),
    st.tuples(name, expression).map(lambda x: f"{x[0]} = val({x[0]}) + {x[1]}"),
    st.tuples(name, expression).map(lambda x: f"def {x[0]}(): return {x[1]}"),
    st.tuples(name, name, expression).map(lambda x: f"def {x[0]}({x[1]}={x[2]}): return {x[1]}"),
    st.tuples(name, expression, name).map(
        lambda x: f"def {x[0]}():\n    {x[2]} = {shadowing(x[1], x[2])}\n    return {x[2]}"
    ),
    st.tuples(name, expression).map(lambda x: f"class {x[0]}:\n    v = {x[1]}"),
    st.tuples(name, expression).map(
        lambda x: f"class {x[0]}:\n    def __new__(cls): return {x[1]}"
    ),
    st.tuples(name, name, expression, expression).map(
        lambda x: f"if {x[2]} > 4:\n    {x[0]} = {x[3]}\nelse:\n    {x[1]} = 2"
    ),
    st.tuples(name, expression, name).map(
        lambda x: f"for {x[0]} in range(3):\n    {x[2]} = {x[1]}"
    ),
    st.tuples(name, expression).map(lambda x: f"print(({x[0]} := {x[1]}))"),
    st.tuples(name, expression).map(
        lambda x: f"try:\n    {x[0]} = {x[1]}\nexcept KeyError:\n    pass"
    ),
    expression.map(lambda x: f"print({x})"),
    st.tuples(name, number).map(lambda x: f"{x[0]} = val({x[0]})\n{x[0]} += {x[1]}"),
    st.tuples(name, expression).map(lambda x: f"if type({x[0]}) is type: {x[0]}.v = {x[1]}"),
    st.tuples(name, number).map(lambda x: f"{x[0]} = []\n{x[0]}.append({x[1]})"),
    st.tuples(expression, name).map(lambda x: f"{x[1]} = 1; print({x[0]}); e = {x[0]}"),
)
VALUE = """
def val(x, depth=[0]):
    depth[0] += 1
    try:
        if depth[0] > 4:
            return 1
        if isinstance(x, type):
            return x.v if hasattr(x, "v") else val(x())
        return val(x()) if callable(x) else x
    finally:
        depth[0] -= 1
e = 7
"""


def value(source: str, wanted: str) -> object:
    names: dict[str, object] = {"print": lambda *_: None, "__name__": "loaded"}
    exec(compile(source, "program", "exec"), names)
    return eval(f"val({wanted})", names)


@settings(deadline=None, max_examples=400, suppress_health_check=list(HealthCheck))
@given(st.lists(statement, min_size=1, max_size=9), name)
def test_the_slice_gives_the_wanted_name_the_value_it_has_in_the_whole(
    statements: list[str], wanted: str
) -> None:
    start = [f"{x} = {i}" for i, x in enumerate(NAMES)]
    program = "\n".join([VALUE, *start, *statements, ""])
    try:
        whole = value(program, wanted)
    except (RecursionError, NameError, TypeError):
        return
    sliced = read("mha.py", program.encode(), wanted, "val").source
    assert value(sliced, wanted) == whole
