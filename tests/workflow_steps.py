"""GitHub's part, in small: jobs and steps of the workflows here, run in a temporary repository.

Emulated are expressions, contexts, the files that steps write to, composite actions, the cache,
artifacts behind a `gh` of our own, and environments, in which this checkout's grader is what any
`pip install` gives. Not emulated: everything else; GitHub's own runners are not here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
TOKEN = re.compile(
    r"\s*(?P<text>'[^']*')|\s*(?P<name>[A-Za-z_][\w-]*(?:\.[\w-]+)*(?:\(\))?)|\s*(?P<op>&&|\|\||==|!=|!|[()])"
)
OPERATORS = {"&&": " and ", "||": " or ", "!": " not "}
GH = """#!{python}
import json, os, pathlib, sys
state = pathlib.Path(os.environ["GH_STATE"])
if (state / "down").exists():
    sys.exit("gh: HTTP 502")
asked = sys.argv[2]
if asked.endswith("/zip"):
    sys.stdout.buffer.write((state / asked.split("/")[-2]).with_suffix(".zip").read_bytes())
else:
    print((state / "artifacts.json").read_text())
"""


PYTHON = """#!/bin/bash
if [ "$1 $2" != "-m venv" ]; then exec {python} "$@"; fi
mkdir -p "$3/bin"
cat >"$3/bin/pip" <<'END'
#!/bin/bash
echo "pip $*" >>"$RUNNER_TEMP/pip.log"
cat >"$(dirname "$0")/grader" <<'INNER'
#!/bin/bash
PYTHONPATH={root} exec {python} -m grader "$@"
INNER
chmod +x "$(dirname "$0")/grader"
END
chmod +x "$3/bin/pip"
"""


def load(path: str) -> dict[str, Any]:
    """A workflow or an action; YAML's `on` is a key, not true."""
    read = yaml.safe_load((ROOT / path).read_text("utf-8"))
    return {"on" if key is True else key: value for key, value in read.items()}


def value_of(expression: str, contexts: Mapping[str, Any]) -> Any:
    """What an expression gives: names, texts, `&&`, `||`, `!`, `==`, `!=`, brackets."""
    source, position = "", 0
    while position < len(expression.rstrip()):
        found = TOKEN.match(expression, position)
        assert found, f"not emulated: {expression[position:]!r}"
        position = found.end()
        if found["text"]:
            source += repr(found["text"][1:-1])
        elif found["op"]:
            source += OPERATORS.get(found["op"], f" {found['op']} ")
        else:
            source += repr(looked_up(found["name"], contexts))
    return eval(source)


def looked_up(name: str, contexts: Mapping[str, Any]) -> Any:
    if name in ("true", "false"):
        return name == "true"
    if name in ("cancelled()", "always()"):
        return name == "always()"
    found: Any = contexts
    for part in name.split("."):
        found = found.get(part, "") if isinstance(found, Mapping) else ""
    return found


def filled_in(text: Any, contexts: Mapping[str, Any]) -> str:
    """Text with what its `${{ }}` stand for."""
    if not isinstance(text, str):
        return written(text)
    return re.sub(r"\$\{\{(.*?)\}\}", lambda m: written(value_of(m[1], contexts)), text)


def written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def true(condition: str | None, contexts: Mapping[str, Any]) -> bool:
    text = str(condition or "true").strip()
    return bool(value_of(text.removeprefix("${{").removesuffix("}}"), contexts))


@dataclass
class Machine:
    """One runner, which is thrown away after its job."""

    workspace: Path
    """Where the repository is checked out."""
    folder: Path
    """What is there beside it."""
    state: Path
    """What GitHub keeps between jobs: artifacts and caches."""
    contexts: dict[str, Any] = field(default_factory=dict)
    """github, inputs, secrets, vars, steps, env, runner."""
    environment: dict[str, str] = field(default_factory=dict)
    """What steps find beside their own."""
    said: str = ""
    """All that steps printed."""
    reported: dict[str, str] = field(default_factory=dict)
    """What Classroom's reporter was given."""

    def __post_init__(self) -> None:
        binaries = self.folder / "bin"
        binaries.mkdir(parents=True)
        self.state.mkdir(exist_ok=True)
        (self.folder / "temp").mkdir()
        for name, text in (("gh", GH), ("python", PYTHON)):
            (binaries / name).write_text(text.format(python=sys.executable, root=ROOT))
            (binaries / name).chmod(0o755)
        self.paths = [str(binaries)]
        for name in ("output", "env", "path", "summary"):
            (self.folder / name).touch()
        self.contexts.setdefault("github", {}).update(token="t")
        self.contexts |= {"steps": {}, "env": {}, "runner": {"temp": str(self.folder / "temp")}}
        if not (self.state / "artifacts.json").exists():
            (self.state / "artifacts.json").write_text('{"artifacts": []}')

    @property
    def summary(self) -> str:
        return (self.folder / "summary").read_text("utf-8")

    def job(self, path: str, name: str) -> int | None:
        """Runs the job of a workflow: its exit code, or None where it is left out."""
        workflow = load(path)
        job = workflow["jobs"][name]
        defaults = workflow["on"]["workflow_call"]["inputs"]
        given = self.contexts.get("inputs", {})
        self.contexts["inputs"] = {key: each.get("default", "") for key, each in defaults.items()}
        self.contexts["inputs"] |= given
        if not true(job.get("if"), self.contexts):
            return None
        return self.steps(job["steps"], Path())

    def steps(self, steps: list[dict[str, Any]], action: Path) -> int:
        """Runs steps until one fails, then those that run all the same."""
        worst = 0
        for step in steps:
            condition = step.get("if")
            anyhow = condition is not None and re.search(r"cancelled\(\)|always\(\)", condition)
            if (worst and not anyhow) or not true(condition, self.contexts):
                continue
            code = self.step(step, action)
            worst = worst or code
        return worst

    def step(self, step: dict[str, Any], action: Path) -> int:
        own = {key: filled_in(text, self.contexts) for key, text in step.get("env", {}).items()}
        given = {key: filled_in(text, self.contexts) for key, text in step.get("with", {}).items()}
        used = step.get("uses", "")
        if used.startswith("./.grader"):
            return self.action(used.removeprefix("./.grader").lstrip("/"), given, step.get("id"))
        if used:
            self.foreign(used.partition("@")[0], given, own)
            return 0
        assert "${{" not in step["run"], "what others chose must not become part of a script"
        code = self.run(step["run"], own, action)
        self.contexts["steps"][step.get("id", "")] = {"outputs": self.told("output")}
        self.contexts["env"] |= self.told("env")
        self.paths = [*(self.folder / "path").read_text().split(), *self.paths]
        (self.folder / "path").write_text("")
        return code

    def run(self, script: str, own: Mapping[str, str], action: Path) -> int:
        path = self.folder / "script.sh"
        path.write_text(script)
        kept = ("HOME", "LANG", "XDG_CACHE_HOME", "TMPDIR")
        environment = {name: os.environ[name] for name in kept if name in os.environ} | {
            "PATH": os.pathsep.join([*self.paths, "/usr/bin", "/bin", "/usr/sbin", "/sbin"]),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT / action),
            "GITHUB_ENV": str(self.folder / "env"),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_PATH": str(self.folder / "path"),
            "GITHUB_REF_NAME": "main",
            "GITHUB_REPOSITORY": "org/course",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_ARCH": "X64",
            "RUNNER_OS": "Linux",
            "RUNNER_TEMP": str(self.folder / "temp"),
            "GH_STATE": str(self.state),
            "COLUMNS": "200",
            **self.environment,
            **self.contexts["env"],
            **own,
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(path)],
            cwd=self.workspace,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=240,
        )
        self.said += done.stdout
        return done.returncode

    def told(self, name: str) -> dict[str, str]:
        """What steps wrote to one of GitHub's files, which is emptied."""
        path = self.folder / name
        lines = path.read_text("utf-8").splitlines()
        if name == "output":
            path.write_text("")
        return dict(line.split("=", 1) for line in lines)

    def action(self, folder: str, given: Mapping[str, str], name: str | None) -> int:
        """A composite action of ours, with contexts of its own."""
        read = load(str(Path(folder) / "action.yml"))
        outer = self.contexts
        defaults = {
            key: filled_in(each.get("default", ""), outer) for key, each in read["inputs"].items()
        }
        self.contexts = {**outer, "inputs": defaults | dict(given), "steps": {}, "secrets": {}}
        code = self.steps(read["runs"]["steps"], Path(folder))
        outputs = {
            key: filled_in(each["value"], self.contexts)
            for key, each in read.get("outputs", {}).items()
        }
        self.contexts = outer
        self.contexts["steps"][name or ""] = {"outputs": outputs}
        return code

    def foreign(self, used: str, given: Mapping[str, str], own: Mapping[str, str]) -> None:
        """What others' actions would do."""
        if used == "actions/cache":
            place = self.state / given["key"]
            if place.exists():
                Path(given["path"]).symlink_to(place.resolve())
            else:
                place.symlink_to(given["path"])
        elif used == "actions/upload-artifact":
            self.keep(given["name"], Path(given["path"]))
        elif used == "classroom-resources/autograding-grading-reporter":
            self.reported = dict(own)
        else:
            assert used in ("actions/checkout", "actions/setup-python"), used

    def keep(self, name: str, folder: Path, *, branch: str = "main", fork: bool = False) -> None:
        """An artifact, as the listing of artifacts tells of it."""
        path = self.state / "artifacts.json"
        listed = json.loads(path.read_text())["artifacts"]
        number = 1 + len(listed)
        shutil.make_archive(str(self.state / str(number)), "zip", folder)
        run = {"head_branch": branch, "repository_id": 7, "head_repository_id": 8 if fork else 7}
        listed.append(
            {
                "id": number,
                "name": name,
                "expired": False,
                "created_at": f"2026-03-01T00:00:{number:02}Z",
                "workflow_run": run,
            }
        )
        path.write_text(json.dumps({"artifacts": listed}))
