"""What the doctor looks at of the channels by which people are told: whether each is reached, what it did not take."""

from __future__ import annotations

from collections.abc import Iterator

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.errors import RotatorError
from rotator.examining import one_channel
from rotator.examining.reaching import Asked
from rotator.ledger.database import LedgerFailed
from rotator.ledger.told import GIVEN_UP
from rotator.notices.wording import Line, Worded
from rotator.notifying import channel_of

WEEK_S = 7 * 86400.0
MENDS = {
    "webhook_unreachable": "is its address right, and may this machine go there?",
    "webhook_refused": "is its address right, and was it not revoked?",
    "mail_server_unreachable": "are `host` and `port` right, and may this machine go there?",
    "mail_server_not_trusted": "name its authority in `ca_file`, and it by the name in its certificate",
    "mail_login_refused": "are `user` and `password` right?",
    "mail_recipients_refused": "does it take mail to everybody in `to`, from `sender`?",
}
"""What helps where a channel cannot be reached, by the reason of what was answered."""


def tried(parts: Rotator, name: str, message: str) -> str:
    """Send a channel a message of that name that says it is a test, once; return what was answered.

    Raises BadInput where no channel is called so, RotatorError where it was not told.
    """
    entry = one_channel.named(parts.settings.notices, name, "notices")
    lines = (
        Line("head", "[TEST] rotator"),
        Line("event", "somebody tries whether this channel can be told. Nothing has happened."),
        Line("note", f"rotator, message {message}"),
    )
    worded = Worded(message, "test", "[TEST] nothing has happened", clock.now(), lines)
    return channel_of(entry, parts.settings.folder).send(worded)


def mend(error: RotatorError) -> str:
    """Return what helps where a channel was not told."""
    return one_channel.mend(error, MENDS, "notices")


def channels(parts: Rotator) -> Iterator[Asked]:
    """Yield what `rotator doctor` asks of each channel: whether it can be reached. Nobody is told anything."""
    for entry in parts.settings.notices:
        yield Asked(f"notices to {entry.name}", channel_of(entry, parts.settings.folder).reach)


def given_up(parts: Rotator) -> Iterator[tuple[bool, str, str]]:
    """Yield what `rotator doctor` finds of channels that could not be told something lately."""
    if not parts.settings.notices:
        return
    try:
        told = parts.reading.told()
    except (RotatorError, LedgerFailed):
        return  # who looks at the ledger has said so
    lately = clock.now() - WEEK_S
    for entry in parts.settings.notices:
        gone = [each for each in told if (each.channel, each.state) == (entry.name, GIVEN_UP)]
        gone = [each for each in gone if (each.settled_at or 0.0) > lately]
        if gone:
            count = f"{len(gone):,} given up in the last week, the last about {gone[-1].incident}"
            yield False, f"notices to {entry.name}: {count}: {gone[-1].reason}", "tell them yourself; mend the channel"
