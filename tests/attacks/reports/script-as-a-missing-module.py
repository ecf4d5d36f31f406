"""Says that a module is missing whose name is a script."""

from tests.attacks.craft import RIGHT


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.py").write_text(RIGHT.replace("return x + x", "raise ModuleNotFoundError('<script>1</script>', name='<script>1</script>')"))
    return [folder]
