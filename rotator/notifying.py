"""Tell people: what the ledger has for them is sent while this process's dispatcher leads, and never in its way.

One thread settles who hears of what, and one for each channel sends: one that hangs keeps neither the dispatcher nor
another channel waiting. What was not sent when a process ends is sent by the next.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from rotator import clock, secret_reference
from rotator.errors import BadInput, Rejected, RotatorError, Unavailable
from rotator.ledger import noticing
from rotator.ledger.database import Database, LedgerFailed
from rotator.ledger.messages import Messages
from rotator.notices.mail import Mail, MailServer, PartlyTold
from rotator.notices.rest import Rests
from rotator.notices.slack import Slack
from rotator.notices.wording import Worded, word
from rotator.settings.notices import NoticeSettings, SmtpSettings

log = logging.getLogger("rotator")

LOOK_S = 2.0
"""Seconds between two looks at the ledger."""
POLL_S = 0.5
"""Seconds after which a channel looks whether a message may go now."""
END_S = 5.0
"""Seconds that are waited for threads that send, when a process ends: for all of them together."""


class Channel(Protocol):
    """A way to tell people."""

    def send(self, message: Worded) -> str:
        """Hand a message over; return the answer. Raises Rejected where it is refused for what it is."""
        ...

    def reach(self) -> str:
        """Look whether it would take one, and send none; return the answer."""
        ...


def channel_of(entry: NoticeSettings, folder: Path) -> Channel:
    """Return the way to a channel; references in it are read at each use, files from `folder`."""
    if entry.slack is not None:
        return Slack(functools.partial(secret_reference.read, entry.slack, folder))
    smtp: SmtpSettings = entry.smtp  # type: ignore[assignment]  # the settings see to it that there is one
    return Mail(
        MailServer(
            host=smtp.host,
            port=smtp.door,
            security=smtp.security,
            user=smtp.user,
            password=None if smtp.password is None else functools.partial(secret_reference.read, smtp.password, folder),
            ca_file=smtp.ca_file,
            sender=smtp.sender,
            to=tuple(smtp.to),
        )
    )


class Notifying:
    """The threads that tell people. `leads` says whether this process is the one to do it."""

    def __init__(
        self,
        database: Callable[[], Database],
        entries: list[NoticeSettings],
        folder: Path,
        leads: Callable[[], bool],
        now: Callable[[], float] = clock.now,
    ) -> None:
        self._entries, self._folder, self._leads, self._now = entries, folder, leads, now
        self._ended, self._hurries = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self._rests = {entry.name: Rests(now) for entry in entries}
        if entries:
            self._database = database()
            self._messages = Messages(self._database, now)

    def start(self) -> None:
        """Begin; where no channel is configured there is nothing to do."""
        for entry in self._entries:
            send = functools.partial(self.send_due, entry, channel_of(entry, self._folder))
            self._begin(f"telling {entry.name}", send, POLL_S)
        if self._entries:
            self._begin("noticing", self.look, LOOK_S)

    def _begin(self, name: str, work: Callable[[], object], every_s: float) -> None:
        # A daemon: one that hangs keeps the process from nothing.
        thread = threading.Thread(target=self._again_and_again, args=(name, work, every_s), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _again_and_again(self, name: str, work: Callable[[], object], every_s: float) -> None:
        waits = False
        while not self._ended.is_set():
            try:
                if self._leads():
                    work()
                waits = False
            except Exception as error:  # noqa: BLE001 - people are told of the next thing too; its words may quote rows
                if not waits:
                    what = "the ledger failed" if isinstance(error, LedgerFailed) else "internal error"
                    log.warning("notices_wait: %s: %s (%s)", name, what, type(error).__name__)
                waits = True
                self._ended.wait(POLL_S * 4)
            self._ended.wait(every_s)

    def look(self) -> None:
        """Find out what is new, and settle who hears of it."""
        noticing.look(self._database, self._now())
        wants = {entry.name: entry.wants for entry in self._entries}
        while self._messages.route(wants) and not self._ended.is_set():
            pass

    def send_due(self, entry: NoticeSettings, channel: Channel) -> None:
        """Send what a channel may be told now."""
        while not self._ended.is_set():
            letter = self._messages.take(entry.name, at_once=self._hurries.is_set())
            if letter is None:
                break
            try:
                answer = channel.send(word(letter))
            except RotatorError as error:
                if isinstance(error, PartlyTold):
                    self._rests[entry.name].keep(letter, error)
                after = error.retry_after if isinstance(error, Unavailable) else None
                refused, is_final = isinstance(error, Rejected), isinstance(error, PartlyTold)
                reason = str(error) if not isinstance(error, BadInput) else "its secret cannot be read"
            except Exception as error:  # noqa: BLE001 - a defect must not end the thread; its words may hold material
                reason, after = f"internal error ({type(error).__name__})", None
                refused, is_final = True, False
            else:
                self._messages.sent(letter, answer)
                continue
            if self._messages.failed(letter, reason, retry_after=after, refused=refused, is_final=is_final):
                log.error("notice_given_up: %s to %s about %s: %s", letter.id, entry.name, letter.incident, reason)
            elif letter.attempt == 1:
                log.warning("notice_waits: %s to %s: %s", letter.id, entry.name, reason)
        told = self._rests[entry.name].try_one()
        if told is not None:
            self._messages.amend(told.letter, told.answer, is_whole=told.is_whole)

    def settled(self) -> bool:
        """Tell whether nothing is left to be told, but what a channel would not take; from now on nothing is gathered.

        For a process that is about to end since nothing else is to be done.
        """
        if not self._entries:
            return True
        self._hurries.set()
        self.look()
        return not self._messages.is_any_untried(entry.name for entry in self._entries)

    def go_on(self) -> None:
        """Gather again: there is more to do after all."""
        self._hurries.clear()

    def stop(self) -> None:
        """End; who is sending is waited for a little, and what he did not get done is sent by the next process."""
        self._ended.set()
        latest = time.monotonic() + END_S
        for each in self._threads:
            each.join(timeout=max(latest - time.monotonic(), 0.0))
