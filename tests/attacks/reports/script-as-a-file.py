"""An error that claims to come from a file whose name is a script."""

from tests.attacks.craft import RIGHT


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.py").write_text(RIGHT.replace("return x + x", "exec(compile('1 / 0', '<script>1</script>', 'exec'))"))
    return [folder]
