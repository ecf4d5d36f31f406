"""Which of the kernel's calls a job may make: a filter for seccomp. Untrusted side.

`program` assembles it, which takes milliseconds and is done once, in the process that forks; each
child writes its own process id into it and installs it. What is decided about each call stands in
`calls`.
"""

import ctypes
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import calls, kernel

Instruction = tuple[int, int, int, int]
"""Code, how far to jump when true and when false, and the value."""

LOAD, JUMP, EQUAL, AT_LEAST, ANY_BIT, AND, RETURN = 0x20, 0x05, 0x15, 0x35, 0x45, 0x54, 0x06
ALLOW, ERRNO, KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER_AT, ARCHITECTURE_AT, ARGUMENTS_AT = 0, 4, 16
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
LONGEST_JUMP = 255
OWN_PROCESS = 0x7E57_0001
"""Stands for the child's process id until it is known."""
SET_MODE_FILTER = 1


class _Filter(ctypes.Structure):
    _fields_ = [
        ("code", ctypes.c_uint16),
        ("jt", ctypes.c_uint8),
        ("jf", ctypes.c_uint8),
        ("k", ctypes.c_uint32),
    ]


class _Program(ctypes.Structure):
    _fields_ = [
        ("length", ctypes.c_uint16),
        ("filter", ctypes.POINTER(_Filter)),
    ]


@dataclass(frozen=True, slots=True)
class Program:
    """An assembled filter."""

    instructions: ctypes.Array[_Filter]
    """What the kernel reads."""
    own: tuple[int, ...]
    """Places of the instructions that compare with the child's process id."""


def program() -> Program:
    """The filter for this machine.

    Raises:
        OSError: its architecture is not known.
    """
    if kernel.MACHINE not in ARCHITECTURES:
        raise OSError(calls.ENOSYS, f"seccomp: no filter for {kernel.MACHINE or 'this machine'}")
    lines = assemble(kernel.CALLS, ARCHITECTURES[kernel.MACHINE])
    own = tuple(place for place, line in enumerate(lines) if line[3] == OWN_PROCESS)
    return Program(
        instructions=(_Filter * len(lines))(*(_Filter(*line) for line in lines)), own=own
    )


def install(assembled: Program) -> None:
    """Binds this thread, and every one that it starts, to the filter.

    Raises:
        OSError: it may still gain privileges, or the kernel has no filters.
    """
    for place in assembled.own:
        assembled.instructions[place].k = os.getpid()
    first = ctypes.cast(assembled.instructions, ctypes.POINTER(_Filter))
    whole = _Program(len(assembled.instructions), first)
    kernel.call("seccomp", SET_MODE_FILTER, 0, ctypes.byref(whole))


def assemble(numbers: Mapping[str, int], architecture: int) -> list[Instruction]:
    """The filter's instructions.

    A call made through another architecture's entry ends the process; a call that the table does
    not know, an x32 one among them, does not exist; one that it knows and `calls` does not name is
    not permitted.
    """
    bodies: list[tuple[int, list[Instruction]]] = []
    by_number = {number: name for name, number in numbers.items()}
    for number in range(max(by_number) + 2):
        body = _body(by_number.get(number))
        if not bodies or bodies[-1][1] != body:
            bodies.append((number, body))
    return [
        (LOAD, 0, 0, ARCHITECTURE_AT),
        (EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, KILL_PROCESS),
        (LOAD, 0, 0, NUMBER_AT),
        *_search(bodies),
    ]


def _search(bodies: Sequence[tuple[int, list[Instruction]]]) -> list[Instruction]:
    """A search by halves for the body of a call's number: each number pays some ten steps."""
    if len(bodies) == 1:
        return bodies[0][1]
    middle = len(bodies) // 2
    below, above = _search(bodies[:middle]), _search(bodies[middle:])
    first = bodies[middle][0]
    if len(below) <= LONGEST_JUMP:
        return [(AT_LEAST, len(below), 0, first), *below, *above]
    return [(AT_LEAST, 0, 1, first), (JUMP, 0, 0, len(below)), *below, *above]


def _body(name: str | None) -> list[Instruction]:
    """What is to be done about one call; None for a number that no call has."""
    if name is None:
        return [(RETURN, 0, 0, ERRNO | calls.ENOSYS)]
    if name in calls.ALLOWED:
        return [(RETURN, 0, 0, ALLOW)]
    if name in calls.CHECKED:
        return _checks(calls.CHECKED[name])
    answer = calls.ANSWERED.get(name, calls.EPERM)
    return [(RETURN, 0, 0, ERRNO | answer)]


def _checks(checks: Sequence[calls.Check]) -> list[Instruction]:
    """The first check that holds decides; where none does, the call is not permitted."""
    body: list[Instruction] = []
    for check in checks:
        wanted = OWN_PROCESS if check.value is calls.OWN else check.value
        assert isinstance(wanted, int)
        at = ARGUMENTS_AT + 8 * check.argument
        test: list[Instruction] = [(LOAD, 0, 0, at)]
        if check.mask is not None:
            test.append((AND, 0, 0, check.mask))
        if check.wide:
            test += [(EQUAL, 0, 3, wanted), (LOAD, 0, 0, at + 4), (EQUAL, 0, 1, 0)]
        else:
            test.append((EQUAL, int(check.differs), int(not check.differs), wanted))
        answer = ALLOW if check.answer is None else ERRNO | check.answer
        body += [*test, (RETURN, 0, 0, answer)]
    return [*body, (RETURN, 0, 0, ERRNO | calls.EPERM)]
