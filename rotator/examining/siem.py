"""What the doctor looks at of the channels to a SIEM: whether each is reached, and what waits for it."""

from __future__ import annotations

from collections.abc import Iterator

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.errors import RotatorError
from rotator.examining import one_channel
from rotator.examining.finding import Finding
from rotator.examining.reaching import Asked
from rotator.forwarding import channel_of, line_of
from rotator.ledger.database import LedgerFailed
from rotator.settings.siem import SiemSettings
from rotator.shown.siem import channels
from rotator.siem import ocsf

MENDS = {
    "file_not_written": "is its folder there, with room, and may the rotator write in it?",
    "siem_unreachable": "is its address right, does it run, and may this machine go there?",
    "siem_not_trusted": "name its authority in `ca_file`, and it by the name in its certificate",
    "siem_refused": "is its address right, and its token?",
    "siem_refused_events": "does it take such lines? docs/siem.md says what each receiver wants",
}
"""What helps where events are not taken, by the reason."""


def tried(parts: Rotator, name: str, uid: str) -> str:
    """Send a channel one event of that name that says it is a test; return what was answered.

    Raises BadInput where no channel is called so, RotatorError where it was not taken.
    """
    entry = named(parts, name)
    return channel_of(entry, parts.settings.folder).send([line_of(entry, ocsf.trial(uid, clock.now()))])


def mend(error: RotatorError) -> str:
    """Return what helps where an event was not taken."""
    return one_channel.mend(error, MENDS, "siem")


def named(parts: Rotator, name: str) -> SiemSettings:
    """Return a channel. Raises BadInput where none is called so."""
    return one_channel.named(parts.settings.siem, name, "siem")


def reached(parts: Rotator) -> Iterator[Asked]:
    """Yield what `rotator doctor` asks of each channel: whether somebody is there. No event is sent."""
    for entry in parts.settings.siem:
        yield Asked(f"SIEM {entry.name}", channel_of(entry, parts.settings.folder).reach)


def unheard(parts: Rotator) -> Iterator[Finding]:
    """Yield what `rotator doctor` says of channels that lose what nobody misses."""
    for entry in parts.settings.siem:
        if entry.syslog is not None and entry.receiver[0] == "udp":
            what = f"SIEM {entry.name} is sent to over UDP: what is lost on the way is not sent again, and nobody knows"
            yield Finding(True, what, f"write tcp:// or tls:// in `syslog` of {entry.name}", warns=True)


def waits(parts: Rotator) -> Iterator[tuple[bool, str, str]]:
    """Yield what `rotator doctor` finds of channels that do not get on."""
    if not parts.settings.siem:
        return
    try:
        found = channels(parts)
    except (RotatorError, LedgerFailed):
        return  # who looks at the ledger has said so
    for each in found:
        if each["trouble"]:
            behind = f"{each['waiting']:,} records wait, the first for {each['lag_s']:,.0f} s"
            helps = MENDS.get(each["trouble"].partition(":")[0], "it is tried again; `rotator siem test` tries it now")
            yield False, f"SIEM {each['name']}: {behind}: {each['trouble']}", helps
