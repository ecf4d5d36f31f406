"""A folder with a link to a file of the instructor's in place of the module."""

from tests.attacks.craft import RIGHT


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve").mkdir()
    (folder / "eve" / "tiny.py").symlink_to(scene.folder / "home" / "notes.txt")
    return [folder]
