"""Check a pack offline: the first record that was altered, taken out, put in or moved, of each chain that has one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rotator.evidence import pack, signing
from rotator.evidence.checkpoint import Checkpoint, is_of
from rotator.evidence.followed import Finding, Followed, follow, is_moment, read_object
from rotator.evidence.pack import Pack


@dataclass(frozen=True, slots=True)
class Verified:
    """What was checked; `findings` is empty where all of it holds.

    `keys` are the public keys in the order in which they signed. `made_at` is when the pack says that it was made, in
    epoch seconds; `until` when its last checkpoint was. `signed` is what its checkpoints say, as far as they hold.
    """

    findings: list[Finding]
    keys: list[str]
    of: list[str]
    records: int
    chains: int
    checkpoints: int
    made_at: float
    until: float
    signed: Followed


def verify(given: Pack, trusted: str = "") -> Verified:
    """Check everything; `trusted` is the public key that signed first, as it was told outside of the pack.

    Without it the pack's own first key is taken, and whoever checks must compare it with what he was told. Raises
    BadInput for a file that is no pack.
    """
    findings: list[Finding] = []

    def wrong(where: str, what: str) -> None:
        findings.append(Finding(where, what))

    signed = follow(given.checkpoints(), trusted, wrong)
    told = _of_itself(given.pack(), signed, wrong)
    of: list[str] = told.get("of", [])
    seen, records = _records(given.records(), signed, wrong)
    for chain in signed.chains:
        if chain not in seen and is_of(chain, of) and signed.deleted_by(chain) is None:
            wrong(chain, "the whole chain is missing")
    for chain in seen:
        if (by := signed.deleted_by(chain)) is not None:
            wrong(chain, f"it was deleted under checkpoint {by}, and is there")
        if chain in signed.chains and not is_of(chain, of):
            wrong(chain, "the pack is not of this chain")
    if told.get("timestamps", "") != given.stamps_hash():
        wrong(pack.TIMESTAMPS, "it is not as it was written, or one that was there is missing")
    if (told.get("records"), told.get("chains")) != (records, len(seen)):
        wrong(pack.PACK, f"it says {told.get('records')} records of {told.get('chains')} chains, and holds others")
    return Verified(
        findings,
        signed.keys,
        of,
        records,
        len(seen),
        signed.count,
        float(told.get("made_at", 0.0)),
        signed.until,
        signed,
    )


def _of_itself(given: Checkpoint, signed: Followed, wrong: Callable[[str, str], None]) -> Mapping[str, Any]:
    """Check what the pack says of itself: so that nobody shortens it behind its back."""
    told = read_object(given.body)
    if told is None or told.get("format") != pack.FORMAT or not _is_pack(told):
        wrong(pack.PACK, "it is not as it was written")
        return {}
    key = str(told.get("key"))
    if key not in signed.keys or not signing.holds(key, signing.PACK, given.body, given.signature):
        wrong(pack.PACK, "its signature is of no key that signed the checkpoints: it was altered")
    if (told.get("checkpoint"), told.get("checkpoint_hash")) != (signed.count, signed.last):
        what = f"it was made under checkpoint {told.get('checkpoint')}, and {signed.count} hold"
        wrong(pack.PACK, what)
    return told


def _is_pack(told: Mapping[str, Any]) -> bool:
    of = told.get("of")
    return isinstance(of, list) and all(isinstance(each, str) for each in of) and is_moment(told.get("made_at"))


def _records(lines: Iterator[bytes], signed: Followed, wrong: Callable[[str, str], None]) -> tuple[set[str], int]:
    """Check each chain; return which there were, and how many records."""
    seen = set[str]()
    records = 0

    def chain_of(line: bytes) -> str | None:
        told = read_object(line)
        return str(told["chain"]) if told is not None and isinstance(told.get("chain"), str) else None

    for chain, bodies in groupby(lines, chain_of):
        found = list(bodies)
        records += len(found)
        if chain is None:
            wrong(f"{pack.RECORDS}, record {records - len(found) + 1}", "it was altered: it is no record")
            continue
        if chain in seen:
            wrong(chain, "its records do not stand together: some were moved")
            continue
        seen.add(chain)
        if (what := _chain(chain, found, signed)) is not None:
            wrong(*what)
    return seen, records


def _chain(chain: str, bodies: list[bytes], signed: Followed) -> tuple[str, str] | None:
    """Return where a chain goes wrong first, and how; None where it holds."""
    end = signed.end(chain)
    if end is None:
        return chain, "no checkpoint knows this chain: it was invented"
    previous = ""
    before = len(bodies)
    for number, body in enumerate(bodies, 1):
        where, told = f"{chain} {number}", read_object(body)
        if told is None or not isinstance(told.get("seq"), int):
            return where, "it was altered: it is no record"
        if told["seq"] != number:
            is_gap = told["seq"] > number and all(_seq(each) != number for each in bodies[number:])
            return where, "it is missing" if is_gap else "another record stands in its place: it was moved or invented"
        if number > end.length:
            return where, f"it was invented: the checkpoints end at {end.length}"
        if told.get("previous") != previous:
            return where, f"it does not follow record {number - 1}: one of the two was altered"
        previous = hashlib.sha256(body).hexdigest()
        at = signed.chains[chain].get(number)
        if at is not None and at[0] != previous:
            since = max((each for each in signed.chains[chain] if each < number), default=0)
            which = "it" if since == number - 1 else f"one of the records {since + 1} to {number}"
            return where, f"{which} was altered: checkpoint {at[1]} signed another"
    return None if before == end.length else (f"{chain} {before + 1}", "it is missing")


def _seq(body: bytes) -> object:
    told = read_object(body)
    return None if told is None else told.get("seq")
