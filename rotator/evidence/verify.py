"""Check a pack offline: the first record that was altered, taken out, put in or moved, of each chain that has one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from rotator.evidence import checkpoint, pack, signing
from rotator.evidence.checkpoint import Checkpoint, Grown, is_of
from rotator.evidence.pack import Pack

_YEAR_9999_S = 253_370_764_800


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and where: a chain and a number in it, or a file of the pack."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What was checked; `findings` is empty where all of it holds.

    `keys` are the public keys in the order in which they signed. `made_at` is when the
    pack says that it was made, in epoch seconds; `until` when its last checkpoint was.
    """

    findings: list[Finding]
    keys: list[str]
    of: list[str]
    records: int
    chains: int
    checkpoints: int
    made_at: float
    until: float


@dataclass(slots=True)
class _Signed:
    """What the checkpoints say: of each chain, its head at each length that was signed, by the checkpoint's number."""

    chains: dict[str, dict[int, tuple[str, int]]] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    count: int = 0
    last: str = ""
    until: float = 0.0

    def end(self, chain: str) -> Grown | None:
        """Return how a chain stood last."""
        heads = self.chains.get(chain)
        if heads is None:
            return None
        length = max(heads)
        return Grown(length, heads[length][0])


def verify(given: Pack, trusted: str = "") -> Verified:
    """Check everything; `trusted` is the public key that signed first, as it was told outside of the pack.

    Without it the pack's own first key is taken, and whoever checks must compare it with what he was told. Raises
    BadInput for a file that is no pack.
    """
    findings: list[Finding] = []

    def wrong(where: str, what: str) -> None:
        findings.append(Finding(where, what))

    signed = _checkpoints(given.checkpoints(), trusted, wrong)
    told = _of_itself(given.pack(), signed, wrong)
    of: list[str] = told.get("of", [])
    seen, records = _records(given.records(), signed, wrong)
    for chain in signed.chains:
        if chain not in seen and is_of(chain, of):
            wrong(chain, "the whole chain is missing")
    for chain in seen:
        if chain in signed.chains and not is_of(chain, of):
            wrong(chain, "the pack is not of this chain")
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
    )


def _checkpoints(found: Iterable[Checkpoint], trusted: str, wrong: Callable[[str, str], None]) -> _Signed:
    """Follow the signed chain; after the first that does not hold nothing more of it is believed."""
    signed = _Signed()
    expected = trusted
    for each in found:
        where = f"checkpoint {signed.count + 1}"
        told = _read(each.body)
        if told is None or not _is_checkpoint(told):
            wrong(where, "it is no checkpoint, or was altered")
            break
        expected = expected or str(told.get("key"))
        if told.get("key") != expected:
            wrong(where, f"it names another key than {signing.fingerprint(expected)}")
            break
        if not signing.holds(expected, signing.CHECKPOINT, each.body, each.signature):
            wrong(where, "its signature is not that key's: it was altered")
            break
        if (told.get("number"), told.get("previous")) != (signed.count + 1, signed.last):
            wrong(where, "it does not follow the one before: one is missing, doubled or moved")
            break
        if expected not in signed.keys:
            signed.keys.append(expected)
        signed.count, signed.last, signed.until = signed.count + 1, each.hash, float(told["at"])
        for name, length, head in told["chains"]:
            heads = signed.chains.setdefault(name, {})
            if heads and length <= max(heads):
                wrong(where, f"{name} grew shorter")
            heads[length] = (head, signed.count)
        expected = told.get("next_key", expected)
    return signed


def _is_checkpoint(told: Mapping[str, Any]) -> bool:
    """Tell whether it has the form of one: a pack comes from anybody, with whatever key."""
    chains = told.get("chains")
    return (
        told.get("format") == checkpoint.FORMAT
        and isinstance(told.get("key"), str)
        and isinstance(told.get("next_key", ""), str)
        and _is_moment(told.get("at"))
        and isinstance(chains, list)
        and all(_is_grown(each) for each in chains)
    )


def _is_grown(each: Any) -> bool:
    match each:
        case [str(), length, str()]:
            return type(length) is int and length > 0
    return False


def _is_moment(told: Any) -> bool:
    """Tell whether these are seconds since 1970, of which there is a date."""
    return type(told) in {int, float} and 0 <= told < _YEAR_9999_S


def _of_itself(given: Checkpoint, signed: _Signed, wrong: Callable[[str, str], None]) -> Mapping[str, Any]:
    """Check what the pack says of itself: so that nobody shortens it behind its back."""
    told = _read(given.body)
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
    return isinstance(of, list) and all(isinstance(each, str) for each in of) and _is_moment(told.get("made_at"))


def _records(lines: Iterator[bytes], signed: _Signed, wrong: Callable[[str, str], None]) -> tuple[set[str], int]:
    """Check each chain; return which there were, and how many records."""
    seen = set[str]()
    records = 0

    def chain_of(line: bytes) -> str | None:
        told = _read(line)
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


def _chain(chain: str, bodies: list[bytes], signed: _Signed) -> tuple[str, str] | None:
    """Return where a chain goes wrong first, and how; None where it holds."""
    end = signed.end(chain)
    if end is None:
        return chain, "no checkpoint knows this chain: it was invented"
    previous = ""
    before = len(bodies)
    for number, body in enumerate(bodies, 1):
        where, told = f"{chain} {number}", _read(body)
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
    told = _read(body)
    return None if told is None else told.get("seq")


def _read(body: str | bytes) -> dict[str, Any] | None:
    """Return what it says, None for what is no JSON object. Which bytes say so matters to the hashes alone."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
