"""What the doctor looks at, in the order in which things fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rotator.bootstrap import Rotator
from rotator.errors import BadInput, RotatorError
from rotator.examining import abroad, agreed, at_home, channels, senders, siem, signing_in
from rotator.examining.finding import Finding
from rotator.examining.reaching import ANSWERS, Asked, Reached, reach
from rotator.shown.kinds import families


def examine(parts: Rotator, called: str = "rotator") -> Iterator[Finding]:
    """Look at the configuration, the key, the ledger, the broker, the playbooks, what is stopped; then reach out."""
    mode = "embedded: SQLite and an in-memory broker" if parts.settings.embedded else "PostgreSQL and Redis"
    yield Finding(True, f"configuration read; {mode}")
    yield from at_home.own(parts, called)
    try:
        yield Finding(True, f"{len(list(parts.playbooks.values()))} playbooks are sound")
    except RotatorError as error:
        yield Finding(False, str(error))
        return
    for kind, broken in families(parts)[1].items():
        yield Finding(True, f"not for {kind}: {broken.what}", broken.mend, aside=True)
    told = (*senders.looked_at(parts), *agreed.looked_at(parts), *channels.given_up(parts), *siem.waits(parts))
    yield from (Finding(*each) for each in told)
    yield from siem.unheard(parts)
    yield from _outside(parts)


_MENDS = {
    "own_credential_refused": "it has expired or was revoked: put a new one where `credential` points",
    "access_denied": "its own credential may have expired, or may not do that: `rotator provider check` says which",
    "permission_denied": "its own credential may have expired, or may not do that: `rotator provider check` says which",
    "not_permitted": "grant what is named, or name in `kinds` what the connection is for",
    "not_this_account": "does `account` name the account that `credential` is of?",
    "no_credential": "set `credential` of the connection",
    "not_found": "make the place first, or mend its name in `deliver`",
    "bad_name": "mend its name in `deliver`: docs/configuration.md says how each store's are",
    "unreachable": "does it run, and is the address in `endpoint_url` right?",
    "consumer_unreachable": "does it run, and is its address in `consumers` right?",
    "consumer_address_unreadable": "write its address in `consumers` as http://HOST/PATH or https://HOST/PATH",
    "throttled": "nothing to mend: ask again later, or state a lower `budget`",
}
"""What helps, by the reason of what was answered."""


def _mend(reached: Reached) -> str:
    """Return what helps where something did not answer well; what has a mend of its own has told it."""
    if isinstance(reached.error, BadInput):
        return ""
    reason = reached.error.reason if reached.error is not None else "unreachable"
    known = {**channels.MENDS, **siem.MENDS, **signing_in.MENDS, **_MENDS}
    return known.get(reason, "docs/configuration.md says what it needs")


def _outside(parts: Rotator) -> Iterator[Finding]:
    """Look at connections, stores and consumers; then ask all of them at once whether they answer."""
    asked: list[Asked] = []
    for finding in (
        *abroad.others(parts),
        *senders.sources(parts),
        *channels.channels(parts),
        *siem.reached(parts),
        *signing_in.provider(parts),
    ):
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
        yield from (Finding(False, f"{each.what}: {each.answer}", _mend(each)) for each in trouble)
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
