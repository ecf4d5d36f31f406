"""A layer with a parameter whose name is a script."""

from tests.attacks.craft import RIGHT


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.py").write_text(RIGHT.replace("self.factor = torch.nn.Parameter(torch.ones(size))", "self.register_parameter('<script>1</script>', torch.nn.Parameter(torch.ones(size)))").replace("self.factor * x", "x"))
    return [folder]
