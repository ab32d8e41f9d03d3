"""What the doctor looks at of others: connections, the places that replacements go to, and consumers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from itertools import combinations

from rotator import recovery
from rotator.bootstrap import Rotator
from rotator.errors import BadInput, RotatorError
from rotator.examining.finding import Finding
from rotator.examining.reaching import Asked, issuer, permitting, store, webhook
from rotator.flow.scope import ConsumerAddress
from rotator.ports.connection import Connection
from rotator.recovery import Unusable, Ways
from rotator.shown.kinds import served


def others(parts: Rotator) -> Iterator[Finding | Asked]:
    """Look at what the rotator works with; yield what is to be asked, and what was found without asking."""
    yield from _connections(parts)
    yield from _places(parts)
    yield from _consumers(parts)


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
    yield from _alike(parts)
    yield from _budgets(parts)
    yield from _recoveries(parts)


def _alike(parts: Rotator) -> Iterator[Finding]:
    """Look for two connections to one account: both would claim what leaks there, and neither would get it."""
    recoveries = {(each.name, each.recovery) for each in parts.settings.connections}
    for one, other in combinations(parts.connections, 2):
        if {(one.name, other.name), (other.name, one.name)} & recoveries or _told_apart(one, other):
            continue
        both = [kind for kind in served(parts, one) if kind in served(parts, other)]
        if both:
            where = f"account {one.account}" if one.account is not None else f"the family {one.family}"
            what = f"{one.name} and {other.name} are both of {where}, and nothing tells their {both[0]} apart"
            mend = "give each its `account` or `endpoint_url`, name in `kinds` what each is for, or take one out"
            yield Finding(one.account is None, what, mend, warns=True)


def _told_apart(one: Connection, other: Connection) -> bool:
    """Tell whether a leak that is of one is known not to be of the other."""
    if one.family != other.family or one.account != other.account or one.endpoint_url != other.endpoint_url:
        return True
    return one.settings.get("hosts") != other.settings.get("hosts")


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
