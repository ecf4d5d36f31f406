"""A name that reads backwards, as another's."""

from tests.attacks.craft import WRONG


def build(folder, scene):
    (folder / "\u202eada").mkdir()
    (folder / "\u202eada" / "tiny.py").write_text(WRONG)
    return [folder]
