"""What the doctor looks at of the rotator's own: who can read it, its key, its ledger, its broker, and who works."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.errors import RotatorError
from rotator.examining.conversions import conversions
from rotator.examining.drills import canaries, drills
from rotator.examining.evidence import evidence
from rotator.examining.finding import Finding
from rotator.examining.hygiene import ending
from rotator.examining.vendors import vendors
from rotator.flow.planned import Lane
from rotator.ledger import health
from rotator.ledger.database import LedgerFailed
from rotator.ledger.listing import ALIVE_AGAIN
from rotator.ledger.timekeeping import JUMP_S
from rotator.report.clocks import moment
from rotator.report.people import as_called
from rotator.runtime_lock import is_unattended
from rotator.settings.configuration import Settings
from rotator.settings.file import NAMED, variable

_OTHERS = 0o077
"""What others may do with a file."""
_BEFORE = "ROTATOR_"


def own(parts: Rotator, called: str) -> Iterator[Finding]:
    """Look at what the rotator stands on itself, in the order in which it fails."""
    yield from _misspelt(parts.settings)
    yield from _private(parts)
    yield from _seal(parts)
    yield from _ledger(parts, called)
    yield from evidence(parts, called)
    yield from drills(parts, called)
    yield from canaries(parts, called)
    yield from ending(parts, called)
    yield from vendors(parts, called)
    yield from conversions(parts, called)
    yield from _workers(parts)


def _misspelt(settings: Settings) -> Iterator[Finding]:
    """Look for variables that are nearly called as one that would be heeded."""
    known = [NAMED, *(variable(key) for key in Settings.model_fields)]
    referred = settings.model_dump_json()
    for name in sorted(each for each in os.environ if each.startswith(_BEFORE) and each not in known):
        close = get_close_matches(name, known, n=1, cutoff=0.85)
        if close and f"env:{name}" not in referred:
            yield Finding(False, f"the variable {name} is set, and nothing reads it", f"did you mean `{close[0]}`?")


def _private(parts: Rotator) -> Iterator[Finding]:
    """Look at who else can read what is the rotator's own: its folder, and the files that references name."""
    settings = parts.settings
    try:
        if settings.data_dir.exists() and stat.S_IMODE(settings.data_dir.stat().st_mode) & _OTHERS:
            yield Finding(False, f"others can enter {settings.data_dir}", f"chmod 700 {settings.data_dir}")
    except OSError as error:
        yield Finding(False, f"{settings.data_dir}: {error.strerror}", "is data_dir right?")
    hooks = [each.webhook for entry in settings.credentials for each in entry.consumers]
    oidc = settings.sign_in.oidc
    named = [settings.seal_key, settings.evidence.signing_key, oidc.client_secret if oidc is not None else None, *hooks]
    named += [each.credential for each in settings.connections]
    named += [reference for each in settings.triggers for reference in each.references]
    named += [reference for each in settings.notices for reference in each.references]
    named += [reference for each in settings.siem for reference in each.references]
    for reference in dict.fromkeys(each for each in named if each and each.startswith("file:")):
        path = settings.folder / Path(reference.removeprefix("file:")).expanduser()
        # Who does not find it is told by what reads it.
        with contextlib.suppress(OSError):
            if path.stat().st_mode & stat.S_IROTH:
                yield Finding(False, f"everybody can read the secret in {path}", f"chmod 600 {path}")


def _seal(parts: Rotator) -> Iterator[Finding]:
    try:
        parts.seal.fingerprint  # noqa: B018 - reading the key is the check
    except RotatorError as error:
        yield Finding(False, str(error))
        return
    path = parts.settings.data_dir / "seal.key"
    if parts.settings.seal_key is not None:
        yield Finding(True, f"seal key from {parts.settings.seal_key.partition(':')[0]}")
    elif stat.S_IMODE(path.stat().st_mode) & _OTHERS:
        yield Finding(False, f"others can read the seal key {path}", f"chmod 600 {path}")
    else:
        yield Finding(True, f"seal key in the file {path}", "back it up; in production set seal_key")


def _sealed(parts: Rotator) -> Iterator[Finding]:
    """Look whether the key is the one under which the ledger's secrets were sealed."""
    try:
        count = health.sealed_by_another(parts.database, parts.seal)
    except RotatorError:  # who reads the key has said so
        return
    if count:
        what = f"the seal key is not the one under which {count:,} secrets of the ledger were sealed"
        yield Finding(False, what, "give it the key of the machine that sealed them; without it their knocks are lost")


def _ledger(parts: Rotator, called: str) -> Iterator[Finding]:
    try:
        found = parts.reading.incidents()
        parts.reading.totals()
        stopped = parts.stops.in_force()
    except RotatorError as error:
        yield Finding(False, str(error))
        return
    except LedgerFailed as error:
        where = parts.settings.shown_ledger
        yield Finding(False, f"the ledger is damaged ({type(error).__name__}): {where}", "restore it from a copy")
        return
    yield Finding(True, f"ledger answers: {parts.settings.shown_ledger}; {len(found)} incidents")
    yield from _sealed(parts)
    yield from _clock(parts)
    yield from _alone(parts)
    for each in stopped:
        yield Finding(False, str(each), f"nothing of it goes on before: {as_called(each.lifted_by, called)}")
    for listed in found:
        if listed.state == ALIVE_AGAIN:
            name = listed.incident.id
            what = f"{name}: a stolen credential was resumed: whoever has it can use it"
            yield Finding(False, what, f"{called} report {name} names it, and what stops it again")
    yield from _scheduled(parts, called)


def _scheduled(parts: Rotator, called: str) -> Iterator[Finding]:
    """Look whether somebody would do what is scheduled; what is late already is not well."""
    count, first = parts.reading.scheduled()
    if first is not None and is_unattended(parts):
        what = f"scheduled: {count:,}, the first for {moment(first)}; nothing that stays runs here and would do it"
        yield Finding(first > clock.now(), what, f"keep `{called} up` running", warns=True)


def _clock(parts: Rotator) -> Iterator[Finding]:
    ahead = health.clock_ahead_s(parts.database)
    if abs(ahead) <= JUMP_S:
        return
    off = f"{abs(ahead):,.0f} s {'ahead' if ahead > 0 else 'behind'}"
    if parts.settings.embedded:
        what = (
            f"this machine's wall clock was set while work was under way: it is {off} of the time that the ledger keeps"
        )
        yield Finding(True, what, "let it keep time by NTP; it is put right once nothing is under way", warns=True)
    else:
        what = f"the clock of the ledger's server is {off} of this machine's"
        yield Finding(False, what, "let both keep time by NTP: waits and settle times are compared across machines")


def _alone(parts: Rotator) -> Iterator[Finding]:
    """Look whether the lock that keeps a second embedded runtime out stands beside the ledger that it is for."""
    settings = parts.settings
    ledger = Path(parts.database.url.database or "")
    if settings.embedded and ledger.absolute().parent != settings.data_dir.absolute():
        what = (
            f"the ledger {ledger} is not in {settings.data_dir}, where its lock is: a second runtime may have another"
        )
        yield Finding(True, what, "leave database_url out, or name one data_dir wherever it is used", warns=True)


def _workers(parts: Rotator) -> Iterator[Finding]:
    """Look at the broker; then who takes its messages, and who sends them."""
    if parts.settings.embedded:
        return
    from workers.app import broker_trouble, serving  # noqa: PLC0415 - production only

    trouble = broker_trouble(parts)
    if trouble is not None:
        yield Finding(False, f"the broker does not answer ({trouble})", "does it run, and is broker_url right?")
        return
    yield Finding(True, "broker answers")
    try:
        before = health.beat(parts.database)
        found = serving(parts)  # it waits for answers, and a leader beats meanwhile
        after = health.beat(parts.database)
    except (RotatorError, LedgerFailed):
        return  # who looks at the ledger has said so
    yield from at_work(found, before, after)


def at_work(workers: Mapping[str, int], before: health.Beat | None, after: health.Beat | None) -> Iterator[Finding]:
    """Say who works: how many workers serve each lane, and whether a dispatcher led between two looks."""
    idle = [lane.value for lane in Lane if not workers.get(lane.value)]
    if idle:
        mend = "start `rotator worker`, with --lane for some alone"
        yield Finding(False, f"no worker takes what is due in {', '.join(idle)}", mend)
    else:
        yield Finding(True, f"workers: {', '.join(f'{workers[lane.value]} of {lane.value}' for lane in Lane)}")
    if after is None or after == before:
        yield Finding(False, "no dispatcher leads: nothing that is due is sent to a worker", "start `rotator beat`")
    else:
        yield Finding(True, f"dispatcher leads: {after.holder}")
