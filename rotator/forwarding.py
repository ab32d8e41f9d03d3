"""Send the evidence to a SIEM while this process's dispatcher leads, and never in its way: one thread for each channel.

A channel's place in the evidence is moved on after the receiver took what stands before it: whoever dies between the
two has it sent again by the next, the same event under the same `metadata.uid`.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from rotator import clock, secret_reference
from rotator.errors import BadInput, RotatorError, Unavailable
from rotator.ledger.database import Database, LedgerFailed
from rotator.ledger.siem import SiemPlaces, Stand
from rotator.settings.siem import SiemSettings
from rotator.siem import cef, ocsf
from rotator.siem.channel import Channel, Line
from rotator.siem.to_file import ToFile
from rotator.siem.to_http import Endpoint, ToHttp
from rotator.siem.to_syslog import Receiver, ToSyslog
from rotator.siem.to_udp import ToUdp

log = logging.getLogger("rotator")

POLL_S = 0.5
"""Seconds after which a channel looks whether there is something new."""
END_S = 5.0
"""Seconds that are waited for all threads together when a process ends."""
BATCH = 500
"""Records that are sent at once; half as many after each failure, so that one that is refused is alone at last."""
MOST_BYTES = 900_000
"""Bytes that are sent at once, of more than one record: many receivers, and proxies before them, refuse a megabyte."""


def channel_of(entry: SiemSettings, folder: Path) -> Channel:
    """Return the way to a channel; references in it are read at each use, paths are meant from `folder`."""
    ca_file = None if entry.ca_file is None else str(folder / Path(entry.ca_file).expanduser())
    if entry.file is not None:
        return ToFile(folder / Path(entry.file).expanduser())
    if entry.url is not None:
        token = None if entry.token is None else functools.partial(secret_reference.read, entry.token, folder)
        media_type = "application/x-ndjson" if entry.format == "ocsf" else "text/plain; charset=utf-8"
        return ToHttp(Endpoint(entry.url, media_type, token, entry.authorization, ca_file))
    way, host, port = entry.receiver
    return ToUdp(host, port) if way == "udp" else ToSyslog(Receiver(host, port, way == "tls", ca_file))


def line_of(entry: SiemSettings, event: dict[str, object]) -> Line:
    """Return an event in a channel's format."""
    text = ocsf.written(event) if entry.format == "ocsf" else cef.line(event)
    at, severity = float(str(event["time"])) / 1000, int(str(event["severity_id"]))
    return Line(text, at, severity, str(event["class_name"]).replace(" ", "_").lower())


class Forwarding:
    """The threads that send. `leads` says whether this process is the one to do it."""

    def __init__(
        self,
        database: Callable[[], Database],
        entries: list[SiemSettings],
        folder: Path,
        leads: Callable[[], bool],
        now: Callable[[], float] = clock.now,
    ) -> None:
        self._entries, self._folder, self._leads = entries, folder, leads
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        if entries:
            self._places = SiemPlaces(database(), now)

    def start(self) -> None:
        """Begin; where no channel is configured there is nothing to do."""
        for entry in self._entries:
            channel = channel_of(entry, self._folder)
            # A daemon: one that hangs keeps the process from nothing.
            thread = threading.Thread(target=self._go_on, args=(entry, channel), name=f"siem {entry.name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End, with what was written until now sent where the receivers are quick."""
        self._ended.set()
        latest = time.monotonic() + END_S
        for each in self._threads:
            each.join(timeout=max(latest - time.monotonic(), 0.0))

    def _go_on(self, entry: SiemSettings, channel: Channel) -> None:
        waits = False
        while not self._ended.wait(POLL_S):
            waits = self._waits(entry, channel, known=waits)
        self._waits(entry, channel, known=waits)

    def _waits(self, entry: SiemSettings, channel: Channel, *, known: bool) -> bool:
        """Send what there is; tell whether something of our own kept it from that, and say so unless it is `known`."""
        try:
            while self._leads() and self.forward(entry, channel):
                pass
        except Exception as error:  # noqa: BLE001 - its words may quote rows; the next try begins at the same place
            if not known:
                what = "the ledger failed" if isinstance(error, LedgerFailed) else "internal error"
                log.warning("siem_waits: %s: %s (%s)", entry.name, what, type(error).__name__)
            return True
        return False

    def forward(self, entry: SiemSettings, channel: Channel) -> bool:
        """Send the next records; tell whether they were taken, so that there may be more to send at once."""
        stand = self._places.find(entry.name) or self._begun(entry)
        records = self._places.next(stand, max(BATCH >> stand.attempts, 1))
        taken = self._places.take(stand) if records else None
        if taken is None:
            return False
        told, lines, size, cursor = self._places.told(records), list[Line](), 0, taken.cursor
        try:
            for record, each in zip(records, told, strict=True):
                taken = taken.before(each)
                more = [line_of(entry, event) for event in ocsf.events(each)] if each.at >= taken.since else []
                size += sum(len(line.text.encode()) for line in more)
                if lines and size > MOST_BYTES:
                    break
                lines += more
                cursor = record.cursor
            if lines:
                channel.send(lines)
        except Exception as error:  # noqa: BLE001 - a defect is told where people look; its words may hold material
            self._put_off(entry, taken, error)
            return False
        return self._places.passed(taken, cursor, len(lines))

    def _begun(self, entry: SiemSettings) -> Stand:
        before = f"`rotator siem replay {entry.name} --from DATE` sends what was written before"
        log.warning("siem_begins: %s: with what is written from now on; %s", entry.name, before)
        return self._places.begin(entry.name)

    def _put_off(self, entry: SiemSettings, taken: Stand, error: Exception) -> None:
        known = isinstance(error, RotatorError)
        reason = str(error) if known else f"internal error ({type(error).__name__})"
        if isinstance(error, BadInput):
            reason = "its token cannot be read"
        after = error.retry_after if isinstance(error, Unavailable) else None
        if self._places.failed(taken, reason, after) and not taken.attempts:
            log.warning("siem_waits: %s: %s", entry.name, reason)
