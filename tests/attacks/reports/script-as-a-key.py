"""Returns a mapping whose key is a script."""

from tests.attacks.craft import RIGHT


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.py").write_text(RIGHT.replace("return x + x", "return {'<script>marks = 6</script>': x}"))
    return [folder]
