"""An automatic grader for sequence-model assignments.

In a notebook, `grader.check("lstm")` checks what the running kernel has executed.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_IN_NOTEBOOKS = ("check", "fetch")


def __getattr__(name: str) -> Any:
    """What a notebook calls, imported when it is: every command and every pytest passes here."""
    if name in _IN_NOTEBOOKS:
        random = importlib.import_module("random")
        state = random.getstate()
        try:
            return getattr(importlib.import_module("grader.notebook"), name)
        finally:
            random.setstate(state)  # rich draws numbers as it is imported; a kernel's are its own
    raise AttributeError(f"module 'grader' has no attribute {name!r}")
