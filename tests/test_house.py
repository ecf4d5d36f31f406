"""The rules of the house, each with the test that enforces it."""

import ast
import dataclasses
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import grader.types as types

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "grader"
MODULES = sorted(PACKAGE.rglob("*.py"))
FLOORS: list[list[str]] = [
    floor["rooms"]
    for floor in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["house"]["floors"]
]
UNTRUSTED_NAMES = (
    *(
        "stopwatch",
        "wire",
        "values",
        "probes",
        "forms",
        "instances",
        "worker",
        "zygote",
        "lockdown",
        "namespaces",
        "landlock",
        "seccomp",
    ),
    *("calls", "callnumbers", "kernel", "waiting"),
)
UNTRUSTED = [PACKAGE / "sandbox" / f"{name}.py" for name in UNTRUSTED_NAMES]

LONG_MODULES = {
    "grader/types.py": "one sentence for every field of every value; no code to follow",
}
LONG_FUNCTIONS: dict[str, str] = {}
LAZY_IMPORTS = {
    "grader/gradebook/opening.py:_migrate": "Alembic costs 0.3 s; a gradebook is made once",
    "grader/author.py:make_notebook": "jupytext and nbformat cost 0.22 s; only release needs them",
    "grader/cli/grade.py:elsewhere": "distributed costs 0.8 s; only --scheduler needs it",
    "grader/similarity.py:_near": "rapidfuzz costs 0.02 s and comes with an extra, not with all",
    "grader/cli/check.py:_write_report": "nbconvert costs 0.9 s; only --report needs it",
}
BROAD_EXCEPTS = {
    "grader/sandbox/worker.py": "the boundary: whatever student code raises is a record",
    "grader/sandbox/zygote.py": "the boundary: a child may never return into the zygote's loop",
}


def name_of(path: Path) -> str:
    """Dotted name of a module within the package: "checks.numeric"."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__") or "__init__"


def room_of(name: str) -> str:
    """The room a module belongs to: the longest name that a floor lists."""
    rooms = [room for floor in FLOORS for room in floor]
    fitting = [room for room in rooms if name == room or name.startswith(f"{room}.")]
    return max(fitting, key=len, default="")


def floor_of(room: str) -> int:
    return next(index for index, floor in enumerate(FLOORS) if room in floor)


def imports_of(path: Path) -> Iterator[str]:
    """Names, within the package, of the modules that a module imports."""
    package = path.parent.relative_to(PACKAGE.parent).parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            names = [f"{module}.{alias.name}" for alias in node.names] + [module]
        else:
            continue
        for name in names:
            inside = name.removeprefix("grader.")
            if name.startswith("grader.") and inside in KNOWN:
                yield inside


KNOWN = {name_of(path) for path in MODULES}
GRAPH = {name_of(path): set(imports_of(path)) - {name_of(path)} for path in MODULES}


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            yield node


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_every_module_belongs_to_a_room_of_a_declared_floor() -> None:
    assert [name for name in KNOWN if name != "__init__" and not room_of(name)] == []


def test_every_declared_room_exists() -> None:
    rooms = [room for floor in FLOORS for room in floor]
    assert [room for room in rooms if not any(room_of(name) == room for name in KNOWN)] == []


@pytest.mark.parametrize("name", sorted(KNOWN - {"__init__"}))
def test_a_module_imports_only_from_floors_below_or_its_own_room(name: str) -> None:
    room = room_of(name)
    wrong = [
        other
        for other in GRAPH[name]
        if other != "__init__"
        and other.partition(".")[0] != name.partition(".")[0]
        and floor_of(room_of(other)) >= floor_of(room)
    ]
    assert wrong == []


def test_there_are_no_import_cycles() -> None:
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"cycle: {' -> '.join((*path, name))}"
        if name not in done:
            for other in GRAPH[name]:
                visit(other, (*path, name))
            done.add(name)

    for name in GRAPH:
        visit(name, ())


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_nothing_is_imported_inside_a_function(path: Path) -> None:
    lazy = [
        f"{relative(path)}:{function.name}"
        for function in functions(path)
        if any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(function))
    ]
    assert [each for each in lazy if each not in LAZY_IMPORTS] == []


@pytest.mark.parametrize("path", sorted((ROOT / "reference").glob("*.py")), ids=relative)
def test_a_reference_imports_nothing_of_ours(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"^\s*(from|import)\s+(grader|reference|rubrics|tests)\b", text, re.M)


@pytest.mark.parametrize("path", UNTRUSTED, ids=relative)
def test_the_untrusted_side_imports_only_its_own_room(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            named = [node.module] if node.module else [alias.name for alias in node.names]
            assert node.level == 1
            assert set(named) <= set(UNTRUSTED_NAMES)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            module = getattr(node, "module", None) or names[0]
            assert module.partition(".")[0] != "grader"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_no_pickle_anywhere_and_no_eval_or_exec_outside_the_worker(path: Path) -> None:
    tree = ast.parse(path.read_text())
    imported = {
        alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {
        (node.module or "").partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    }
    assert not imported & {"pickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    if path.name != "worker.py":
        assert not called & {"eval", "exec", "compile", "__import__"}
    text = path.read_text()
    assert "allow_pickle=True" not in text and "torch.load" not in text
    if "np.load(" in text:
        assert "allow_pickle=False" in text or "np.load(io.BytesIO" in text


def values() -> list[type]:
    return [
        value
        for value in vars(types).values()
        if isinstance(value, type)
        and value.__module__ == types.__name__
        and dataclasses.is_dataclass(value)
    ]


@pytest.mark.parametrize("value", values(), ids=lambda value: value.__name__)
def test_every_value_is_frozen_slotted_and_by_keyword(value: type) -> None:
    parameters = value.__dataclass_params__  # type: ignore[attr-defined]
    assert parameters.frozen
    assert parameters.slots if hasattr(parameters, "slots") else "__slots__" in vars(value)
    assert all(field.kw_only for field in dataclasses.fields(value))


def test_types_holds_no_class_that_is_neither_a_value_nor_an_enumeration() -> None:
    classes = [
        value
        for value in vars(types).values()
        if isinstance(value, type) and value.__module__ == types.__name__
    ]
    assert all(dataclasses.is_dataclass(each) or issubclass(each, str) for each in classes)


def fields_with_sentences(path: Path) -> Iterator[tuple[str, str, str]]:
    """Class, field and the sentence below it, for every annotated field of every class."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ClassDef):
            continue
        for this, following in zip(node.body, [*node.body[1:], None], strict=True):
            if not isinstance(this, ast.AnnAssign) or not isinstance(this.target, ast.Name):
                continue
            said = ""
            if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                said = str(following.value.value)
            yield node.name, this.target.id, said


@pytest.mark.parametrize(
    ("owner", "field", "sentence"), list(fields_with_sentences(PACKAGE / "types.py"))
)
def test_every_field_has_a_sentence_and_its_unit_in_its_name(
    owner: str, field: str, sentence: str
) -> None:
    assert sentence.rstrip().endswith((".", ")")), f"{owner}.{field} has no sentence"
    if re.search(r"\b(seconds|MiB|bytes|milliseconds)\b", sentence, re.I) and field != "content":
        assert re.search(r"(seconds|bytes|_mb)$", field), f"{owner}.{field} hides its unit"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_no_room_is_called_utils(path: Path) -> None:
    assert not {"utils", "util", "helpers", "common", "misc"} & set(name_of(path).split("."))


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_module_is_read_in_one_sitting(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= 400 or LONG_MODULES.get(relative(path)), f"{relative(path)}: {lines} lines"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_function_fits_on_a_page(path: Path) -> None:
    for function in functions(path):
        lines = (function.end_lineno or 0) - function.lineno + 1
        name = f"{relative(path)}:{function.name}"
        assert lines <= 60 or LONG_FUNCTIONS.get(name), f"{name}: {lines} lines"


def test_every_exception_to_a_rule_is_still_needed() -> None:
    for name in LONG_MODULES:
        assert len((ROOT / name).read_text().splitlines()) > 400
    for name in BROAD_EXCEPTS:
        assert list(broad_excepts(ROOT / name))


def broad_excepts(path: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "bare"
            if re.search(r"\b(bare|Exception|BaseException)\b", caught):
                yield node.lineno


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_only_the_boundaries_catch_everything_and_say_why(path: Path) -> None:
    lines = path.read_text().splitlines()
    for number in broad_excepts(path):
        assert relative(path) in BROAD_EXCEPTS, f"{relative(path)}:{number}"
        assert re.search(r"#.* - \w+", lines[number - 1]), f"{relative(path)}:{number}: no reason"


def refusals(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every refusal of ours that is raised with a sentence."""
    ours = {"UsageError", "CourseError", "EngineError", "WireError", "_Forged"}
    tree = ast.parse(path.read_text())
    constants = {
        target.id: ast.unparse(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            function = node.exc.func
            if isinstance(function, ast.Name) and function.id in ours and node.exc.args:
                text = ast.unparse(node.exc.args[0])
                for name, value in constants.items():
                    text = text.replace(f"{{{name}}}", value)
                yield node.lineno, text


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_refusal_says_what_was_expected(path: Path) -> None:
    for line, text in refusals(path):
        if "'" in text and len(text) > 20:
            # One that passes another refusal on, or joins several, has its sentence from them.
            passed_on = "{error}; " in text or "{error} @ " in text or ".join(" in text
            assert "expected" in text or passed_on, f"{relative(path)}:{line}: {text}"


def test_a_numeric_mismatch_says_how_much_where_and_how_much_was_allowed() -> None:
    catalogue = yaml.safe_load((PACKAGE / "reports" / "messages.yaml").read_text("utf-8"))
    for code in ("close.mismatch", "gradient.mismatch"):
        for sentence in catalogue[code].values():
            assert {"worst", "at", "allowed"} <= set(re.findall(r"\{(\w+)", sentence)), code


def public(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_everything_public_has_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), f"{relative(path)} has no docstring"
    for node in tree.body:
        if public(node):
            assert ast.get_docstring(node), f"{relative(path)}:{node.name}"  # type: ignore
            if isinstance(node, ast.ClassDef):
                for member in node.body:
                    if public(member):
                        named = f"{node.name}.{member.name}"  # type: ignore
                        assert ast.get_docstring(member), f"{relative(path)}:{named}"  # type: ignore


@pytest.mark.parametrize("path", sorted((ROOT / "reference").glob("*.py")), ids=relative)
def test_a_reference_opens_with_its_source_and_a_legend_of_shapes(path: Path) -> None:
    opening = path.read_text().partition("# %%\n")[0]
    assert re.search(r"section", opening) and "| letter | size of |" in opening
    assert "torch.nn" in opening


def test_the_hall_fits_on_eighty_lines() -> None:
    assert len((PACKAGE / "pipeline.py").read_text().splitlines()) <= 80


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=relative)
def test_a_decision_is_short(path: Path) -> None:
    assert re.match(r"\d{4}-[a-z0-9-]+\.md", path.name)
    assert len(path.read_text().splitlines()) <= 40


def test_every_module_has_its_tests() -> None:
    names = {path.stem for path in (ROOT / "tests").glob("test_*.py")}
    untested = [
        name
        for name in KNOWN
        if name not in ("__init__", "__main__")
        and not any(
            test.startswith(f"test_{'_'.join(name.split('.')[:depth])}")
            for test in names
            for depth in range(1, len(name.split(".")) + 1)
        )
    ]
    assert untested == []


def test_nothing_in_the_project_knows_the_folder_that_the_founders_share() -> None:
    tracked = [*MODULES, *(ROOT / "tests").glob("*.py"), *(ROOT / "reference").glob("*.py")]
    pattern = re.compile(r"\.\./" + "shared")
    assert [relative(path) for path in tracked if pattern.search(path.read_text())] == []
