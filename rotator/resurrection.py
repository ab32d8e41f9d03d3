"""Look again at what is dead: does its issuer know it, does its door let it in? What has come back is stopped again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.errors import Rejected, RotatorError, Unavailable, Uncertain
from rotator.flow.proof import Proof
from rotator.flow.resurrection import DAY_S, Sight, is_alive
from rotator.leading import Leading, tried
from rotator.ledger import accounts
from rotator.ledger.reported_again import named_again
from rotator.ledger.resurrection import Dead, Looked, Resurrections
from rotator.ports.abilities import Installable, Unknockable
from rotator.ports.provider import Capability, Provider, Status, Verdict

log = logging.getLogger("rotator")

EVERY_S = 60.0
"""Seconds between two passes."""
PART = 0.1
"""Of the calls that an account allows, at most so many are looks."""
CALLS_A_SECOND = 1.0
"""So many are where nobody says what an account allows."""
MOST = 500
"""Looks at one account in one pass."""
LATE_S = 900.0
"""So long after it was made may a large plan be committed."""
NO_VIEW = "nobody can look at it again: its issuer shows nothing of it"


class Watching:
    """The thread that looks, while this process `leads`."""

    def __init__(self, parts: Rotator, leads: Callable[[], bool], every_s: float = EVERY_S) -> None:
        self._parts = parts
        self._thread = Leading("resurrection", self._try, leads, every_s)
        self._named_since: float | None = None

    def start(self) -> None:
        """Begin. Where the watch lasts no day, only what its own incident is told of again is looked at."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the look in hand."""
        self._thread.stop()

    def _try(self) -> None:
        tried(self._look, "not_looked_again")

    def _look(self) -> None:
        look_again(self._parts, clock.now, self._thread.goes_on, self._named_since)
        self._named_since = clock.now() - LATE_S


def look_again(
    parts: Rotator,
    now: Callable[[], float] = clock.now,
    goes_on: Callable[[], bool] = lambda: True,
    named_since: float | None = None,
) -> list[Looked]:
    """Look at what is due, as far as accounts have calls to spare; return what came of it.

    `named_since` is from when on new plans are read for what was dead; None: all of the watch's time.
    """
    ledger, lasts_s = Resurrections(parts.database, parts.seal), parts.settings.watch.days * DAY_S
    began = now()
    ledger.enrol(began, lasts_s)
    named_again(parts.database, began - lasts_s if named_since is None else named_since, began, lasts_s)
    looked: list[Looked] = []
    came_back: list[tuple[Dead, set[str], str]] = []
    for dead in _affordable(parts, ledger, began):
        if not goes_on():
            break
        found, doors = _look(parts, dead, now)
        if doors:
            came_back.append((dead, doors, found.says))
        else:
            looked.append(found)
    if looked:
        ledger.keep(looked, now())
    for dead, doors, says in came_back:
        if ledger.came_back(dead, doors, says, now()):
            log.warning("alive_again: %s: %s", dead.run, says)
    return looked


def _affordable(parts: Rotator, ledger: Resurrections, now: float) -> Iterator[Dead]:
    """Yield what is due of accounts that have calls to spare: never of one where an incident is at work.

    Each has its own share: one that has more dead than calls keeps none of the others waiting.
    """
    with parts.database.read() as connection:
        paused = {name for name, each in accounts.found(connection).items() if each.is_paused(now) or each.probe_at}
    account_of = {each.name: parts.account_of(each.name) for each in parts.settings.connections}
    due: dict[str, list[str]] = {}
    for name in ledger.due_at(now):
        due.setdefault(account_of.get(name, name), []).append(name)
    for account, names in due.items():
        if account in paused | ledger.accounts_at_work():
            continue
        limit = parts.limits.get(account)
        rate = CALLS_A_SECOND if limit is None else min(CALLS_A_SECOND, PART * limit.calls_per_second)
        spare = max(1.0, rate * EVERY_S)
        for dead in ledger.due(now, MOST, names):
            if spare > 0:
                spare -= 2 * len(dead.proofs)
                yield dead


def _look(parts: Rotator, dead: Dead, now: Callable[[], float]) -> tuple[Looked, set[str]]:
    """Look at every door; return what was seen, and at which it lives: seen twice, lest one stale answer wakes all."""
    says, alive = [], set()
    try:
        provider = parts.outside.provider(dead.ref)
        if provider.capability is Capability.MANUAL:
            return Looked(dead, NO_VIEW, missed=True, over=True), set()
        for proof in dead.proofs:
            sight = _sight(provider, dead, proof)
            if is_alive(proof, sight, provider.settle_s, now()):
                sight = _sight(provider, dead, proof)
                alive |= {proof.target} if is_alive(proof, sight, provider.settle_s, now()) else set()
            says.append(f"{proof.target}: {sight.says}" if proof.target else sight.says)
    except RotatorError as error:
        over = isinstance(error, Rejected) and error.reason == "no_view"
        return Looked(dead, NO_VIEW if over else f"not seen: {error.reason}", missed=True, over=over), set()
    except Exception as error:  # noqa: BLE001 - a defect of ours keeps no other waiting; its words may hold material
        log.error("not_looked_again: %s: internal error (%s)", dead.run, type(error).__name__)  # noqa: TRY400 - likewise
        return Looked(dead, "not seen: internal_error", missed=True), set()
    knocked = "" if dead.material is not None else "; its issuer's word alone, since the material is destroyed"
    return Looked(dead, "; ".join(says) + knocked), alive


def _sight(provider: Provider, dead: Dead, proof: Proof) -> Sight:
    """Ask a door's list, and knock there where the material is kept; what one of them cannot say the other may."""
    knocks = dead.material is not None and not isinstance(provider, Unknockable)
    state = None
    try:
        state = _status(provider, dead, proof.target).state
    except Rejected as error:
        if error.reason != "no_view" or not knocks:
            raise
    try:
        return Sight(proof.target, state, _knock(provider, dead, proof.target) if knocks else None)
    except (Rejected, Unavailable, Uncertain):
        if state is None:
            raise
        return Sight(proof.target, state)  # its issuer has spoken


def _status(provider: Provider, dead: Dead, target: str) -> Status:
    if target and isinstance(provider, Installable):
        return provider.inspect_at(target, dead.ref)
    return provider.inspect(dead.ref)


def _knock(provider: Provider, dead: Dead, target: str) -> Verdict:
    assert dead.material is not None  # noqa: S101 - who calls has looked
    if target and isinstance(provider, Installable):
        return provider.verify_at(target, dead.ref, dead.material)
    return provider.verify(dead.ref, dead.material)
