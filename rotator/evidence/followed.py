"""Follow the signed chain of checkpoints: how each chain of evidence stood, who signed it, and which key was stolen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rotator.evidence import checkpoint, signing
from rotator.evidence.checkpoint import Checkpoint, Grown

_YEAR_9999_S = 253_370_764_800


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and where: a chain and a number in it, or a file of the pack."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Stolen:
    """A key that was stolen, as it says itself: since when, in epoch seconds, and which checkpoints it signed."""

    key: str
    since: float
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Believed:
    """A checkpoint that holds, without its body: that of a large ledger's first one names a million chains."""

    hash: str
    signature: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """What one checkpoint says was deleted by policy: when, in epoch seconds, and how long each chain was."""

    checkpoint: int
    at: float
    chains: Mapping[str, int]

    @property
    def records(self) -> int:
        """Return how many there were."""
        return sum(self.chains.values())


@dataclass(slots=True)
class Followed:
    """What the checkpoints say: of each chain, its head at each length that was signed, by the checkpoint's number."""

    chains: dict[str, dict[int, tuple[str, int]]] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    believed: list[Believed] = field(default_factory=list)
    stolen: list[Stolen] = field(default_factory=list)
    deleted: list[Deleted] = field(default_factory=list)
    last: str = ""
    until: float = 0.0

    @property
    def count(self) -> int:
        """Return how many hold."""
        return len(self.believed)

    def deleted_by(self, chain: str) -> int | None:
        """Return which checkpoint says that a chain was deleted, None where none does."""
        return next((each.checkpoint for each in self.deleted if chain in each.chains), None)

    def end(self, chain: str) -> Grown | None:
        """Return how a chain stood last."""
        heads = self.chains.get(chain)
        if heads is None:
            return None
        length = max(heads)
        return Grown(length, heads[length][0])

    def records_signed(self, first: int, last: int) -> int:
        """Return how many records these checkpoints signed first."""
        count = 0
        for heads in self.chains.values():
            before = 0
            for length, (_, number) in sorted(heads.items()):
                count += length - before if first <= number <= last else 0
                before = length
        return count


def follow(found: Iterable[Checkpoint], trusted: str, wrong: Callable[[str, str], None]) -> Followed:
    """Follow the signed chain; after the first that does not hold nothing more of it is believed."""
    signed = Followed()
    first = 1
    expected = trusted
    for each in found:
        where = f"checkpoint {signed.count + 1}"
        told = read_object(each.body)
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
        _believe(signed, each, told, wrong)
        if "stolen_since" in told:
            signed.stolen.append(Stolen(expected, float(told["stolen_since"]), first, signed.count))
        if "next_key" in told:
            expected, first = told["next_key"], signed.count + 1
    return signed


def _believe(signed: Followed, each: Checkpoint, told: Mapping[str, Any], wrong: Callable[[str, str], None]) -> None:
    signed.believed.append(Believed(each.hash, each.signature))
    signed.last, signed.until = each.hash, float(told["at"])
    if told["key"] not in signed.keys:
        signed.keys.append(told["key"])
    where = f"checkpoint {signed.count}"
    gone: dict[str, int] = {}
    for name, length, head in told.get("deleted", ()):
        if name in gone or signed.deleted_by(name) is not None:
            wrong(where, f"{name} was deleted before")
        elif signed.end(name) != Grown(length, head):
            wrong(where, f"{name} was deleted, and was never signed as it was then")
        gone[name] = length
    if gone:
        signed.deleted.append(Deleted(signed.count, signed.until, gone))
    for name, length, head in told["chains"]:
        if signed.deleted_by(name) is not None:
            wrong(where, f"{name} grew after it was deleted")
        heads = signed.chains.setdefault(name, {})
        if heads and length <= max(heads):
            wrong(where, f"{name} grew shorter")
        heads[length] = (head, signed.count)


def _is_checkpoint(told: Mapping[str, Any]) -> bool:
    """Tell whether it has the form of one: a pack comes from anybody, with whatever key."""
    chains, deleted = told.get("chains"), told.get("deleted", [])
    return (
        told.get("format") == checkpoint.FORMAT
        and isinstance(told.get("key"), str)
        and isinstance(told.get("next_key", ""), str)
        and is_moment(told.get("at"))
        and ("stolen_since" not in told or ("next_key" in told and is_moment(told["stolen_since"])))
        and isinstance(chains, list)
        and isinstance(deleted, list)
        and all(_is_grown(each) for each in (*chains, *deleted))
    )


def _is_grown(each: Any) -> bool:
    match each:
        case [str(), length, str()]:
            return type(length) is int and length > 0
    return False


def is_moment(told: Any) -> bool:
    """Tell whether these are seconds since 1970, of which there is a date."""
    return type(told) in {int, float} and 0 <= told < _YEAR_9999_S


def read_object(body: str | bytes) -> dict[str, Any] | None:
    """Return what it says, None for what is no JSON object. Which bytes say so matters to the hashes alone."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
