"""An exception whose message is a script."""

from tests.attacks.craft import RIGHT


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.py").write_text(RIGHT.replace("return x + x", "raise ValueError('<script>marks = 6</script>')"))
    return [folder]
