"""PID 1 of a machine's namespaces: mounts its tree, boots it when asked to, and takes everything along when it ends.

    init.py TREE MOUNT_POINT     in mount, PID and network namespaces of its own; reads `boot` and `end` from standard input, says
                                 `mounted`, and `ended` when what was booted has ended
"""

import os
import pathlib
import signal
import subprocess
import sys

tree, point = sys.argv[1], pathlib.Path(sys.argv[2])
NSPAWN = [
    "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--machine=gate", "--private-network", "--console=pipe",
    "--resolv-conf=off", "--timezone=off", "--boot", f"--directory={point}/root",
]
booted = 0


def say(word):
    os.write(3, word.encode() + b"\n")


def reap(*_):
    global booted
    try:
        while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
            if pid == booted:
                booted = 0
                say("ended")
    except ChildProcessError:
        pass


def mount(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True)


mount("--make-rprivate", "/")
# What is written is in memory, so nothing of it is left.
mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", point)
for name in ("upper", "work", "root"):
    (point / name).mkdir()
mount("-t", "overlay", "overlay", "-o", f"lowerdir={tree},upperdir={point}/upper,workdir={point}/work", point / "root")
mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/run")
mount("-t", "proc", "proc", point / "root/proc")
mount("--bind", "/dev", point / "root/dev")
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
signal.signal(signal.SIGCHLD, reap)
say("mounted")
for line in sys.stdin:
    if line == "end\n":
        break
    if line == "boot\n":
        # What a chroot needs is in systemd's way.
        for name in ("proc", "dev"):
            subprocess.run(["umount", point / "root" / name], check=False)
        null = os.open(os.devnull, os.O_RDONLY)
        booted = os.posix_spawnp(NSPAWN[0], NSPAWN, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, null, 0)])
