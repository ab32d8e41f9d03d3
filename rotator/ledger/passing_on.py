"""Pass the signing of evidence on to another key: the old one names it, and it signs at once who said so."""

from __future__ import annotations

from collections.abc import Callable

from rotator import clock
from rotator.errors import BadInput
from rotator.evidence.checkpoint import Checkpoint, Following
from rotator.evidence.signing import SigningKey
from rotator.ledger import service
from rotator.ledger.checkpoints import Checkpoints
from rotator.ledger.database import Database


def pass_on(
    database: Database,
    before: SigningKey,
    after: SigningKey,
    by: str,
    *,
    stolen_since: float | None = None,
    now: Callable[[], float] = clock.now,
) -> Checkpoint:
    """Return the old key's last checkpoint; the new one's first is behind it, so that packs may be signed by it.

    Raises BadInput where the old key is not the one that signs, or the other has signed before: nobody who had that,
    as a thief whom it was passed on from, may sign again.
    """
    checkpoints = Checkpoints(database, now)
    if any(each.told["key"] == after.public for each in checkpoints.all()):
        raise BadInput("this key has signed before", "the next key", "make a new one, of 32 random bytes in base64")
    made, _ = checkpoints.sign(before, Following(after.public, stolen_since))
    assert made is not None, "a new key is a checkpoint of its own"  # noqa: S101
    told = {"at": now(), "act": "key_passed_on", "by": by, "key": after.public}
    with database.write() as connection:
        service.note(connection, told if stolen_since is None else {**told, "stolen_since": stolen_since})
    checkpoints.sign(after)
    return made
