"""Keep advisories beside the ledger as they were fetched or given, with when: at 2 am their server may be down."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from rotator import clock
from rotator.errors import BadInput
from rotator.intake.fields import mapping
from rotator.packages.advisory import Advisory, moment, read


class KeptAdvisories:
    """A folder with a file for each record, named as the id that was asked for; such an id is a file's name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, name: str, record: Mapping[str, object]) -> None:
        """Write a record that was fetched. What cannot be written costs nobody his plan: it is fetched anew."""
        self._write(name, {"fetched_at": _now(), "record": record})

    def keep_newer(self, name: str, record: Mapping[str, object]) -> bool:
        """Write a record that arrived, unless one is there that a server told later; tell whether it is the newest.

        Senders repeat what they sent, in any order, and others may send it again for them.
        """
        there = self._modified(name)
        if there is not None and ((changed := _changed(record)) is None or changed < there):
            return False
        self.keep(name, record)
        return True

    def keep_given(self, name: str, record: Mapping[str, object]) -> None:
        """Write a record that a person gave as a file, unless one is there that was fetched: that one is believed."""
        if self.read(name, fetched=True) is None:
            self._write(name, {"given_at": _now(), "record": record})

    def _write(self, name: str, told: Mapping[str, object]) -> None:
        text = json.dumps(told)
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile("w", dir=self._folder, suffix=".new", delete=False) as file:
                file.write(text)
            Path(file.name).replace(self._path(name))

    def read(self, name: str, *, fetched: bool = False) -> tuple[tuple[Advisory, ...], str] | None:
        """Return what is kept of an id, and in words how it was had and when; None where nothing is, or it is damaged.

        With `fetched` alone what a server told, and nothing that a person gave.
        """
        try:
            told = json.loads(self._path(name).read_bytes())
            is_given = "given_at" in told and not fetched
            at = datetime.fromisoformat(told["given_at" if is_given else "fetched_at"]).isoformat(timespec="seconds")
            found = read(name, io.BytesIO(json.dumps(told["record"]).encode()))
        except (OSError, ValueError, KeyError, TypeError, RecursionError, BadInput):
            return None
        how = f"{'given as a file' if is_given else 'fetched'} at {at}"
        return (found, how) if all(name in each.names for each in found) else None

    def every(self) -> list[Advisory]:
        """Return every event that is kept, by the name it was asked for by."""
        names = sorted(each.stem for each in self._folder.glob("*.json"))
        found = (kept for name in names if (kept := self.read(name)) is not None)
        return list({each.id: each for events, _ in found for each in events}.values())

    def changed_at(self) -> float:
        """Return when the last one was kept, in epoch seconds; 0 where none was."""
        try:
            return self._folder.stat().st_mtime
        except OSError:
            return 0.0

    def _modified(self, name: str) -> datetime | None:
        """Return when the record that a server told was changed last; None where there is none, or it does not say."""
        try:
            told = json.loads(self._path(name).read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        return _changed(mapping(mapping(told).get("record"))) if "fetched_at" in mapping(told) else None

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"


def _changed(record: Mapping[str, object]) -> datetime | None:
    """Return when a record says that it was changed; of what is to come none: it would be the newest for ever."""
    at = moment(record.get("modified"))
    return at if at is not None and at.timestamp() <= clock.now() else None


def _now() -> str:
    return datetime.fromtimestamp(clock.now(), UTC).isoformat()
