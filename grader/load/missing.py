"""A module that is not installed, in name only: what does not use it still runs.

One import at the top of a notebook would else cost every entry, whichever of them needs it.
"""

from collections.abc import Iterable

from grader.types import Note

STAND_IN = '''
__path__ = []

class _Missing:
    """Refuses whatever is done with it, by the name of the module that is not there."""

    def _refuse(self, *args, **kwargs):
        raise ModuleNotFoundError(f"No module named {NAME!r}", name=NAME)

    __call__ = __iter__ = __getitem__ = __enter__ = __mro_entries__ = __bool__ = __len__ = _refuse

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return _Missing()
'''


def stand_ins(notes: Iterable[Note]) -> dict[str, str]:
    """Source by name of every module that a note says is missing, and of its packages."""
    sources = {}
    for note in notes:
        if note.code == "load.missing_module":
            name = str(note.facts["module"])
            parts = name.split(".")
            for depth in range(1, len(parts) + 1):
                sources[".".join(parts[:depth])] = f"NAME = {parts[0]!r}\n{STAND_IN}"
    return sources
