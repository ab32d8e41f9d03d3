"""What the ledger says of itself, in the Prometheus text format: counts, and ages in seconds. It names no account."""

from __future__ import annotations

from collections.abc import Iterator

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.ledger.measures import BUCKETS_S, Measures, measure
from rotator.shown import drills, siem

TIME_TO_REVOKE = "rotator_time_to_revoke_seconds"


def lines(parts: Rotator) -> list[str]:
    """Return the lines, as the ledger stands now."""
    now = clock.now()
    with parts.database.read() as connection:
        found = measure(connection, now)
    return [*_gauges(found, now), *_siem(parts), *_drills(parts, now), *_witnessed(parts, now), *_times(found)]


def _gauges(found: Measures, now: float) -> Iterator[str]:
    def age(since: float | None) -> float:
        return 0.0 if since is None else round(max(now - since, 0.0), 3)

    yield from _family("live_exposed", "exposed credentials not contained yet, nor dismissed")
    yield from (f'rotator_live_exposed{{kind="{kind}"}} {count}' for kind, count in sorted(found.live_exposed.items()))
    yield from _single(
        "oldest_live_seconds", "since the oldest of them was detected; 0 for none", age(found.oldest_live)
    )
    yield from _family("due", "branches that could be at work now and are in nobody's hand")
    yield from (f'rotator_due{{lane="{lane.value}"}} {count}' for lane, count in found.due.items())
    yield from _family("message_age_seconds", "of the oldest message that no worker took; it is sent again after 30 s")
    yield from (
        f'rotator_message_age_seconds{{lane="{lane.value}"}} {age(found.oldest_sent.get(lane))}' for lane in found.due
    )
    yield from _single("steps_of_lost_workers", "steps under way whose worker died or froze", found.lost)
    yield from _single("breakers_open", "accounts that failed in a row and are only probed", found.breakers_open)
    yield from _single("notices_waiting", "messages to people that are not delivered yet", found.messages_waiting)
    yield from _single("notice_age_seconds", "since the oldest of them was written", age(found.oldest_message))


def _siem(parts: Rotator) -> Iterator[str]:
    channels = siem.channels(parts)
    for name, key, says in (
        ("siem_waiting", "waiting", "records of the evidence that a SIEM was not sent yet, up to 100,000"),
        ("siem_lag_seconds", "lag_s", "since the first of them was written; 0 for none"),
    ):
        yield from _family(name, says)
        yield from (f'rotator_{name}{{channel="{each["name"]}"}} {each[key]}' for each in channels)


def _drills(parts: Rotator, now: float) -> Iterator[str]:
    """Tell of each kind how its latest drill went."""
    found = drills.standing(parts)
    for name, says, value in (
        ("drill_age_seconds", "since the latest drill of a kind", lambda each: round(max(now - each["at"], 0.0), 3)),
        ("drill_late", "whether it took too long: see docs/drills.md", lambda each: int(bool(each["slow"]))),
        ("drill_proven_dead_seconds", "from detection to proven dead, its worst canary", lambda each: each["worst_s"]),
    ):
        rows = [(each["provider"], value(each)) for each in found]
        yield from _family(name, says)
        yield from (f'rotator_{name}{{kind="{kind}"}} {one:g}' for kind, one in rows if one is not None)


def _times(found: Measures) -> Iterator[str]:
    yield f"# HELP {TIME_TO_REVOKE} from detection to proven dead, of all that is; what is open is not in it"
    yield f"# TYPE {TIME_TO_REVOKE} histogram"
    for bucket, count in zip(BUCKETS_S, found.revoked, strict=True):
        yield f'{TIME_TO_REVOKE}_bucket{{le="{bucket:g}"}} {count}'
    yield f'{TIME_TO_REVOKE}_bucket{{le="+Inf"}} {found.revoked_total}'
    yield f"{TIME_TO_REVOKE}_sum {found.revoked_s:.3f}"
    yield f"{TIME_TO_REVOKE}_count {found.revoked_total}"


def _witnessed(parts: Rotator, now: float) -> Iterator[str]:
    """Tell how far the evidence was witnessed outside: of the keeper that lacks the oldest checkpoint."""
    evidence = parts.settings.evidence
    witnesses = parts.witnesses.standing(evidence.witnesses)
    kept = [each.since for each in witnesses if each.since is not None and each.name in evidence.keep]
    since = min(kept, default=now)
    failing = sum(each.failing_since is not None for each in witnesses)
    forked = sum(each.forked is not None for each in witnesses)
    yield from _single(
        "checkpoint_unkept_seconds",
        "since the oldest was signed that a keeper outside lacks",
        round(max(now - since, 0.0), 3),
    )
    yield from _single("witnesses_failing", "keepers and authorities outside that did not do their part", failing)
    yield from _single("checkpoints_forked", "keepers outside that have another checkpoint than the ledger", forked)


def _family(name: str, says: str) -> list[str]:
    return [f"# HELP rotator_{name} {says}", f"# TYPE rotator_{name} gauge"]


def _single(name: str, says: str, value: float) -> list[str]:
    return [*_family(name, says), f"rotator_{name} {value}"]
