"""An exception whose type has a script for a name."""

from tests.attacks.craft import RIGHT


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.py").write_text(RIGHT.replace("return x + x", "raise type('<script>marks = 6</script>', (Exception,), {})('x')"))
    return [folder]
