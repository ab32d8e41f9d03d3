"""What the doctor looks at of the evidence: whether something signs it, with which key, and that it is as signed."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from itertools import islice

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.errors import RotatorError
from rotator.examining.finding import Finding
from rotator.ledger.database import LedgerFailed
from rotator.ledger.witnesses import Standing
from rotator.report.clocks import moment

_LATE = 3
"""After so many times that something should have been signed it is late."""
_OTHERS = 0o077
_NAMED = 3


def evidence(parts: Rotator, called: str) -> Iterator[Finding]:
    """Look at the signing of the evidence. No key is made for that."""
    try:
        yield from _signed(parts, called)
    except RotatorError as error:
        yield Finding(False, str(error))
    except LedgerFailed:
        return  # who looks at the ledger has said so


def _signed(parts: Rotator, called: str) -> Iterator[Finding]:
    settings, newest = parts.settings, parts.checkpoints.newest()
    path = settings.data_dir / "signing.key"
    is_own = settings.evidence.signing_key is None
    if is_own and not settings.embedded:
        yield Finding(True, "nothing signs the evidence", "name a key: [evidence] signing_key", warns=True)
        return
    if is_own and not path.exists():
        if newest is not None:
            yield Finding(False, f"the key that signs the evidence is gone: {path}", "bring it back from its copy")
        return
    if is_own and stat.S_IMODE(path.stat().st_mode) & _OTHERS:
        yield Finding(False, f"others can read the key that signs the evidence: {path}", f"chmod 600 {path}")
    key = settings.signing_key()
    assert key is not None, "one of the two is there"  # noqa: S101
    parts.checkpoints.must_sign(key.public)
    altered = list(islice(parts.checkpoints.altered(), _NAMED + 1))
    for each in altered[:_NAMED]:
        what = f"evidence was altered: record {each.number} of {each.chain} is not the one that was signed"
        yield Finding(False, what, f"compare it with a backup; `{called} evidence export` names all of it")
    if len(altered) > _NAMED:
        yield Finding(False, "and more of it was altered", f"`{called} evidence export` names all of it")
    if newest is not None and clock.now() - newest[1] < _LATE * settings.evidence.every:
        yield Finding(True, f"evidence is signed until {moment(newest[1])}")
    elif parts.checkpoints.has_grown():
        since = "ever" if newest is None else f"since {moment(newest[1])}"
        mend = f"keep `{called} up` running; `{called} evidence export` signs at once"
        yield Finding(True, f"nothing of the evidence was signed {since}", mend, warns=True)
    elif newest is not None:
        yield Finding(True, f"all of the evidence is signed, until {moment(newest[1])}")
    yield from _witnessed(parts, called)


def _witnessed(parts: Rotator, called: str) -> Iterator[Finding]:
    """Look how far it was witnessed outside; no witness is asked."""
    settings = parts.settings.evidence
    for each in parts.witnesses.standing(settings.keep):
        if each.forked is not None:
            what = f"the ledger's checkpoint {each.forked} is not the one that {each.name} has"
            yield Finding(False, what, f"`{called} evidence verify PACK --against {each.name}` says where they part")
        yield _kept(each, called)
    if settings.timestamps is not None:
        (stands,) = parts.witnesses.standing([settings.timestamps])
        if stands.failing_since is not None:
            what = f"no time stamp since {moment(stands.failing_since)}: {stands.name}: {stands.why}"
            yield Finding(True, what, f"`{called} evidence keep` asks at once", warns=True)


def _kept(each: Standing, called: str) -> Finding:
    if each.failing_since is None and not each.behind:
        return Finding(True, f"all checkpoints are kept in {each.name}")
    since = "" if each.since is None else f", the oldest since {moment(each.since)}"
    why = f": {each.why}" if each.why else ""
    what = f"{each.behind} checkpoints are not kept in {each.name}{since}{why}"
    return Finding(True, what, f"`{called} evidence keep` tries at once", warns=True)
