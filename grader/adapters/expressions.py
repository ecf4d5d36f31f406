"""Small sums over hyper-parameters, such as "d_model // n_heads"; nothing else is evaluated."""

import ast
import operator
from collections.abc import Mapping
from typing import Any

from grader.errors import CourseError

OPERATORS: Mapping[type, Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
}


def value(written: Any, names: Mapping[str, Any], where: str) -> Any:
    """The value of an expression over names; anything but a text is its own value.

    Raises:
        CourseError: it is no such expression, or has a name that is not known.
    """
    if isinstance(written, list | tuple):
        return [value(each, names, where) for each in written]
    if not isinstance(written, str):
        return written
    try:
        return _value(ast.parse(written.strip(), mode="eval").body, names)
    except (SyntaxError, TypeError, ZeroDivisionError) as error:
        raise CourseError(
            f"expected numbers, names, 'texts', +, -, * and //, got {written!r} ({error}) @ {where}"
        ) from error
    except KeyError as error:
        known = ", ".join(names) or "none"
        raise CourseError(
            f"expected a constructor argument of ours among {known}, got {error.args[0]!r}; one "
            f"that cases leave out needs its value in `defaults` @ {where}"
        ) from error


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return OPERATORS[type(node.op)](_value(node.left, names), _value(node.right, names))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, names)
    raise TypeError(f"not {ast.unparse(node)}")


def names_in(written: Any) -> set[str]:
    """Names that an expression is over."""
    if isinstance(written, list | tuple):
        return {name for each in written for name in names_in(each)}
    if not isinstance(written, str):
        return set()
    try:
        tree = ast.parse(written.strip(), mode="eval")
    except SyntaxError:
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
