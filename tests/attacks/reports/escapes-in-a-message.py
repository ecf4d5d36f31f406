"""An exception whose message clears the terminal."""

from tests.attacks.craft import RIGHT


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.py").write_text(RIGHT.replace("return x + x", "raise ValueError('\\x1b[2J\\x1b[31mall passed')"))
    return [folder]
