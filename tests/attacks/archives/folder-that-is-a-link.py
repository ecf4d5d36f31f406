"""A submission that is a link to somebody else's folder."""

from tests.attacks.craft import RIGHT


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (scene.folder / "mine" / "other").mkdir()
    (scene.folder / "mine" / "other" / "tiny.py").write_text(RIGHT)
    (folder / "eve").symlink_to(scene.folder / "mine" / "other")
    return [folder]
