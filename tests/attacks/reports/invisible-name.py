"""A name that looks like another's and holds an invisible character."""

from tests.attacks.craft import WRONG


def build(folder, scene):
    (folder / "ada\u200b").mkdir()
    (folder / "ada\u200b" / "tiny.py").write_text(WRONG)
    return [folder]
