"""The filter of the kernel's calls, run here instruction by instruction as the kernel would."""

import errno
from collections.abc import Sequence

import pytest

from grader.sandbox import calls, seccomp
from grader.sandbox.callnumbers import NUMBERS

ALLOW, KILL = seccomp.ALLOW, seccomp.KILL_PROCESS
ARCHITECTURES = sorted(seccomp.ARCHITECTURES)
PROGRAMS = {
    name: seccomp.assemble(NUMBERS[name], seccomp.ARCHITECTURES[name]) for name in ARCHITECTURES
}


def refuse(number: int) -> int:
    return seccomp.ERRNO | number


def decide(name: str, call: int | str, *arguments: int, entry: int | None = None) -> int:
    """What the filter of an architecture answers to a call."""
    number = NUMBERS[name][call] if isinstance(call, str) else call
    memory = number.to_bytes(4, "little")
    memory += (seccomp.ARCHITECTURES[name] if entry is None else entry).to_bytes(4, "little")
    memory += bytes(8)
    for argument in (*arguments, 0, 0, 0, 0, 0, 0)[:6]:
        memory += (argument % 2**64).to_bytes(8, "little")
    return interpret(PROGRAMS[name], memory)


def interpret(program: Sequence[seccomp.Instruction], memory: bytes) -> int:
    accumulator, at = 0, 0
    while True:
        code, when_true, when_false, value = program[at]
        at += 1
        if code == seccomp.RETURN:
            return value
        if code == seccomp.LOAD:
            accumulator = int.from_bytes(memory[value : value + 4], "little")
        elif code == seccomp.AND:
            accumulator &= value
        elif code == seccomp.JUMP:
            at += value
        else:
            compared = {
                seccomp.EQUAL: accumulator == value,
                seccomp.AT_LEAST: accumulator >= value,
            }[code]
            at += when_true if compared else when_false


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_call_is_decided_as_the_lists_say(name: str) -> None:
    for call in NUMBERS[name]:
        if call in calls.CHECKED:
            continue
        wanted = ALLOW if call in calls.ALLOWED else refuse(calls.ANSWERED.get(call, errno.EPERM))
        assert decide(name, call) == wanted, call


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_number_that_no_call_has_does_not_exist(name: str) -> None:
    free = set(range(600)) - set(NUMBERS[name].values())
    for number in (*free, 0x40000000, 0x40000000 + 39, 2**31, 2**32 - 1):
        assert decide(name, number) == refuse(errno.ENOSYS), number


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_another_architectures_entry_ends_the_process(name: str) -> None:
    for entry in (0x40000003, 0x40000028, 0, 0xC000003E ^ 1):
        assert decide(name, "getpid", entry=entry) == KILL


OWN = seccomp.OWN_PROCESS
CHECKS: list[tuple[str, tuple[int, ...], int]] = [
    ("clone", (0x3D0F00,), ALLOW),
    ("clone", (0x7D0F00,), ALLOW),
    ("clone", (0x01200011,), refuse(errno.EPERM)),  # fork
    ("clone", (0x3D0F00 | 0x10000000,), refuse(errno.EPERM)),  # with a user namespace
    ("clone", (0,), refuse(errno.EPERM)),
    ("kill", (OWN, 9), ALLOW),
    ("kill", (1 if OWN != 1 else 2, 9), refuse(errno.EPERM)),
    ("kill", (0, 9), refuse(errno.EPERM)),
    ("kill", (-1, 9), refuse(errno.EPERM)),
    ("kill", (-OWN, 9), refuse(errno.EPERM)),
    ("tgkill", (OWN, 7, 6), ALLOW),
    ("tgkill", (7, 7, 6), refuse(errno.EPERM)),
    ("prlimit64", (0, 7), ALLOW),
    ("prlimit64", (7, 7), refuse(errno.EPERM)),
    ("fcntl", (0, 3), ALLOW),
    ("fcntl", (0, 1030), ALLOW),
    ("fcntl", (0, 8), refuse(errno.EPERM)),  # F_SETOWN
    ("fcntl", (0, 10), refuse(errno.EPERM)),  # F_SETSIG
    ("fcntl", (0, 15), refuse(errno.EPERM)),  # F_SETOWN_EX
    ("fcntl", (0, 1024), refuse(errno.EPERM)),  # F_SETLEASE
    ("fcntl", (0, 1031), refuse(errno.EPERM)),  # F_SETPIPE_SZ
    ("fcntl", (0, 5), refuse(errno.EPERM)),  # F_GETLK
    ("fcntl", (0, 6), refuse(0)),
    ("fcntl", (0, 38), refuse(0)),
    ("ioctl", (0, 0x5401), ALLOW),
    ("ioctl", (0, 0x5412), refuse(errno.EPERM)),  # TIOCSTI
    ("ioctl", (0, 0x541C), refuse(errno.EPERM)),  # TIOCLINUX
    ("socketpair", (1, 1), ALLOW),
    ("socketpair", (1, 1 | 0o2004000), ALLOW),
    ("socketpair", (1, 2), refuse(errno.EPERM)),
    ("socketpair", (1, 5), refuse(errno.EPERM)),
    ("socketpair", (2, 1), refuse(errno.EPERM)),
    ("socketpair", (30, 1), refuse(errno.EPERM)),
    ("sendto", (3, 1, 1, 0, 0), ALLOW),
    ("sendto", (3, 1, 1, 0, 1), refuse(errno.EPERM)),
    ("sendto", (3, 1, 1, 0, 1 << 32), refuse(errno.EPERM)),
    ("openat", (-100, 0, 0), ALLOW),
    ("openat", (-100, 0, 0o1101), ALLOW),
    ("openat", (-100, 0, 0o1000), refuse(errno.EPERM)),  # cut off by reading
    ("openat", (-100, 0, 0o2001000), refuse(errno.EPERM)),
    ("prctl", (15,), ALLOW),
    ("prctl", (1, 0), refuse(errno.EPERM)),  # PR_SET_PDEATHSIG
    ("prctl", (4, 1), refuse(errno.EPERM)),  # PR_SET_DUMPABLE
    ("getsockopt", (3, 1, 3), ALLOW),
    ("getsockopt", (3, 1, 17), refuse(errno.EPERM)),  # SO_PEERCRED
    ("getsockopt", (3, 1, 77), refuse(errno.EPERM)),  # SO_PEERPIDFD
    ("getsid", (0,), ALLOW),
    ("getsid", (5,), refuse(errno.EPERM)),
    ("getpgid", (5,), refuse(errno.EPERM)),
    ("getpriority", (0, 0), ALLOW),
    ("getpriority", (2, 1000), refuse(errno.EPERM)),
    ("sched_setaffinity", (0, 8), ALLOW),
    ("sched_setaffinity", (5, 8), refuse(errno.EPERM)),
]


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize(("call", "arguments", "answer"), CHECKS)
def test_arguments_decide(name: str, call: str, arguments: tuple[int, ...], answer: int) -> None:
    assert decide(name, call, *arguments) == answer


def test_every_call_with_checks_is_tried_above() -> None:
    assert set(calls.CHECKED) - {call for call, _, _ in CHECKS} == {"open"}
    assert decide("x86_64", "open", 0, 0o1000) == refuse(errno.EPERM)
    assert decide("x86_64", "open", 0, 0o1101) == ALLOW


def test_what_is_decided_is_decided_once_and_about_calls_that_exist() -> None:
    lists = [calls.ALLOWED, set(calls.CHECKED), set(calls.ANSWERED)]
    assert sum(map(len, lists)) == len(set().union(*lists))
    known = set().union(*NUMBERS.values())
    # Younger than the headers that the table was made from.
    assert set().union(*lists) - known == {"fchmodat2"}


DANGEROUS = """
execve execveat fork vfork ptrace process_vm_readv process_vm_writev mount umount2 pivot_root chroot
unshare setns bpf perf_event_open userfaultfd keyctl add_key request_key init_module finit_module
memfd_create memfd_secret socket connect bind listen accept accept4 sendmsg sendmmsg recvmmsg
setsockopt shmget semget msgget mq_open tkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open
pidfd_getfd pidfd_send_signal setpriority ioprio_set sched_setscheduler sched_setparam setuid
setgid setresuid setfsuid setgroups capset seccomp landlock_restrict_self inotify_init1
fanotify_init name_to_handle_at open_by_handle_at mknodat linkat truncate splice tee vmsplice
mincore mlock mlockall swapon reboot kexec_load syslog quotactl acct settimeofday clock_settime
sethostname iopl ioperm modify_ldt personality process_madvise kcmp move_pages mbind
"""


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_what_would_reach_beyond_the_job_is_not_permitted(name: str) -> None:
    for call in DANGEROUS.split():
        if call in NUMBERS[name]:
            assert decide(name, call) == refuse(errno.EPERM), call


def test_the_filter_is_short_enough_for_the_kernel_and_no_jump_is_too_long() -> None:
    for program in PROGRAMS.values():
        assert len(program) < 4096
        assert all(max(jt, jf) <= seccomp.LONGEST_JUMP for _, jt, jf, _ in program)
