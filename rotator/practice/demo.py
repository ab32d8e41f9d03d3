"""`make demo`: a stolen laptop, a real scanner's report, the rotator's response, and every door tried by hand.

Ends with 0 only when the response is complete and its report is true.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, NoReturn

from rich.console import Console

from rotator.errors import BadInput
from rotator.practice.demo_text import conclusion, consumers_table, doors_table
from rotator.practice.honesty import InUse, Tried, lies, still_open, unfinished
from rotator.practice.laptop import plant, scan
from rotator.practice.process import running
from rotator.practice.range import Range, practice_range

BUILD = Path("build").absolute()
INTERRUPTED = 130
_SOMETHING_OPEN = 3
_RESPOND_DEADLINE_S = 300
_DETACH_S = 5
_OF_THE_PERSON = ("ROTATOR_", "AWS_", "VAULT_", "BAO_")
"""Settings of whoever runs the demo: followed, they would lead to a real account or ledger."""


def main() -> int:
    """Play the whole story under `build/`; return the exit code."""
    on_its_own()
    screen, folder, began = Console(highlight=False, soft_wrap=True), BUILD / "demo", time.monotonic()
    try:
        with alone(folder):
            shutil.rmtree(folder, ignore_errors=True)
            _chapter(
                screen, "The practice range: an AWS account, a Vault, three SSH hosts, a token service, five programs"
            )
            with practice_range(folder) as practice:
                return _play(screen, folder, practice, began)
    except KeyboardInterrupt:
        screen.print("\nInterrupted; everything that was started has ended.")
        return INTERRUPTED
    except (BadInput, RuntimeError) as error:
        screen.print(f"demo: {error}", markup=False)
        return 1


def _play(screen: Console, folder: Path, practice: Range, began: float) -> int:
    rotator = [str(Path(sys.executable).with_name("rotator")), "--config", str(practice.config)]
    lock = folder / "rotator-data" / "runtime.lock"
    # Started here and not by `respond`, so that it ends with the demo whatever happens.
    with running([*rotator, "up"], ready=lambda: lock.is_file() and lock.read_text() != "", log=folder / "up.log"):
        _chapter(screen, "A laptop is stolen; this is what its credentials open")
        before = [Tried(each, each.knock()) for each in practice.stolen]
        screen.print(doors_table(before))

        _chapter(screen, "kingfisher scans the laptop's last backup, offline")
        plant(folder / "laptop", practice.loot)
        leak = scan(folder / "laptop", folder / "kingfisher.json", BUILD / "kingfisher")
        screen.print(f"its report: {_short(leak)}")

        _chapter(screen, f"$ rotator --config {_short(practice.config)} respond {_short(leak)} --yes")
        asked = ["respond", str(leak), "--title", "Stolen laptop", "--severity", "critical", "--yes"]
        code = _run([*rotator, *asked])
        report = _report(rotator, BUILD / "report.json")

    _chapter(screen, "The same doors again, by clients that share no code with the rotator")
    after = [Tried(each.stolen, each.stolen.knock()) for each in before]
    screen.print(doors_table(after, report))
    used = [InUse(each.name, stolen, each.using, each.log_in()) for stolen, each in practice.consumers.items()]
    screen.print(consumers_table(used))

    _chapter(screen, "The incident's report")
    wrong = [*lies(report, after, used), *unfinished(report, after, used)]
    strays = {entry["id"] for entry in still_open(report)} - {each.id for each in practice.stolen}
    if code != (expected := _SOMETHING_OPEN if strays else 0):
        wrong.append(f"rotator ended with {code}; what the doors say makes it {expected}")
    if not strays:
        wrong.append("the token that no connection knows is missing from the report")
    screen.print(conclusion(report, wrong, _short(BUILD / "report.json"), time.monotonic() - began))
    return 1 if wrong else 0


def on_its_own() -> None:
    """Follow no setting of the person, and end as on Ctrl-C when asked to: what was started is ended."""
    for name in [each for each in os.environ if each.startswith(_OF_THE_PERSON)]:
        del os.environ[name]
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup ignores it: a closed terminal ends nothing
        signal.signal(signal.SIGHUP, _interrupt)


def alone(folder: Path) -> IO[str]:
    """Return a lock on the folder, held while it is open. Raises BadInput when another has it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = folder.with_suffix(".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BadInput("another is running here", str(folder), "wait for its end") from None
    return lock


def _run(command: Sequence[str]) -> int:
    """Run it on this terminal; when interrupted, let it say its last word first."""
    process = subprocess.Popen(command)
    try:
        return process.wait(_RESPOND_DEADLINE_S)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"rotator was not done after {_RESPOND_DEADLINE_S} seconds") from None
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_DETACH_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _report(rotator: Sequence[str], path: Path) -> dict[str, Any]:
    """Keep the incident's report in `path` and return it. Raises RuntimeError when there is none."""
    done = subprocess.run([*rotator, "report", "last", "-o", "json"], stdout=subprocess.PIPE, check=False, timeout=60)
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise RuntimeError(f"rotator has no report to show (it ended with {done.returncode})") from None
    path.write_bytes(done.stdout)
    return report


def _chapter(screen: Console, title: str) -> None:
    screen.print(f"\n[bold]{title}[/bold]")


def _short(path: Path) -> str:
    return str(path.relative_to(BUILD.parent))


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
