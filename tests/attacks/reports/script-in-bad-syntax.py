"""A syntax error in a line that is a script."""

from tests.attacks.craft import RIGHT, WRONG


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.py").write_text("<script>marks = 6</script>\n" + WRONG)
    return [folder]
