"""The list of attacks: `catalogue.yaml` beside it, and each attack's own file."""

import ast
from dataclasses import dataclass
from pathlib import Path

import yaml

FOLDER = Path(__file__).resolve().parent
LEVELS = ("A", "B", "E")
GROUPS = (
    "reading", "escape", "writing", "signalling", "network", "exhaustion", "cheating", "archives",
    "notebooks", "reports",
)  # fmt: skip


@dataclass(frozen=True)
class Attack:
    """One attack."""

    id: str
    """Group and slug: "reading/reference-by-path"."""
    by: str
    """The baseline it is shown against, see `naive.py`: "bare", "class allclose", "hand"."""
    seen: tuple[str, ...]
    """How success is observed, see `observers.py`; any of them is a success."""
    open: str = ""
    """Levels at which it stays open, such as "E" or "BE"."""
    open_as: str = ""
    """Of those, levels at which it is open for root only ("E:root")."""
    may: str = ""
    """Levels at which it depends on the machine, such as on root's capabilities ("E:root")."""
    shown: str = "root user"
    """As whom the baseline can be shown; where it can't, the attack is not counted."""
    optional: bool = False
    """Whether this machine's kernel may lack what the baseline needs."""
    run: str = "ABE"
    """Levels at which it is run; elsewhere the baseline shows that it is open."""
    own_pids: bool = False
    """Whether the baseline needs process ids of its own, so that it hurts nobody else."""
    first: str = ""
    """Another attack's id that is graded before it: an accomplice."""
    wait: float = 0.0
    """Seconds after its end at which one looks."""
    why: str = ""
    """Why it is open."""

    @property
    def group(self) -> str:
        return self.id.partition("/")[0]

    @property
    def slug(self) -> str:
        return self.id.partition("/")[2]

    @property
    def name(self) -> str:
        """A name for folders and students."""
        return self.id.replace("/", "-")

    @property
    def file(self) -> Path:
        return FOLDER / f"{self.id}.py"

    @property
    def builds(self) -> bool:
        """Whether its file makes the submission (an archive, a notebook, a folder)."""
        return "\ndef build(" in self.file.read_text(encoding="utf-8")

    @property
    def tries(self) -> str:
        """What it tries: the first line of its docstring."""
        told = ast.get_docstring(ast.parse(self.file.read_text(encoding="utf-8"))) or ""
        return told.partition("\n")[0]

    def is_open(self, level: str, user: str) -> bool:
        """Whether it is known to succeed at a level."""
        known = level in self.open or f"{level}:{user}" in self.open_as.split()
        return known or level not in self.run

    def depends(self, level: str, user: str) -> bool:
        """Whether it succeeds at a level depends on the machine."""
        return f"{level}:{user}" in self.may.split()


def attacks() -> tuple[Attack, ...]:
    """All of them, in the catalogue's order."""
    listed = yaml.safe_load((FOLDER / "catalogue.yaml").read_text(encoding="utf-8"))
    return tuple(
        Attack(
            **{
                **{"id" if key == "attack" else key: value for key, value in each.items()},
                "seen": tuple(part.strip() for part in each["seen"].split(";")),
            }
        )
        for each in listed
    )
