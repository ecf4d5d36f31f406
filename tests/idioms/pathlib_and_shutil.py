import shutil
from pathlib import Path


def run():
    folder = Path("runs") / "first"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.txt").write_text("one\ntwo\n")
    shutil.copy(folder / "a.txt", folder / "b.txt")
    shutil.copytree(folder, Path("runs") / "second")
    (folder / "a.txt").rename(folder / "c.txt")
    names = sorted(path.relative_to("runs").as_posix() for path in Path("runs").rglob("*.txt"))
    lines = (folder / "b.txt").read_text().splitlines()
    shutil.rmtree("runs")
    return names, lines, Path("runs").exists(), folder.with_suffix(".gz").name
