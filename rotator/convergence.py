"""Tell the consumers of a credential which one they should hold now, and ask each which it holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from rotator.credential import CredentialRef
from rotator.delivery import replacement_of
from rotator.errors import Rejected, RotatorError, Unavailable
from rotator.flow.playbook_words import Verb
from rotator.flow.run import Work
from rotator.flow.scope import ConsumerAddress
from rotator.ports.consumer import Notice
from rotator.world import World, elsewhere


def in_use(work: Work) -> CredentialRef | None:
    """Name what consumers should hold now: the replacement, or what they held before where that was taken back.

    None where that has no name. Raises Rejected when nothing was issued.
    """
    demoted = work.facts_of(Verb.DEMOTE)
    if "given_back" not in demoted:
        return replacement_of(work)
    return None if demoted["given_back"] is None else work.run.ref.with_id(str(demoted["given_back"]))


@elsewhere()
def tell(world: World, work: Work, pulse: Callable[[], None]) -> dict[str, str]:
    """Tell every consumer, also when one fails; then raise for the failed ones, so that they are told again.

    Returns what each said, by its name. `pulse` is called between two of them.
    """
    said: dict[str, str] = {}
    failed: list[RotatorError] = []
    for name, address in _consumers(work):
        if said or failed:
            pulse()
        try:
            said[name] = world.consumer(address).reload(_notice(work)).said
        except RotatorError as error:
            failed.append(error)
    if failed:
        worst = next((error for error in failed if isinstance(error, Rejected)), failed[0])
        # Telling again does no harm, so a lost answer is as good as none.
        kind = Rejected if isinstance(worst, Rejected) else Unavailable
        raise kind(worst.reason, f"{len(failed)} of {len(work.run.consumers)} consumers: {worst.detail}")
    return said


@elsewhere()
def ask(world: World, work: Work, pulse: Callable[[], None]) -> dict[str, str | None]:
    """Return which credential each consumer holds, by its name; None for one that does not say."""
    using: dict[str, str | None] = {}
    for name, address in _consumers(work):
        if using:
            pulse()
        using[name] = world.consumer(address).holding(_notice(work)).using
    return using


def _notice(work: Work) -> Notice:
    # What has no name is most likely the exposed one again: a consumer is told of the change in any case.
    return Notice(work.run.incident, work.run.ref, in_use(work) or work.run.ref, work.run.deliver)


def _consumers(work: Work) -> Iterator[tuple[str, ConsumerAddress]]:
    """Yield each consumer with a name of its own: two that differ in what is not shown answer for themselves."""
    named: Counter[str] = Counter()
    for address in work.run.consumers:
        named[address.name] += 1
        yield f"{address.name} ({named[address.name]})" if named[address.name] > 1 else address.name, address
