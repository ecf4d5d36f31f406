"""A Python without what Windows lacks: run as a script, it runs `grader` that way.

Hidden before anything of ours is imported, in this process and in every worker: the modules and the
functions that only Unix has. What the standard library itself is made of stays.
"""

HIDE = """
import os, select, signal, socket, subprocess, sys, selectors, multiprocessing.util
import multiprocessing.synchronize, multiprocessing.connection
for name in ("fcntl", "resource", "termios", "pwd", "grp", "tty"):
    sys.modules[name] = None
for owner, names in (
    (os, "fork forkpty memfd_create pread setsid wait4 sysconf killpg"),
    (signal, "SIGSTOP SIGCHLD SIGXCPU SIGUSR1 set_wakeup_fd"),
    (socket, "AF_UNIX send_fds recv_fds SOCK_SEQPACKET"),
    (select, "poll epoll"),
):
    for name in names.split():
        if hasattr(owner, name):
            delattr(owner, name)
"""

if __name__ == "__main__":
    import sys

    exec(HIDE)
    from grader.sandbox import standby

    zygote = str(standby.SCRIPT)
    script = f"{HIDE}\nimport runpy\nsys.argv = [{zygote!r}, *sys.argv[1:]]\n"
    script += f"runpy.run_path({zygote!r}, run_name='__main__')"
    standby.COMMAND = [sys.executable, "-I", "-B", "-X", "utf8", "-c", script, "standby"]
    from grader.cli import main

    main()
