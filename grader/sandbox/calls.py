"""What is decided about each of the kernel's calls. Untrusted side; `seccomp` makes it a filter.

Allowed by default is nothing. What a job may do without checks is below; so is what it may do with
certain arguments, and what gets another answer than "not permitted".
"""

from dataclasses import dataclass

EPERM, ENOSYS, ENOTSUP = 1, 38, 95
"""Linux's numbers, as all below: they do not depend on the machine that reads this."""

OWN = "own process"

_FILES = """
read write pread64 pwrite64 readv writev preadv pwritev preadv2 pwritev2 lseek close close_range
dup dup2 dup3 stat fstat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat
getdents getdents64 getcwd chdir fchdir mkdir mkdirat rmdir unlink unlinkat rename renameat
renameat2 symlink symlinkat ftruncate fallocate creat fsync fdatasync umask statfs fstatfs
fadvise64 copy_file_range sendfile
"""
_MEMORY = "brk mmap munmap mremap mprotect madvise msync membarrier"
_ITSELF = """
getpid gettid getppid getuid geteuid getgid getegid getgroups getresuid getresgid getpgrp uname
sysinfo times getrusage getrlimit getcpu sched_yield sched_getaffinity sched_get_priority_max
sched_get_priority_min getrandom exit exit_group wait4 waitid
"""
_THREADS = "futex set_tid_address set_robust_list rseq restart_syscall"
_SIGNALS = """
rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend sigaltstack
pause alarm setitimer getitimer
"""
_TIME = """
nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time timerfd_create
timerfd_settime timerfd_gettime
"""
_WAITING = """
pipe pipe2 eventfd eventfd2 poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl
epoll_wait epoll_pwait epoll_pwait2 recvfrom recvmsg shutdown getsockname getpeername
"""

ALLOWED = frozenset(
    " ".join([_FILES, _MEMORY, _ITSELF, _THREADS, _SIGNALS, _TIME, _WAITING]).split()
)
"""Calls that are let through whatever their arguments."""


@dataclass(frozen=True, slots=True)
class Check:
    """Looks at one argument of a call, and decides about the call where it holds."""

    argument: int
    """Which argument, from 0."""
    value: int | str
    """What it has to be: a number, or `OWN` for the child's process id."""
    mask: int | None = None
    """Bits of the argument that are looked at; None for all."""
    wide: bool = False
    """Whether all 64 bits count, as for a pointer; the kernel reads 32 of most others."""
    differs: bool = False
    """Whether it holds where the argument is anything else; not for a wide one."""
    answer: int | None = None
    """Error number to answer with instead of making the call, 0 for success; None: it is made."""


_TRUNCATE_ONLY_READ = 0o1003
"""O_TRUNC and the access mode: kernels before 6.2 cut off a file that is opened for reading, which
Landlock's first two versions do not see."""

_THREAD = 0x3D0F00
"""What the C library asks for in a new thread; musl's has one old bit more."""

_F_DUPFD, _F_GETFD, _F_SETFD, _F_GETFL, _F_SETFL, _F_DUPFD_CLOEXEC = 0, 1, 2, 3, 4, 1030
_F_GET_SEALS = 1034
# A lock on a file that other jobs can read too would be a signal to them, so locks are pretended:
# nobody else can write where this job can.
_F_SETLK, _F_SETLKW, _F_OFD_SETLK, _F_OFD_SETLKW = 6, 7, 37, 38
_TCGETS, _TIOCGWINSZ, _FIONREAD, _FIONBIO, _FIONCLEX, _FIOCLEX = (
    0x5401,
    0x5413,
    0x541B,
    0x5421,
    0x5450,
    0x5451,
)
_AF_UNIX, _SOCK_STREAM, _SOCK_FLAGS = 1, 1, 0o2004000
_SO_TYPE, _SO_ERROR, _SO_PROTOCOL, _SO_DOMAIN = 3, 4, 38, 39
_PR_SET_NAME, _PR_GET_NAME, _PR_SET_VMA = 15, 16, 0x53564D41


def _second(value: int) -> Check:
    return Check(1, value)


def _third(value: int) -> Check:
    return Check(2, value)


CHECKED: dict[str, tuple[Check, ...]] = {
    "open": (
        Check(1, 0o1000, _TRUNCATE_ONLY_READ, answer=EPERM),
        Check(1, 0, 0),
    ),
    "openat": (
        Check(2, 0o1000, _TRUNCATE_ONLY_READ, answer=EPERM),
        Check(2, 0, 0),
    ),
    "clone": (Check(0, _THREAD), Check(0, _THREAD | 0x400000)),
    "fcntl": (
        *map(_second, (_F_DUPFD, _F_GETFD, _F_SETFD, _F_GETFL, _F_SETFL)),
        *map(_second, (_F_DUPFD_CLOEXEC, _F_GET_SEALS)),
        *(
            Check(1, command, answer=0)
            for command in (_F_SETLK, _F_SETLKW, _F_OFD_SETLK, _F_OFD_SETLKW)
        ),
    ),
    "ioctl": tuple(map(_second, (_TCGETS, _TIOCGWINSZ, _FIONREAD, _FIONBIO, _FIONCLEX, _FIOCLEX))),
    "kill": (Check(0, OWN),),
    "tgkill": (Check(0, OWN),),
    "getpgid": (Check(0, 0),),
    "getsid": (Check(0, 0),),
    "getpriority": (Check(1, 0),),
    # Its own limits, which it can only lower.
    "prlimit64": (Check(0, 0),),
    "sched_setaffinity": (Check(0, 0),),
    "prctl": tuple(Check(0, option) for option in (_PR_SET_NAME, _PR_GET_NAME, _PR_SET_VMA)),
    "socketpair": (
        Check(0, _AF_UNIX, differs=True, answer=EPERM),
        Check(1, _SOCK_STREAM, 0xFFFFFFFF & ~_SOCK_FLAGS),
    ),
    # What a socket is, and not who is at its other end.
    "getsockopt": tuple(map(_third, (_SO_TYPE, _SO_ERROR, _SO_DOMAIN, _SO_PROTOCOL))),
    "sendto": (Check(4, 0, wide=True),),
}
"""Calls that depend on their arguments: the first check that holds decides."""

_PRETENDED = """
chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes utimensat futimesat
setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr flock sync
"""
_NO_ATTRIBUTES = "getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr"
_NOT_THERE = "clone3 openat2 io_uring_setup io_uring_enter io_uring_register futex_waitv"

ANSWERED: dict[str, int] = {
    # Landlock does not cover modes, owners, times and attributes. The C library and `shutil` set
    # them as a matter of course, so a success is pretended.
    **dict.fromkeys(_PRETENDED.split(), 0),
    **dict.fromkeys(_NO_ATTRIBUTES.split(), ENOTSUP),
    # Programs fall back on what they can do without these.
    **dict.fromkeys(_NOT_THERE.split(), ENOSYS),
}
"""Error numbers, 0 for a pretended success, of calls that are not made."""
