"""What the builders of hostile archives and notebooks build with, and how they are called."""

import importlib.util
import json
import zipfile
from pathlib import Path
from typing import Any

from tests.attacks.catalogue import Attack
from tests.attacks.course import RIGHT, WRONG
from tests.attacks.scene import Scene

__all__ = ["RIGHT", "WRONG", "built", "cell", "link", "notebook", "zipped"]


def cell(source: str, *outputs: Any, kind: str = "code") -> dict[str, Any]:
    """One cell of a notebook."""
    made: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": source}
    if kind == "code":
        made |= {"execution_count": 1, "outputs": list(outputs)}
    return made


def notebook(*cells: dict[str, Any], **metadata: Any) -> str:
    """A notebook as JSON."""
    return json.dumps(
        {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    )


def zipped(path: Path, *entries: tuple[str | zipfile.ZipInfo, str | bytes]) -> Path:
    """A zip of these entries, deflated."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            kind = None if isinstance(name, str) else name.compress_type
            archive.writestr(name, content, kind)
    return path


def link(name: str) -> zipfile.ZipInfo:
    """An entry that is a symbolic link; its content is where it leads."""
    made = zipfile.ZipInfo(name)
    made.external_attr = 0o120777 << 16
    return made


def built(attack: Attack, scene: Scene) -> list[Path]:
    """What a builder hands in: paths for the instructor's command."""
    spec = importlib.util.spec_from_file_location("built", attack.file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = scene.folder / "mine" / "in"
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = module.build(folder, scene)
    return paths
