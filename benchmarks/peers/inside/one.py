"""One module and the twenty comparisons, in this process: what all but the notebooks share."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import comparisons


def namespace_of(path: Path) -> dict[str, Any]:
    """What a submitted module defines."""
    spec = importlib.util.spec_from_file_location("submission", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["submission"] = module
    spec.loader.exec_module(module)
    return vars(module)


def passed(path: Path) -> list[str]:
    """Names of the comparisons that a module passes."""
    try:
        namespace = namespace_of(path)
    except Exception:  # noqa: BLE001 - whatever a submission raises
        return []
    names = []
    for name in comparisons.QUESTIONS:
        try:
            comparisons.check(name, namespace)
        except Exception:  # noqa: BLE001 - the same
            continue
        names.append(name)
    return names
