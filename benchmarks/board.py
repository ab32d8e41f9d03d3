"""How long a board waits for an incident of 50,000 credentials: at first, and while 1,000 steps a second land.

Whole pages are asked for over HTTP, one after the other, of a service in a process of its own, as `rotator serve` is
one; another process writes what workers would. The ledger is filled by declaring and approving a plan.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import math
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.board_served import parts_of
from benchmarks.cloud_keys import settings, stolen
from benchmarks.population import accounts, plant
from rotator.flow.approval import Role
from rotator.practice.process import free_port, listening, running
from tests.servers.postgres import postgres

CREDENTIALS = 50_000
SMALL = 199
"""How many small incidents the list has beside the large one."""
ANSWERS = 60
EVERY_S = 0.25
TARGET_S = 0.2
ACCOUNTS = 10
_BEING_READ = b'data-part="being-read"'


def measure(
    credentials: int = CREDENTIALS, answers: int = ANSWERS, small: int = SMALL, *, production: bool = True
) -> list[dict[str, object]]:
    """Return the seconds that the slowest of twenty answers took, by page, on SQLite and in `production` too."""
    sizes = {"credentials": credentials, "answers": answers, "small": small}
    with tempfile.TemporaryDirectory() as name:
        figures = _measured(Path(name), "SQLite", None, **sizes)
    if production:
        with tempfile.TemporaryDirectory() as name, postgres() as url:
            figures += _measured(Path(name), "PostgreSQL", url, **sizes)
    return figures


def _measured(
    folder: Path, ledger: str, url: str | None, *, credentials: int, answers: int, small: int
) -> list[dict[str, object]]:
    given, key = folder / "settings.json", folder / "kept.key"
    key.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
    # Nobody works here, so nobody asks the broker that such a ledger has to have.
    more = {"database_url": url, "seal_key": f"file:{key}", "broker_url": "redis://127.0.0.1:1/0"} if url else {}
    told = settings(folder, accounts(ACCOUNTS), 1, **more)
    given.write_text(told.model_dump_json(exclude={"folder"}, exclude_none=True))
    parts = parts_of(given)
    parts.database.migrate()
    incident, prepared = stolen(parts, plant(credentials, ACCOUNTS))
    parts.enrolment.approve(incident, prepared.plan.digest, by="benchmark")
    for number in range(small):
        stolen(parts, plant(1, ACCOUNTS, seed=number + 2))
    token = parts.tokens.create("benchmark", Role.ADMIN, "", 86_400.0, "benchmark")[0].reveal()
    parts.database.close()
    pages = {
        "incident": f"/incidents/{incident}",
        "incident, filtered": f"/incidents/{incident}?state=pending&q=key&sort=-owner",
        "credential": f"/incidents/{incident}/credentials/{incident}.r7",
        "plan": f"/incidents/{incident}/plan",
        "list of incidents": "/incidents",
    }
    took: dict[str, list[float]] = {}
    with _serving(folder, given) as (port, process):
        board = _Board(port, token)
        for name, path in pages.items():
            took[f"first {name}"] = [board.ask(path)[0]]
        begun = time.monotonic()
        while any(_BEING_READ in board.ask(path)[1] for path in pages.values()):
            time.sleep(EVERY_S)
        print(f"  {ledger}: all of it read after {time.monotonic() - begun:.1f} s more", flush=True)
        with _landing(folder, given, incident):
            board = _Board(port, token)  # the line before was closed meanwhile, which was idle
            before, since = _cpu_s(process), time.monotonic()
            for _ in range(answers):
                for name, path in pages.items():
                    took.setdefault(name, []).append(board.ask(path)[0])
                time.sleep(EVERY_S)
            used, passed = _cpu_s(process) - before, time.monotonic() - since
        load = os.getloadavg()[0]
        print(f"  {ledger}: {used / passed:.0%} of a core while it served; load average {load:.1f}", flush=True)
    return [
        {
            "name": f"board of {credentials:,} credentials with {ledger}: {what}, p95",
            "value": round(_p95(seconds), 4),
            "unit": "s",
            "target": TARGET_S,
        }
        for what, seconds in took.items()
    ]


class _Board:
    """A browser's line to it."""

    def __init__(self, port: int, token: str) -> None:
        self._line = http.client.HTTPConnection("127.0.0.1", port)
        self._shown = {"Authorization": f"Bearer {token}", "Accept": "text/html"}

    def ask(self, path: str) -> tuple[float, bytes]:
        """Return how many seconds a page took, and the page. Raises RuntimeError for none."""
        begun = time.perf_counter()
        self._line.request("GET", path, headers=self._shown)
        answer = self._line.getresponse()
        body = answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{path} was answered {answer.status}")
        return time.perf_counter() - begun, body


@contextlib.contextmanager
def _serving(folder: Path, given: Path) -> Iterator[tuple[int, int]]:
    """Serve until the block ends; yield the port, and the process's number."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.board_served", "serve", str(given), str(port)]
    with running(command, ready=lambda: listening(port), log=folder / "serve.log") as process:
        yield port, process.pid


@contextlib.contextmanager
def _landing(folder: Path, given: Path, incident: str) -> Iterator[None]:
    """Let steps land until the block ends."""
    log = folder / "land.log"
    command = [sys.executable, "-m", "benchmarks.board_served", "land", str(given), incident]
    with running(command, ready=lambda: "landing" in log.read_text(), log=log):
        yield


def _cpu_s(process: int) -> float:
    """Return for how many seconds a process computed: what others take of a shared machine is not in it."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _p95(seconds: list[float]) -> float:
    return sorted(seconds)[math.ceil(0.95 * len(seconds)) - 1]
