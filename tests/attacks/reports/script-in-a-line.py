"""A line that is quoted in the report, with a script in its comment."""

from tests.attacks.craft import RIGHT


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.py").write_text(RIGHT.replace("return x + x", "return torch.add(x, x)  # <script>marks = 6</script>") + "\ndouble = doubel  # <script>1</script>\n" * 0 + "oops oops <script>1</script>\n")
    return [folder]
