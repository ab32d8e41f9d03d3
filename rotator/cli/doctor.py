"""What `rotator doctor` looks at, in the order in which things fail."""

from __future__ import annotations

import contextlib
import shutil
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rotator import clock, recovery
from rotator.bootstrap import Rotator
from rotator.cli import approval
from rotator.cli.notices import channels, given_up
from rotator.cli.options import Context
from rotator.cli.reaching import ANSWERS, Asked, Reached, issuer, permitting, reach, store, webhook
from rotator.cli.triggers import looked_at, sources
from rotator.errors import BadInput, RotatorError
from rotator.flow.scope import ConsumerAddress
from rotator.ledger.database import LedgerFailed
from rotator.ledger.listing import ALIVE_AGAIN
from rotator.recovery import Unusable, Ways
from rotator.report.clocks import moment
from rotator.report.people import as_called
from rotator.runtime_lock import is_unattended
from rotator.shown.kinds import families, served

_OTHERS = 0o077
"""What others may do with a file."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    well: bool
    what: str
    mend: str = ""
    warns: bool = False
    """Whether it is well now, and will not be if nobody does anything."""
    aside: bool = False
    """Whether it is no trouble and does not work either: it may not be meant."""

    @property
    def mark(self) -> str:
        """Return how its line begins."""
        if not self.well:
            return "BAD"
        return "WARN" if self.warns else "-- " if self.aside else "ok "


def examine(context: Context) -> Iterator[Finding]:
    """Look at the configuration, the key, the ledger, the broker, the playbooks, what is stopped; then reach out."""
    try:
        parts = context.parts()
    except RotatorError as error:
        yield Finding(False, str(error))
        return
    mode = "embedded: SQLite and an in-memory broker" if parts.settings.embedded else "PostgreSQL and Redis"
    yield Finding(True, f"configuration read; {mode}")
    yield from _private(parts)
    yield from _seal(parts)
    yield from _ledger(parts, context.called)
    yield from _broker(parts)
    try:
        yield Finding(True, f"{len(parts.playbooks)} playbooks are sound")
    except RotatorError as error:
        yield Finding(False, str(error))
        return
    for kind, broken in families(parts)[1].items():
        yield Finding(True, f"not for {kind}: {broken.what}", broken.mend, aside=True)
    yield from (Finding(*each) for each in (*looked_at(parts), *approval.looked_at(parts), *given_up(parts)))
    yield from _outside(parts)


def _private(parts: Rotator) -> Iterator[Finding]:
    """Look at who else can read what is the rotator's own: its folder, and the files that references name."""
    settings = parts.settings
    try:
        if settings.data_dir.exists() and stat.S_IMODE(settings.data_dir.stat().st_mode) & _OTHERS:
            yield Finding(False, f"others can enter {settings.data_dir}", f"chmod 700 {settings.data_dir}")
    except OSError as error:
        yield Finding(False, f"{settings.data_dir}: {error.strerror}", "is data_dir right?")
    hooks = [each.webhook for entry in settings.credentials for each in entry.consumers]
    named = [settings.seal_key, *(each.credential for each in settings.connections), *hooks]
    named += [reference for each in settings.triggers for reference in each.references]
    named += [reference for each in settings.notices for reference in each.references]
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


def _broker(parts: Rotator) -> Iterator[Finding]:
    if parts.settings.embedded:
        return
    from workers.app import broker_trouble  # noqa: PLC0415 - production only

    trouble = broker_trouble(parts)
    if trouble is None:
        yield Finding(True, "broker answers")
    else:
        yield Finding(False, f"the broker does not answer ({trouble})", "is broker_url right?")


def _outside(parts: Rotator) -> Iterator[Finding]:
    """Look at connections, stores and consumers; then ask all of them at once whether they answer."""
    asked: list[Asked] = []
    for finding in (*_connections(parts), *_places(parts), *_consumers(parts), *sources(parts), *channels(parts)):
        if isinstance(finding, Asked):
            asked.append(finding)
        else:
            yield finding
    found: dict[str, list[Reached]] = {}
    for each in reach(asked):
        found.setdefault(each.of, []).append(each)
    asks_all = {each.name for each in parts.settings.connections if each.kinds is None}
    for name, reached in found.items():
        yield from _told(reached, whole=name not in asks_all)


def _told(reached: Sequence[Reached], *, whole: bool) -> Iterator[Finding]:
    """Say what one thing answered: each trouble by itself where all of its purposes are meant.

    A connection that names no `kinds` serves all of its family: well is one that answers for some, and is told for
    which it does not. Some kinds know without asking that there is no such credential: that alone is no answer.
    """
    trouble = [each for each in reached if not each.well]
    answering = [each for each in reached if each.well and each.answer.startswith(ANSWERS)]
    was_asked = any(each.answer != ANSWERS for each in answering)
    if trouble and (whole or not was_asked):
        yield from (Finding(False, f"{each.what}: {each.answer}") for each in trouble)
        return
    if not reached[0].purpose:
        yield from (Finding(True, f"{each.what}: {each.answer}") for each in reached)
        return
    name = reached[0].of
    if answering:
        mend = "" if whole else f"name in `kinds` what {name} is for: then it is asked what the rotator may do"
        yield Finding(True, f"{name}: {ANSWERS} for {', '.join(each.purpose for each in answering)}", mend)
    for each in reached:
        if each.well and each not in answering:
            yield Finding(True, f"{each.what}: {each.answer}")
    if trouble:
        others = ", ".join(f"{each.purpose} ({each.error.reason if each.error else each.answer})" for each in trouble)
        mend = f"`rotator provider check` says why; mend it, or name in `kinds` what {name} is for"
        yield Finding(True, f"{name}: not for {others}", mend, aside=True)


def _connections(parts: Rotator) -> Iterator[Finding | Asked]:
    try:
        connections = parts.connections
        parts.configured  # noqa: B018 - reading it is the check
    except RotatorError as error:
        yield Finding(False, str(error))
        return
    if not connections:
        yield Finding(False, "no [[connections]]: every credential would be manual", "see docs/configuration.md")
    entries = parts.settings.credentials
    used = {each.connection for entry in entries for each in entry.deliver}
    used |= {each.connection for entry in entries for each in entry.consumers if each.connection}
    used |= {name for each in parts.settings.triggers for name in each.fetch or ()}
    for connection in connections:
        kinds = served(parts, connection)
        if not kinds:  # some only deliver, or lead to consumers, and these are looked at by themselves
            if connection.name not in used:
                mend = "name it in `deliver` or `consumers`, or check its family"
                yield Finding(False, f"{connection.name}: no playbook serves the family {connection.family}", mend)
            continue
        try:
            connection.credential()
        except RotatorError as error:
            yield Finding(False, f"{connection.name}: {error}")
            continue
        # What is named is meant: then it must be permitted as well.
        ask = issuer if connection.kinds is None else permitting
        yield from (Asked(connection.name, partial(ask, parts, each, connection), each) for each in kinds)
    yield from _budgets(parts)
    yield from _recoveries(parts)


def _budgets(parts: Rotator) -> Iterator[Finding]:
    try:
        limits = parts.limits
    except RotatorError as error:
        yield Finding(False, str(error))
        return
    stated = {parts.account_of(each.name) for each in parts.settings.connections if each.budget is not None}
    for account, limit in limits.items():
        whose = "" if account in stated else f", as published for {', '.join(parts.published[account])}"
        yield Finding(True, f"account {account}: {limit}{whose}")


def _recoveries(parts: Rotator) -> Iterator[Asked]:
    """Try each recovery on what the rotator uses now: it is needed at a bad moment."""
    ways = Ways({each.name: each for each in parts.connections}, recovery.of(parts.settings), parts.outside.provider_of)
    for connection in parts.connections:
        way = ways.recoveries[connection.name].through
        if way is None:
            continue
        rehearsal = partial(_rehearsed, ways, connection.name, way, served(parts, connection))
        yield Asked(f"{connection.name}: recovery", rehearsal)


def _rehearsed(ways: Ways, connection: str, way: str, kinds: list[str]) -> str:
    try:
        known = ways.rehearse(connection, kinds)
    except Unusable as error:
        raise BadInput(error.why, "", error.mend) from None
    return f"{way} knows {known}" if known else f"{way} has another credential; its rights were not tried"


def _places(parts: Rotator) -> Iterator[Finding | Asked]:
    """Look at each place that replacements go to, once."""
    places = [place for entry in parts.settings.credentials for place in entry.custody().deliver]
    for place in dict.fromkeys(places):
        try:
            parts.outside.store(place)
        except RotatorError as error:
            yield Finding(False, str(error))
            continue
        yield Asked(str(place), partial(store, parts, place))


def _consumers(parts: Rotator) -> Iterator[Finding | Asked]:
    """Look at each consumer, once. None is told: it might do what it is there for."""
    found = [each for entry in parts.settings.credentials for each in entry.custody().consumers]
    for each in dict.fromkeys(found):
        if each.kind == "webhook":
            yield Asked(each.name, partial(webhook, parts, each))
        elif each.kind != "command":
            yield _through(parts, each)
        elif shutil.which(each.address[0]) is None:
            yield Finding(False, f"{each.name}: there is no such command here", "is its path right?")
        else:
            yield Finding(True, f"{each.name}: the command is there; it was not run")


def _through(parts: Rotator, address: ConsumerAddress) -> Finding:
    try:
        parts.outside.consumer(address)
    except RotatorError as error:
        return Finding(False, str(error))
    return Finding(True, f"{address.name}: its settings are sound; it was told nothing")
