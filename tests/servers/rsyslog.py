"""Run rsyslogd, as Debian has it, and read what it wrote."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rotator.practice.process import free_port, listening, running

_CONFIG = """
global(workDirectory="{folder}")
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="{port}")
template(name="line" type="string" string="%protocol-version% %pri% %app-name% %msgid% %msg%\\n")
*.* action(type="omfile" file="{folder}/written" template="line")
"""


@dataclass
class Rsyslog:
    """Where it takes syslog over TCP; and once it has ended `lines`: version, priority, app, message id and text."""

    address: str
    lines: list[str] = field(default_factory=list)


@contextlib.contextmanager
def rsyslog() -> Iterator[Rsyslog]:
    """Run one until the block ends: it then writes all that it has read, and ends."""
    folder, port = Path(tempfile.mkdtemp(prefix="rotator-rsyslog-")), free_port()
    (folder / "rsyslog.conf").write_text(_CONFIG.format(folder=folder, port=port))
    command = ["/usr/sbin/rsyslogd", "-n", "-f", str(folder / "rsyslog.conf"), "-i", str(folder / "pid")]
    server = Rsyslog(f"tcp://127.0.0.1:{port}")
    try:
        with running(command, ready=lambda: listening(port), log=folder / "log"):
            yield server
        server.lines += (folder / "written").read_text().splitlines()
    finally:
        shutil.rmtree(folder)
