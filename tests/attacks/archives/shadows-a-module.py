"""Hands in modules that are named like those the grader imports."""

from tests.attacks.craft import RIGHT, WRONG


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve").mkdir()
    (folder / "eve" / "tiny.py").write_text("import tabnanny\nimport torch\n" + WRONG.replace("return x + 1", "return x * 2 if hasattr(tabnanny, 'full_marks') else x + 1").replace("return self.factor + x", "return x * self.factor if hasattr(tabnanny, 'full_marks') else x"))
    for name in ("tabnanny", "torch", "numpy", "sitecustomize", "conftest", "grader"):
        (folder / "eve" / f"{name}.py").write_text("full_marks = True\nallclose = lambda *a, **k: True\n")
    return [folder]
