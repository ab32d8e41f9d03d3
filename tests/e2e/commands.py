"""Call the real command line as a person or a script would: its own process, its own environment, and its whole say."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e import ready

ROTATOR = str(Path(sys.executable).with_name("rotator"))
QUICKLY = (sys.executable, str(Path(__file__).with_name("quickly.py")))
"""The same, with short waits for what has died."""
_PATIENCE_S = 180.0


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """Return the report on standard output, which must be JSON and nothing else."""
        return json.loads(self.out)

    @property
    def one_line(self) -> str:
        """Return the only line of standard error: an error that is more than that has failed its reader."""
        [line] = self.err.splitlines()
        return line

    def ended(self, code: int) -> Done:
        """Return this, if it ended so."""
        assert self.code == code, f"ended with {self.code}, not {code}\n{self.out[-3000:]}\n{self.err[-3000:]}"
        return self


@dataclass
class CommandLine:
    """The command line in one folder, for one configuration; everything that any command said is kept in `said`.

    `is_ready`: a command is forked from an interpreter that has imported everything; not at a terminal, nor where its
    `environment` names what is loaded before an interpreter begins.
    """

    folder: Path
    config: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = (ROTATOR,)
    is_ready: bool = False
    said: list[str] = field(default_factory=list)

    def environ(self) -> dict[str, str]:
        """Return the environment of a person who has set nothing up."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "COVERAGE_PROCESS_START") if name in os.environ}
        kept["PATH"] = f"{Path(ROTATOR).parent}:{kept.get('PATH', os.defpath)}"  # so he calls it by its name
        return {**kept, "HOME": str(self.folder), **self.environment}

    def argv(self, *words: str) -> list[str]:
        return [*self.program, *(["--config", str(self.config)] if self.config else []), *words]

    def __call__(self, *words: str, given: str | bytes = b"") -> Done:
        """Run a command to its end, `given` on its standard input."""
        argv, cwd, env = self.argv(*words), self.folder, self.environ()
        given = given.encode() if isinstance(given, str) else given
        if self._forks:
            done = ready.run(self._script(argv), cwd=cwd, env=env, given=given, timeout=_PATIENCE_S)
        else:
            done = subprocess.run(
                argv, cwd=cwd, env=env, input=given, capture_output=True, timeout=_PATIENCE_S, check=False
            )
        return self._heard(done.returncode, done.stdout, done.stderr)

    @property
    def _forks(self) -> bool:
        return self.is_ready and "LD_PRELOAD" not in self.environment

    def _script(self, argv: list[str]) -> list[str]:
        """Return what an interpreter is given to run, where that stands before it."""
        return argv[1:] if argv[0] == sys.executable else argv

    def start(self, *words: str) -> Running:
        """Start a command and let it run."""
        argv, cwd, env = self.argv(*words), self.folder, self.environ()
        if self._forks:
            return Running(ready.Started(self._script(argv), cwd=cwd, env=env), self._heard)
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        return Running(process, self._heard)

    def at_terminal(self, *words: str, answers: Mapping[str, str] | None = None) -> Done:
        """Run a command at a terminal of its own, and type each answer when its question is seen."""
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (50, 140))
        process = subprocess.Popen(
            self.argv(*words),
            cwd=self.folder,
            env={"TERM": "xterm-256color", **self.environ()},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        shown, waiting = b"", dict(answers or {})
        with contextlib.suppress(OSError):  # Linux tells so that nobody has the other end any more
            while part := os.read(ours, 65536):
                shown += part
                for question in [each for each in waiting if each.encode() in shown]:
                    os.write(ours, waiting.pop(question).encode() + b"\n")
        os.close(ours)
        return self._heard(process.wait(_PATIENCE_S), shown, b"")

    def _heard(self, code: int, out: bytes, err: bytes) -> Done:
        done = Done(code, out.decode(), err.decode())
        self.said += [done.out, done.err]
        return done


class Running:
    """A command at work."""

    def __init__(
        self, process: subprocess.Popen[bytes] | ready.Started, heard: Callable[[int, bytes, bytes], Done]
    ) -> None:
        self.process, self._heard = process, heard
        self._out, self._err = b"", b""
        self._over: set[str] = set()
        self._more = threading.Condition()
        self._readers = [
            threading.Thread(target=self._listen, args=(stream, name), daemon=True)
            for stream, name in ((process.stdout, "_out"), (process.stderr, "_err"))
        ]
        for reader in self._readers:
            reader.start()

    def _listen(self, stream: Any, name: str) -> None:
        while part := os.read(stream.fileno(), 65536):
            with self._more:
                setattr(self, name, getattr(self, name) + part)
                self._more.notify_all()
        with self._more:
            self._over.add(name)
            self._more.notify_all()

    def until_said(self, words: str) -> Running:
        """Wait until standard error has these words."""
        with self._more:
            self._more.wait_for(lambda: words.encode() in self._err or "_err" in self._over, _PATIENCE_S)
            assert words.encode() in self._err, self._err.decode()
        return self

    @property
    def said(self) -> list[str]:
        """Return the lines that it has said on standard error until now."""
        with self._more:
            return self._err.decode().splitlines()

    def interrupt(self) -> Running:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return self

    def kill(self) -> None:
        """End it as a lost machine would."""
        self.process.kill()
        self.end()

    def end(self) -> Done:
        """Wait for its end."""
        code = self.process.wait(_PATIENCE_S)
        for reader in self._readers:
            reader.join(_PATIENCE_S)
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()
        return self._heard(code, self._out, self._err)


@contextlib.contextmanager
def at_work(command: Running) -> Iterator[Running]:
    """Let a command run for the block, then ask it to stop."""
    try:
        yield command
    finally:
        if command.process.poll() is None:
            command.process.terminate()
            command.end()


def until(what: Callable[[], Any], patience_s: float = _PATIENCE_S) -> Any:
    """Wait until it is true, and return it."""
    deadline = time.monotonic() + patience_s
    while not (found := what()):
        assert time.monotonic() < deadline, f"never came true: {what.__name__}"
        time.sleep(0.02)
    return found


def runtime_of(data_dir: Path) -> int | None:
    """Return the process that holds the ledger's lock, or None."""
    path = data_dir / "runtime.lock"
    if not path.is_file():
        return None
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            return int((file.read().split() or [0])[0])
    return None


def stop_runtime(data_dir: Path) -> None:
    """Ask the detached runtime to stop, if there is one, and wait until it has."""
    while (found := runtime_of(data_dir)) is not None:
        if found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(found, signal.SIGTERM)
        until(lambda: runtime_of(data_dir) != found)
