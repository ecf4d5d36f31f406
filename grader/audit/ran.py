"""What patched references answered in an audit: each is run once, and told from all the others."""

from grader.errors import EngineError
from grader.fingerprints import Fingerprint, Key, fingerprints
from grader.mistakes import Ids, NotKept
from grader.pipeline import Answers
from grader.types import Outcome, Trial


class Ran(NotKept):
    """Answers by patch, and as a store of their fingerprints."""

    def __init__(self) -> None:
        """Nothing has been run yet."""
        self.all: dict[str, Answers] = {}
        self._prints: dict[Ids, dict[Key, Fingerprint]] = {}

    def add(self, name: str, trials: tuple[Trial, ...], answers: Answers) -> None:
        """Keeps what one patch answered.

        Raises:
            EngineError: it could not be run.
        """
        if any(output.outcome is Outcome.BROKEN for output in answers.values()):
            raise EngineError(f"expected the reference with {name} to run, got a fault of ours")
        self.all[name] = answers
        compared = tuple(trial for trial in trials if trial.probe != "describe")
        self._prints[(name,)] = fingerprints(answers, compared)

    def get(self, ids: Ids) -> dict[Key, Fingerprint] | None:
        """What was seen."""
        return self._prints.get(ids)
