"""Whatever students hand in as a file: encodings, line ends, notebook formats, broken cells."""

import json

import nbformat
import pytest

from grader.errors import SubmissionError
from grader.load import load, load_cells
from grader.types import Loaded, Note, Origin, Submission, SubmittedFile

DEFINITION = "def attention(q):\n    return q * 2\n"


def read(name: str, content: bytes | str) -> Loaded:
    raw = content.encode() if isinstance(content, str) else content
    file = SubmittedFile(name=name, content=raw)
    submission = Submission(student="kim", assignment="mha", path="in/kim", files=(file,))
    return load(submission, ("attention",))


def module(content: bytes | str) -> Loaded:
    return read("mha.py", content)


def notebook(*cells: str | list[str], **changes: object) -> Loaded:
    document: dict[str, object] = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [{"cell_type": "code", "source": x, "metadata": {}, "outputs": []} for x in cells],
    }
    return read("mha.ipynb", json.dumps(document | changes))


def refusal(name: str, content: bytes | str) -> SubmissionError:
    with pytest.raises(SubmissionError) as caught:
        read(name, content)
    return caught.value


def notes(loaded: Loaded, code: str) -> list[Note]:
    return [note for note in loaded.notes if note.code == code]


def value(loaded: Loaded) -> object:
    names: dict[str, object] = {}
    exec(compile(loaded.source, "loaded", "exec"), names)
    return names["attention"](21)  # type: ignore[operator]


def test_a_plain_module_is_loaded_as_it_is() -> None:
    loaded = module(DEFINITION)
    assert loaded.source == DEFINITION
    assert loaded.notes == ()
    assert loaded.file == "mha.py"
    assert loaded.origins[0] == Origin(file="mha.py", line=1)


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_of_other_systems_make_no_difference(end: str) -> None:
    assert module(DEFINITION.replace("\n", end)).source == DEFINITION


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_with_or_without_a_byte_order_mark_is_read(encoding: str) -> None:
    for name, text in (("mha.py", DEFINITION), ("mha.ipynb", json.dumps(as_v4(DEFINITION)))):
        if encoding.endswith(("le", "be")) and name == "mha.ipynb":
            continue
        assert value(read(name, text.encode(encoding))) == 42


def as_v4(source: str) -> dict[str, object]:
    return {"cells": [{"cell_type": "code", "source": source}]}


def test_a_declared_encoding_is_respected() -> None:
    text = '# -*- coding: cp949 -*-\ndef attention(q):\n    return "질의"\n'
    loaded = module(text.encode("cp949"))
    assert value(loaded) == "질의"
    assert not notes(loaded, "load.encoding")


@pytest.mark.parametrize("declared", ["punycode", "zlib", "no-such-codec", "../evil", "utf-8"])
def test_a_wrong_or_strange_declaration_falls_back(declared: str) -> None:
    text = f"# coding: {declared}\n# caf\xe9\n{DEFINITION}"
    loaded = module(text.encode("latin-1"))
    assert value(loaded) == 42
    assert notes(loaded, "load.encoding")[0].facts == {"file": "mha.py", "encoding": "latin-1"}


def test_latin_1_without_a_declaration_is_read_with_a_note() -> None:
    loaded = read("mha.ipynb", json.dumps(as_v4(DEFINITION)).encode() + b"\n")
    assert not notes(loaded, "load.encoding")
    raw = json.dumps(as_v4("# caf\xe9\n" + DEFINITION), ensure_ascii=False).encode("latin-1")
    assert notes(read("mha.ipynb", raw), "load.encoding")


def test_halves_of_surrogate_pairs_do_no_harm() -> None:
    raw = json.dumps(as_v4("s = '@'\ndef attention(q): return 42")).replace("@", "\\ud800")
    assert "ud800" in raw
    assert value(read("mha.ipynb", raw)) == 42


def test_what_nbformat_writes_is_read() -> None:
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_markdown_cell("# Hi"), nbformat.v4.new_code_cell(DEFINITION)]
    loaded = read("mha.ipynb", nbformat.writes(book))
    assert value(loaded) == 42
    assert loaded.origins[0] == Origin(file="mha.ipynb", line=1, cell=1)


def test_worksheets_of_nbformat_3_are_read() -> None:
    cells = [{"cell_type": "code", "input": [DEFINITION], "language": "python", "outputs": []}]
    assert (
        value(read("mha.ipynb", json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]})))
        == 42
    )


def test_colab_metadata_duplicate_ids_and_missing_kernels_do_not_matter() -> None:
    cell = {"cell_type": "code", "id": "same", "source": DEFINITION, "metadata": {"id": "x"}}
    picture = {"output_type": "display_data", "data": {"image/png": "A" * 1000}}
    book = {
        "nbformat": 4,
        "nbformat_minor": 99,
        "metadata": {"colab": {"provenance": []}, "accelerator": "GPU"},
        "cells": [cell | {"outputs": [picture]}, cell | {"outputs": 7}, 3, None, {"source": 1}],
    }
    assert value(read("mha.ipynb", json.dumps(book))) == 42


def test_a_source_may_be_a_string_or_lines_with_or_without_ends() -> None:
    lines = ["def attention(q):", "    return q * 2"]
    assert value(notebook([lines[0] + "\n", lines[1]])) == 42
    assert value(notebook(lines)) == 42
    assert value(notebook("\r\n".join(lines))) == 42


def test_only_code_cells_are_counted() -> None:
    text = {"cell_type": "markdown", "source": "words"}
    code = {"cell_type": "code", "source": "import math"}
    book = {"cells": [text, code, text, {"cell_type": "code", "source": DEFINITION}]}
    loaded = read("mha.ipynb", json.dumps(book))
    assert loaded.origins[1] == Origin(file="mha.ipynb", line=1, cell=2)


@pytest.mark.parametrize("content", ["", "print(1)", "{", "[" * 99_999, "9" * 9_999])
def test_text_that_is_no_json_is_no_notebook(content: str) -> None:
    error = refusal("mha.ipynb", content)
    assert error.code == "load.not_a_notebook"
    assert error.facts["file"] == "mha.ipynb"


@pytest.mark.parametrize("content", ["[]", "{}", "3", '{"cells": 1}', '{"worksheets": {}}'])
def test_json_without_cells_is_no_notebook(content: str) -> None:
    assert refusal("mha.ipynb", content).facts["reason"] == "cells"


@pytest.mark.parametrize("content", ["", "\n \n", "# only words\n", "\ufeff"])
def test_a_module_without_code_is_empty(content: str) -> None:
    assert refusal("mha.py", content).code == "load.empty"


@pytest.mark.parametrize("source", ["", "# words", "%matplotlib inline", "%%bash\nls"])
def test_a_notebook_without_code_is_empty(source: str) -> None:
    assert refusal("mha.ipynb", json.dumps(as_v4(source))).code == "load.empty"
    assert refusal("mha.ipynb", '{"cells": []}').code == "load.empty"


def test_too_much_is_refused() -> None:
    assert refusal("mha.py", b"#" * 5_000_001).facts["what"] == "file"
    assert refusal("mha.py", b"#" * 500_001).facts["what"] == "code"
    assert refusal("mha.py", "a\n" * 20_001).facts["what"] == "statements"
    assert refusal("mha.ipynb", b"[" + b"[]," * 2_000_000).code == "load.too_large"


def test_a_notebook_may_be_large_by_its_pictures() -> None:
    picture = {"data": {"image/png": "A" * 7_000_000}}
    cell = {"cell_type": "code", "source": DEFINITION, "outputs": [picture]}
    assert value(read("mha.ipynb", json.dumps({"cells": [cell]}))) == 42


def test_a_syntax_error_in_a_module_says_where() -> None:
    error = refusal("mha.py", "import math\n\ndef attention(q)\n    return q\n")
    assert error.code == "load.syntax"
    assert error.facts == {
        "file": "mha.py",
        "line": 3,
        "cell": None,
        "text": "def attention(q)",
        "reason": "expected ':'",
    }


def test_a_broken_cell_of_a_percent_module_drops_alone() -> None:
    text = f"# %% [markdown]\n# words\n\n# %%\ndef half(:\n    pass\n\n# %%\n{DEFINITION}"
    loaded = module(text)
    assert value(loaded) == 42
    (note,) = notes(loaded, "load.cell_syntax")
    assert note.origin == Origin(file="mha.py", line=5)
    assert note.facts["line"] == 5
    assert note.facts["text"] == "def half(:"
    assert note.facts["defines"] == ["half"]
    assert loaded.origins[loaded.source.split("\n").index("def attention(q):")].line == 9


def test_a_broken_cell_of_a_notebook_drops_alone() -> None:
    loaded = notebook("x = (1,\n", DEFINITION, "for i in range(3)\n    print(i)")
    assert value(loaded) == 42
    assert [note.origin for note in notes(loaded, "load.cell_syntax")] == [
        Origin(file="mha.ipynb", line=1, cell=1),
        Origin(file="mha.ipynb", line=1, cell=3),
    ]


def test_nothing_but_broken_cells_is_a_syntax_error() -> None:
    assert refusal("mha.ipynb", json.dumps(as_v4("def f(:"))).facts["cell"] == 1


@pytest.mark.parametrize(
    "body", ["(" * 500, "-" * 50_000 + "1", "1+" * 50_000 + "1", "\0", "9" * 5000]
)
def test_text_that_python_cannot_take_drops_alone(body: str) -> None:
    loaded = notebook("x = " + body, DEFINITION)
    assert value(loaded) == 42
    assert len(notes(loaded, "load.cell_syntax")) == 1


def test_what_parses_and_does_not_compile_drops_alone() -> None:
    loaded = notebook("def attention(q, q): pass", "def other(): pass")
    (note,) = notes(loaded, "load.cell_syntax")
    assert "duplicate argument" in note.facts["reason"]
    assert note.facts["defines"] == ["attention"]


MAGICS = [
    "!pip install torch",
    "%matplotlib inline",
    "  %matplotlib inline\n  x = 1",
    "?print",
    "print?",
    "torch.nn.Linear??",
    "files = !ls *.py",
    "t = %timeit -o 1",
    "a, b = !ls",
    "!pip install \\\n  torch \\\n  numpy",
    "%time x = 3",
    "if True:\n    !pip install d2l",
    "%cd /tmp\nx = (5\n% 3)",
    '%pylab\nx = """\n%not a magic\n!nor this\n"""',
    "%load_ext x\ns = 'it''s # \"no\" comment'\ny = \"'''\"",
]


@pytest.mark.parametrize("magic", MAGICS)
def test_ipython_lines_are_taken_out(magic: str) -> None:
    loaded = notebook(magic + "\n" + DEFINITION if magic[0] != " " else magic, DEFINITION)
    assert value(loaded) == 42
    assert not notes(loaded, "load.cell_syntax")
    assert "magics" in notes(loaded, "load.dropped")[0].facts["kinds"]


def test_a_magic_inside_a_string_stays() -> None:
    text = '%time\ndef attention(q):\n    return """\n%matplotlib\n!ls"""\n'
    assert value(notebook(text)) == "\n%matplotlib\n!ls"


@pytest.mark.parametrize("magic", ["%%time", "%%timeit -n 3", "%%capture out", "\n%%prun"])
def test_a_cell_that_is_only_measured_stays(magic: str) -> None:
    loaded = notebook(f"{magic}\n{DEFINITION}")
    assert value(loaded) == 42
    assert loaded.origins[loaded.source.split("\n").index("def attention(q):")].line >= 2


@pytest.mark.parametrize("magic", ["%%bash", "%%writefile x.py", "%%html", "%%", "# why\n%%sh"])
def test_a_cell_in_another_language_drops_whole(magic: str) -> None:
    loaded = notebook(DEFINITION, f"{magic}\ndef attention(q):\n    return 0\n")
    assert value(loaded) == 42
    assert notes(loaded, "load.dropped")[0].facts == {"count": 1, "kinds": ["magics"]}


def test_cells_of_a_live_kernel_go_the_same_way() -> None:
    loaded = load_cells(["!ls", "k = 2", "def attention(q): return q * k", "k = 3"], ("attention",))
    assert value(loaded) == 63
    assert loaded.origins[-1] == Origin(file="notebook", line=1, cell=4)


def test_invalid_escapes_warn_nobody(recwarn: pytest.WarningsRecorder) -> None:
    assert value(module('PATTERN = "\\d"\n' + DEFINITION)) == 42
    assert not recwarn.list
