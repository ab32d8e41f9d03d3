"""Import all that commands import, once, then fork for each command that `ready.py` asks for.

Each is a process of its own whose parent waits for it alone, and says on the last of its files which it is and how it
ended. Here are no threads, so that a fork has all that its parent had.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import rotator
from rotator.playbook_file import load_all

MOST = 1 << 18
APART = ("rotator.practice", "rotator.ledger.migrations", "rotator.__main__")
"""What no command imports, and what does something when it is imported."""


def serve(asked: socket.socket) -> Mapping[str, Any] | None:
    """Fork for all that is asked; return it in each process that is to do it, and None once nobody is left to ask."""
    import_all()
    gc.collect()
    gc.freeze()  # what no collection writes into stays shared
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for who waits
    while True:
        told, files, _, _ = socket.recv_fds(asked, MOST, 4)
        if not told:
            return None
        if os.fork() == 0:
            asked.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            wait_for_a_fork(files)
            return json.loads(told)
        for each in files:
            os.close(each)


def wait_for_a_fork(files: Sequence[int]) -> None:
    """Fork, and return with these files as the standard ones; who was forked from says what becomes of it, and ends."""
    *standard, says = files
    command = os.fork()
    if command == 0:
        for number, each in enumerate(standard):
            os.dup2(each, number)
        for each in files:
            os.close(each)
        return
    for each in standard:
        os.close(each)
    os.write(says, f"{command} ".encode())
    os.write(says, str(os.waitpid(command, 0)[1]).encode())
    os._exit(0)


def become(asked: Mapping[str, Any]) -> None:
    """Be a process that was started with these words, in this environment and folder; do what its program does."""
    if asked.get("leads"):
        os.setsid()
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    sys.argv[:] = asked["argv"]
    sys.path[0] = os.path.dirname(sys.argv[0])  # noqa: PTH120 - as the interpreter has it
    sys.stdin, sys.stdout = open(0), open(1, "w")  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace")  # noqa: SIM115
    runpy.run_path(sys.argv[0], run_name="__main__")


def import_all() -> None:
    """Import what any command might, and read what is shipped."""
    for module in pkgutil.walk_packages(rotator.__path__, "rotator."):
        if not module.name.startswith(APART):
            importlib.import_module(module.name)
    load_all()


if __name__ == "__main__":
    if (command := serve(socket.socket(fileno=int(sys.argv[1])))) is not None:
        become(command)
