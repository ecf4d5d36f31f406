"""What patched references answered in an audit: each is run once, and told from all the others.

Of pairs nothing is known here: there are thousands of them, and a class makes a few.
"""

from grader.fingerprints import Fingerprint, Key, fingerprint
from grader.mistakes import FromReference, Ids, NoMistakes, NotKept, Prints
from grader.pipeline import Answers
from grader.types import Trial


class Ran(NotKept):
    """Answers by patches, and as a store of their fingerprints."""

    def __init__(self) -> None:
        """Nothing has been run yet."""
        self.all: dict[Ids, Answers] = {}
        self._prints: dict[Ids, dict[Key, Fingerprint]] = {}

    def add(self, ids: Ids, trials: tuple[Trial, ...], answers: Answers) -> None:
        """Keeps what was answered under some patches, to the plan and to what was asked then.

        Under none of them first: what is the same object there need not be looked at again.
        """
        self.all[ids] = answers
        right, known = self.all[()], self._prints.get((), {})
        keys = [(trial.case, trial.variant) for trial in trials if trial.probe != "describe"]
        self._prints[ids] = {
            key: known[key]
            if key in known and answers[key] is right[key]
            else fingerprint(answers[key])
            for key in keys
        }

    def get(self, ids: Ids) -> dict[Key, Fingerprint] | None:
        """What was seen."""
        return self._prints.get(ids)


class Singles(NoMistakes):
    """Known mistakes one at a time.

    What rests on one is taken to be paid: whether it would have to wait takes a pair to say.
    """

    def __init__(self, mistakes: FromReference):
        """Those of an assignment."""
        self._mistakes = mistakes
        self.ids, self.right = mistakes.ids, mistakes.right

    def prints(self, ids: Ids) -> Prints | None:
        """What the reference with one patch answers."""
        return self._mistakes.prints(ids) if len(ids) == 1 else None

    def noticed(self, ids: Ids, entry: str) -> bool:
        """Taken for granted."""
        return True
