"""Show how far a reading is: a bar on a terminal, a line now and then otherwise, both on standard error."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from rotator.cli.options import console
from rotator.manifests.hashing import Meter
from rotator.report.plain import plain

EVERY_S = 10.0
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
_STEP = 1024


@contextlib.contextmanager
def shown(meter: Meter, what: str, total: int = 0, *, quiet: bool) -> Iterator[None]:
    """Show it while the block lasts; `total` is in bytes, 0 where nobody knows."""
    screen = console(error=True)
    if quiet:
        yield
    elif screen.is_terminal:
        with Live(console=screen, refresh_per_second=8, get_renderable=lambda: _picture(meter, what, total)):
            yield
    else:
        with _lines(meter, what):
            yield


@contextlib.contextmanager
def _lines(meter: Meter, what: str) -> Iterator[None]:
    is_over = threading.Event()

    def tell() -> None:
        while not is_over.wait(EVERY_S):
            print(line(meter, what), file=sys.stderr, flush=True)  # noqa: T201

    telling = threading.Thread(target=tell, daemon=True)
    telling.start()
    try:
        yield
    finally:
        is_over.set()
        telling.join()


def _picture(meter: Meter, what: str, total: int) -> Group:
    bar = ProgressBar(total=total or None, completed=min(meter.read, total), width=60, pulse=not total)
    return Group(Text(line(meter, what)), bar)


def line(meter: Meter, what: str) -> str:
    """Say how far it is."""
    unread = f", {meter.counts.unread:,} not readable" if meter.counts.unread else ""
    return plain(f"{what}: {meter.counts.files:,} files, {amount(meter.read)} read{unread}")


def amount(size: float) -> str:
    """Return bytes as people read them."""
    for unit in _UNITS[:-1]:
        if size < _STEP:
            return f"{size:,.0f} {unit}" if unit == _UNITS[0] else f"{size:.1f} {unit}"
        size /= _STEP
    return f"{size:,.1f} {_UNITS[-1]}"
