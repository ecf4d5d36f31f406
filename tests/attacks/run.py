"""One run of the suite, as one user: the baselines, then every level; prints JSON.

Where it may, it runs in namespaces of its own: processes, mounts, network, System V objects. There
the installation is covered by a copy that is written instead (an overlay), and nothing that an
attack does at the open level E, or in its baseline, reaches this machine.

    python -m tests.attacks.run USER LEVELS [ID...]
"""

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
import traceback
from dataclasses import asdict, dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from grader.errors import EngineError
from tests.attacks.catalogue import Attack, attacks
from tests.attacks.course import RAISES, RIGHT, WRONG, make_course
from tests.attacks.craft import built
from tests.attacks.observers import Evidence, succeeded
from tests.attacks.road import run, zygote_at
from tests.attacks.scene import Listeners, Scene

ROOT = Path(__file__).resolve().parent.parent.parent
NOBODY = 65534
SERVERS = 3


@dataclass
class Told:
    """What a run tells."""

    user: str
    """As whom."""
    arena: bool
    """Whether it had namespaces of its own."""
    shown: dict[str, list[str]] = field(default_factory=dict)
    """For each attack, in which ways its baseline succeeded."""
    levels: dict[str, Any] = field(default_factory=dict)
    """For each level: what succeeded, honest submissions that were wronged, unclean probes."""
    failure: str = ""
    """Why there is nothing."""


def outer(user: str, levels: str, ids: list[str]) -> dict[str, Any]:
    """Runs it in a process of its own; what it told."""
    inner = [sys.executable, "-m", "tests.attacks.run"]
    command = [*inner, "work", user, levels, *ids]
    if os.getuid() == 0:
        apart = ["--mount", "--pid", "--fork", "--kill-child", "--ipc", "--net", "--uts"]
        command = ["unshare", *apart, *inner, "arena", user, levels, *ids]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    lines = [line for line in done.stdout.decode().splitlines() if line.startswith("{")]
    if not lines:
        return asdict(Told(user, False, failure=f"expected a result, got exit {done.returncode}"))
    told: dict[str, Any] = json.loads(lines[-1])
    return told


def arena(user: str, levels: str, ids: list[str]) -> int:
    """The first process of its own namespaces: covers what may be changed, then waits."""
    base = Path(sys.base_prefix)
    ran(["mount", "-t", "proc", "proc", "/proc"])
    ran(["ip", "link", "set", "lo", "up"])
    held = Path(tempfile.mkdtemp())
    if user != "root" and (closed := closed_above(base)) is not None:
        # The interpreter lies in a folder that only root may enter.
        ran(["mount", "--bind", str(base), str(held)])
        ran(["mount", "-t", "tmpfs", "-o", "mode=755", "none", str(closed)])
        base.mkdir(parents=True)
        ran(["mount", "--bind", str(held), str(base)])
    for folder, mode in (("/tmp", "1777"), ("/dev/shm", "1777"), ("/mnt", "755")):
        ran(["mount", "-t", "tmpfs", "-o", f"mode={mode}", "none", folder])
    for covered in {sys.prefix, sysconfig.get_path("stdlib")}:
        layer = Path(tempfile.mkdtemp(dir="/mnt"))
        for part in ("upper", "work"):
            (layer / part).mkdir()
        options = f"lowerdir={covered},upperdir={layer}/upper,workdir={layer}/work"
        ran(["mount", "-t", "overlay", "overlay", "-o", options, covered])
    if user != "root":
        ran(["chown", f"{NOBODY}:{NOBODY}", sysconfig.get_path("purelib")])
    command = [sys.executable, "-m", "tests.attacks.run", "work", user, levels, *ids]
    home = Path("/mnt/home")
    home.mkdir(mode=0o777)
    home.chmod(0o777)
    if user != "root":
        drop = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        command = ["setpriv", *drop, *command]
    # A session of its own, and everything that ends below is waited for.
    child = subprocess.Popen(command, env=os.environ | {"ARENA": "1", "HOME": str(home)})
    while True:
        pid, status = os.wait()
        if pid == child.pid:
            return os.waitstatus_to_exitcode(status)


def closed_above(path: Path) -> Path | None:
    """The outermost folder above a path that others may not enter."""
    shut = [each for each in path.parents if not each.stat().st_mode & 1]
    return shut[-1] if shut else None


def ran(command: list[str]) -> None:
    """Runs a command that has to work."""
    subprocess.run(command, check=True)


class Servers:
    """Warm processes for the baselines."""

    def __init__(self) -> None:
        self._free: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        self._all = []
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
        for _ in range(SERVERS):
            self._all.append(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.attacks.naive"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    cwd=ROOT,
                    env=environment,
                )
            )
            self._free.put(self._all[-1])

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """One request's answer."""
        server = self._free.get()
        assert server.stdin is not None and server.stdout is not None
        try:
            server.stdin.write(json.dumps(request).encode() + b"\n")
            server.stdin.flush()
            answer = server.stdout.readline()
            return json.loads(answer) if answer else {"status": -9, "seconds": 0, "left": 0}
        finally:
            self._free.put(server)

    def close(self) -> None:
        """Ends them."""
        for server in self._all:
            server.kill()
            server.wait()


def baseline(attack: Attack, scene: Scene, servers: Servers, twin: float) -> Evidence:
    """The attack against what it is to be shown against."""
    mine = scene.folder / "mine"
    (mine / "out").mkdir(parents=True)
    (mine / "cwd").mkdir()
    if attack.builds:
        built(attack, scene)
        file = mine / "in"
    else:
        file = mine / "in" / f"{attack.name}.py"
        file.parent.mkdir()
        file.write_text(scene.filled(attack.file.read_text(encoding="utf-8")), "utf-8")
    if attack.first:
        accomplice = next(each for each in attacks() if each.id == attack.first)
        (mine / "first").mkdir()
        (mine / "first" / "first.py").write_text(scene.filled(accomplice.file.read_text("utf-8")))
        request = {"how": accomplice.by, "file": str(mine / "first" / "first.py")}
        request |= {"out": str(mine / "first"), "cwd": str(mine / "cwd"), "environment": {}}
        servers.ask(request)
    scene.ready()
    answer = servers.ask(
        {
            "how": attack.by,
            "file": str(file),
            "out": str(mine / "out"),
            "cwd": str(mine / "cwd"),
            "environment": {"GRADER_SECRET": scene.canary, "HOME": str(scene.folder / "home")},
            "own_pids": attack.own_pids,
            "wait": attack.wait,
            "patience": 2.5 if "lingers" in attack.seen else 9,
        }
    )
    return naive_evidence(attack, scene, answer, twin)


def naive_evidence(attack: Attack, scene: Scene, answer: dict[str, Any], twin: float) -> Evidence:
    """What came out of a baseline."""
    out = scene.folder / "mine" / "out"
    pages = {
        kind: (out / f"naive.{kind}").read_text(errors="replace")
        if (out / f"naive.{kind}").exists()
        else ""
        for kind in ("html", "csv", "json")
    }
    said = (out / "printed").read_bytes()
    scores = json.loads(pages["json"]) if pages["json"] else {}
    others = {"before": 3, "right": 3, "wrong": 0, "raises": 0}
    same = bool(pages["json"])
    if attack.by.startswith("class"):
        same = {name: scores.get(name) for name in others} == others
    elif attack.by.startswith("hand"):
        same = scores.get(scene.honest.casefold()) == 3
    if attack.own_pids:
        same = (out / "neighbour").exists()
    shown = said[:3_000_000].decode(errors="replace")
    evidence = Evidence(
        text=shown + pages["html"],
        public=shown + pages["html"],
        seconds=float("inf") if answer["status"] is None else answer["seconds"],
        left=["a process"] * answer["left"],
        score=max((v for k, v in scores.items() if k not in (*others, "ada")), default=None),
        twin=twin,
        neighbours=same,
        died="" if answer["status"] in (0, None) else f"status {answer['status']}",
        page=pages["html"],
        csv=pages["csv"],
        terminal=shown,
        read_bytes=size_of(out) + len(said),
    )
    evidence.hidden = HIDDEN
    return evidence


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder; links are not followed."""
    return sum(
        path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    )


HIDDEN: tuple[str, ...] = ()
"""Numbers of the quick grader's second input, which it keeps to itself."""


def work(user: str, levels: str, ids: list[str]) -> int:
    """All of it, in this process."""
    global HIDDEN
    # What the suite says goes to the first stdout; whatever else is printed does not.
    told_to = os.dup(1)
    os.dup2(2, 1)
    told = Told(user, "ARENA" in os.environ)
    chosen = [a for a in attacks() if user in a.shown.split()]
    wanted = [a for a in chosen if not ids or a.id in ids or a.group in ids or a.slug in ids]
    if not told.arena:
        wanted = [a for a in wanted if not a.own_pids]
    root = Path(tempfile.mkdtemp(prefix="attacks-"))
    root.chmod(0o755)
    os.environ["XDG_CACHE_HOME"] = str(root / "cache")
    os.environ.pop("GRADER_SECRET", None)
    servers = Servers()
    try:
        listeners = Listeners(root)
        HIDDEN = ask_hidden(servers, root)
        if "-" not in levels:
            told.shown = baselines(wanted, servers, root, listeners, told.arena)
        servers.close()
        for level in levels.strip("-"):
            told.levels[level] = at_level(level, wanted, root, listeners, told)
    except Exception:  # noqa: BLE001 - whatever it is, the suite is told
        told.failure = traceback.format_exc()
        sys.stderr.write(told.failure)
    finally:
        servers.close()
        # Some leave folders so deep that shutil.rmtree gives up.
        subprocess.run(["chmod", "-R", "u+rwx", str(root)], check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["rm", "-rf", str(root)], check=False, stderr=subprocess.DEVNULL)
    os.write(told_to, b"\n" + json.dumps(asdict(told)).encode() + b"\n")
    return 0


def ask_hidden(servers: Servers, root: Path) -> tuple[str, ...]:
    """What the quick grader's second input holds: a submission that prints it."""
    out = root / "hidden"
    out.mkdir()
    (out / "tell.py").write_text(
        f"{RIGHT}\nkept = double\ndef double(x):\n"
        "    if x.shape[0] == 4: print('HIDDEN', *(f'{float(v):.6f}' for v in x.flatten()[:3]))\n"
        "    return kept(x)\n"
    )
    request = {"how": "bare", "file": str(out / "tell.py"), "out": str(out), "cwd": str(out)}
    servers.ask({**request, "environment": {}})
    line = next(x for x in (out / "printed").read_text().splitlines() if x.startswith("HIDDEN"))
    return tuple(line.split()[1:])


def packages(scene_folder: Path, arena: bool) -> Path:
    """Where installed packages may be attacked: the covered ones, or a copy in the scene."""
    return Path(sysconfig.get_path("purelib")) if arena else scene_folder / "packages"


def baselines(
    wanted: list[Attack], servers: Servers, root: Path, listeners: Listeners, arena: bool
) -> dict[str, list[str]]:
    """Every attack against its baseline, some at a time."""
    shown: dict[str, list[str]] = {}
    twins: dict[str, float] = {}
    lock = threading.Lock()

    def twin(how: str) -> float:
        with lock:
            if how not in twins and not how.startswith(("bare", "hand", "weights")):
                folder = root / f"twin-{len(twins)}"
                (folder / "cwd").mkdir(parents=True)
                twins[how] = 0.0
                (folder / "twin.py").write_text(RAISES if "shape" in how else WRONG)
                request = {"how": how, "file": str(folder / "twin.py"), "out": str(folder)}
                servers.ask({**request, "cwd": str(folder / "cwd"), "environment": {}})
                marks = json.loads((folder / "naive.json").read_text())
                twins[how] = float(marks["twin"])
            return twins.get(how, 0.0)

    def show(attack: Attack) -> None:
        folder = root / "naive" / attack.name
        scene = Scene(folder, listeners, packages(folder, arena))
        try:
            evidence = baseline(attack, scene, servers, twin(attack.by))
            shown[attack.id] = succeeded(scene, evidence, attack.seen)
            if not shown[attack.id]:
                sys.stderr.write(f"{attack.id} {evidence.died} {evidence.text[-700:]}\n")
        except Exception:  # noqa: BLE001 - one that can't be shown is told
            sys.stderr.write(f"{attack.id}: {traceback.format_exc()}\n")
            shown[attack.id] = []
        finally:
            scene.close()

    waiting: SimpleQueue[Attack | None] = SimpleQueue()
    for attack in [*wanted, *[None] * SERVERS]:
        waiting.put(attack)

    def take() -> None:
        while (attack := waiting.get()) is not None:
            show(attack)

    threads = [threading.Thread(target=take) for _ in range(SERVERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return shown


def at_level(
    level: str, wanted: list[Attack], root: Path, listeners: Listeners, told: Told
) -> dict[str, Any]:
    """Every attack that is run at a level."""
    try:
        with zygote_at(level) as zygote:
            zygote.isolation()
    except EngineError as error:
        return {
            "refused": str(error),
            "succeeded": {},
            "died": {},
            "unfair": [],
            "unclean": [],
            "seconds": 0,
        }
    folder = root / f"level-{level}"
    course = make_course(folder / "course")
    made: list[Scene] = []
    batch = []
    try:
        for attack in wanted:
            if level in attack.run:
                place = folder / attack.name
                made.append(Scene(place, listeners, packages(place, told.arena)))
                batch.append((attack, made[-1]))
        result = run(level, course, batch, folder / "results")
        time.sleep(1.5)  # what was left behind would act now
        succeeded_ = {
            attack.id: succeeded(scene, result.evidence[attack.id], attack.seen)
            for attack, scene in batch
        }
        if os.environ.get("ATTACKS_SHOW"):
            for attack, _ in batch:
                evidence = result.evidence[attack.id]
                place = evidence.public.find('"message"')
                sys.stderr.write(
                    f"{level} {attack.id}: {succeeded_[attack.id]} {evidence.seconds:.2f}s "
                    f"{evidence.score} {evidence.died} {evidence.public[place : place + 300]!r}\n"
                )
    finally:
        for scene in made:
            scene.close()
    return {
        "succeeded": succeeded_,
        "died": {id_: seen.died for id_, seen in result.evidence.items() if seen.died},
        "unfair": result.unfair,
        "unclean": result.unclean,
        "seconds": result.seconds,
    }


if __name__ == "__main__":
    stage, *rest = sys.argv[1:]
    if stage in ("arena", "work"):
        sys.exit({"arena": arena, "work": work}[stage](rest[0], rest[1], rest[2:]))
    sys.stdout.write(json.dumps(outer(stage, rest[0], rest[1:]), indent=1) + "\n")
