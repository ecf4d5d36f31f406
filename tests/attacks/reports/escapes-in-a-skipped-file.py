"""A file that is skipped, and whose name clears the terminal."""

from tests.attacks.craft import RIGHT


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "work\x1b[2J\r.docx").write_text("work")
    return [folder]
