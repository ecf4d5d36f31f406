"""How learning management systems name what they hand out: who, when and which file.

Each scheme is the one that the system's own source writes; the tests say where.

    Canvas      lovelaceada_LATE_1001_5002_lstm.ipynb, anon_x7Kp2_5002_lstm.ipynb
    Moodle      Ada Lovelace_57_assignsubmission_file/lstm.ipynb, or the same without folders
    Gradescope  submission_301/lstm.ipynb, and submission_metadata.yml that says whose that is
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import yaml

from grader.collect.hand_ins import HandIn, Receipt, Unpacked, most, without
from grader.collect.trees import Contents, File, Folder, Refused
from grader.roster import Identity

METADATA = "submission_metadata.yml"
MOST_METADATA_BYTES = 32_000_000

_CANVAS = re.compile(
    r"(?:(?P<name>.*?)_(?=(?:LATE_)?\d)|(?=(?:LATE_)?anon_))(?P<late>LATE_)?"
    r"(?P<id>\d+|anon_[^\W_]+)_(?:(?P<attachment>\d+)_(?P<file>.+)|(?P<entry>(?:text|link)\.html))",
    re.DOTALL,
)
_MOODLE = re.compile(
    r"(?P<name>[^_]*)_(?P<id>\d+)_assignsubmission_(?P<plugin>[a-z]+)(?:_(?P<file>.*))?", re.DOTALL
)
_RESUBMITTED = re.compile(r"(?P<stem>.+?)-\d+(?P<suffix>\.[^.]+)")
_SUBMISSION = re.compile(r"submission_\d+")


def canvas(contents: Contents, assignment: str) -> Unpacked | None:
    """Canvas's zip: every file of everybody in one folder, with name, number and file's number."""
    by_student = _by_student(contents)
    taken = {file.where for files in by_student.values() for _, file in files}
    if not most(len(taken), (*contents.files, *contents.folders)):
        return None
    hand_ins = tuple(
        HandIn(
            who=(who,),
            contents=Contents(files=_as_handed_in(files, assignment)),
            where=files[0][1].where,
            receipt=Receipt(late=any(match["late"] for match, _ in files)),
        )
        for who, files in by_student.items()
    )
    return Unpacked(hand_ins=hand_ins, rest=without(contents, taken))


def canvas_feedback(contents: Contents, name: str) -> Iterator[tuple[Identity, str]]:
    """Whose each hand-in of Canvas's zip is, and what a file back to them must be called.

    Canvas finds student and hand-in by the two numbers in the name of a file that was handed in.
    """
    for who, files in _by_student(contents).items():
        for match, file in files:
            if match["attachment"]:
                yield who, f"{file.name[: match.start('file')]}{name}"
                break


def _by_student(contents: Contents) -> dict[Identity, list[tuple[re.Match[str], File]]]:
    """Canvas's files by whose they are."""
    named: dict[tuple[str, str], list[tuple[re.Match[str], File]]] = {}
    for file in contents.files:
        if match := _CANVAS.fullmatch(file.name):
            named.setdefault((match["name"] or "", match["id"]), []).append((match, file))
    return {_canvas_identity(*whose, files): files for whose, files in named.items()}


def _canvas_identity(name: str, number: str, files: list[tuple[re.Match[str], File]]) -> Identity:
    anonymous = number.startswith("anon_")
    return Identity(
        key=number if anonymous else f"{name}_{number}".lstrip("_"),
        name=name,
        canvas_id="" if anonymous else number,
        anonymous=anonymous,
        # Somebody may call themselves "x_1002": then the first number is not theirs.
        doubtful=all(re.match(r"\d+_", match["file"] or "") for match, _ in files),
    )


def _as_handed_in(files: list[tuple[re.Match[str], File]], assignment: str) -> tuple[File, ...]:
    """Files under the names they were handed in with.

    A file that is handed in again is called lstm-1.ipynb by Canvas; it is the assignment's all the
    same, unless lstm.ipynb is there too.
    """
    plain = [(match["file"] or match["entry"], file) for match, file in files]
    names = {name for name, _ in plain}
    found = []
    for name, file in plain:
        again = _RESUBMITTED.fullmatch(name)
        original = f"{again['stem']}{again['suffix']}" if again else name
        if again and again["stem"] == assignment and original not in names:
            name = original
            names.add(original)
        found.append(replace(file, name=name))
    return tuple(found)


def moodle(contents: Contents) -> Unpacked | None:
    """Moodle's zip: a folder, or files, for each participant and kind of hand-in."""
    there: list[Folder | File] = [*contents.folders, *contents.files]
    nodes = [(match, node) for node in there if (match := _MOODLE.fullmatch(node.name))]
    if not most(len(nodes), (*contents.files, *contents.folders)):
        return None
    by_student: dict[tuple[str, str], list[tuple[re.Match[str], Folder | File]]] = {}
    for match, node in nodes:
        by_student.setdefault((match["name"], match["id"]), []).append((match, node))
    hand_ins = [
        HandIn(
            who=(_participant(name, number),),
            contents=Contents(
                folders=tuple(node for _, node in found if isinstance(node, Folder)),
                files=tuple(
                    replace(node, name=match["file"] or node.name)
                    for match, node in found
                    if isinstance(node, File)
                ),
            ),
            where=found[0][1].where,
        )
        for (name, number), found in by_student.items()
    ]
    taken = {node.where for _, node in nodes}
    return Unpacked(hand_ins=tuple(hand_ins), rest=without(contents, taken))


def moodle_feedback(contents: Contents, name: str) -> Iterator[tuple[Identity, str]]:
    """Whose each hand-in of Moodle's zip is, and what a file back to them must be called."""
    done: set[Identity] = set()
    there: list[Folder | File] = [*contents.folders, *contents.files]
    for node in there:
        match = _MOODLE.fullmatch(node.name)
        if match and (who := _participant(match["name"], match["id"])) not in done:
            done.add(who)
            yield who, moodle_name(match["name"], match["id"], name)


def moodle_name(full_name: str, number: str, name: str) -> str:
    """A file of feedback as Moodle finds its participant: by the number behind the first "_"."""
    return f"{full_name.replace('_', ' ')}_{number}_assignsubmission_file_{name}"


def _participant(name: str, number: str) -> Identity:
    """Who a download is called after: "Participant_57" where marking is blind."""
    anonymous = name in ("Participant", "")
    return Identity(
        key=f"{name}_{number}",
        name="" if anonymous else name,
        moodle_id=number,
        anonymous=anonymous,
    )


_SAFE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _RubyLoader(_SAFE):  # type: ignore[misc]
    """YAML as Ruby writes it: a tag of Ruby's own is read as the plain value below it."""


def _untagged(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)  # type: ignore[arg-type]


_RubyLoader.add_multi_constructor("!", _untagged)
_RubyLoader.add_multi_constructor("tag:yaml.org,2002:ruby", _untagged)


def gradescope(contents: Contents) -> Unpacked | None:
    """Gradescope's export: a folder for each submission, and a file that says whose each is."""
    metadata = next((file for file in contents.files if file.name == METADATA), None)
    folders = [each for each in contents.folders if _SUBMISSION.fullmatch(each.name)]
    if metadata is None and not most(len(folders), (*contents.folders, *contents.files)):
        return None
    known, skipped = ({}, []) if metadata is None else _metadata(metadata)
    there = {folder.name: folder for folder in contents.folders if folder.name in known}
    there |= {folder.name: folder for folder in folders}
    hand_ins = []
    for name, folder in there.items():
        said = known.get(name, {})
        who = tuple(_submitters(said)) or (Identity(key=name, anonymous=True),)
        stamp = said.get(":created_at")
        hand_ins.append(
            HandIn(
                who=who,
                contents=folder.look(),
                where=folder.where,
                submitted_at=_aware(stamp) if isinstance(stamp, datetime) else None,
            )
        )
    skipped += [
        f"{metadata.where if metadata else ''}: {name}: no folder of that name"
        for name in known
        if name not in there
    ]
    taken = {folder.where for folder in there.values()} | {metadata.where if metadata else ""}
    return Unpacked(hand_ins=tuple(hand_ins), rest=without(contents, taken), skipped=tuple(skipped))


def _metadata(file: File) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """What the file says of each submission, and what is wrong with it."""
    try:
        raw = file.read(MOST_METADATA_BYTES + 1)
        if len(raw) > MOST_METADATA_BYTES:
            return {}, [f"{file.where}: more than {MOST_METADATA_BYTES} bytes"]
        text = raw.decode("utf-8")
        # The loader is a SafeLoader: it makes plain values only.
        read = yaml.load(text, Loader=_RubyLoader)
    except (Refused, UnicodeDecodeError, yaml.YAMLError, ValueError, RecursionError) as error:
        return {}, [f"{file.where}: expected YAML, got {str(error).splitlines()[0][:200]}"]
    if not isinstance(read, dict):
        return {}, [f"{file.where}: expected a mapping of submissions, got something else"]
    return {str(name): said for name, said in read.items() if isinstance(said, dict)}, []


def _submitters(said: dict[str, Any]) -> Iterator[Identity]:
    submitters = said.get(":submitters")
    for each in submitters if isinstance(submitters, list) else ():
        if isinstance(each, dict):
            name, email, sis = (
                str(each.get(f":{part}") or "").strip() for part in ("name", "email", "sid")
            )
            if name or email or sis:
                yield Identity(key=email or sis or name, name=name, email=email, sis_id=sis)


def _aware(stamp: datetime) -> datetime:
    return stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)
