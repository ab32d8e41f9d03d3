"""Checkpoints sign every record once it is committed, in whatever order that was, and nothing that was altered."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import insert, update

from rotator.errors import BadInput
from rotator.evidence.checkpoint import Following
from rotator.evidence.pack import Pack, write
from rotator.evidence.signing import SigningKey
from rotator.evidence.verify import verify
from rotator.ledger import service, tables
from rotator.ledger.checkpoints import Altered, Checkpoints
from rotator.ledger.covered import covered
from rotator.ledger.evidence import chained

KEY, NEXT = SigningKey(bytes(32)), SigningKey(bytes([1]) * 32)


@pytest.fixture
def checkpoints(database):
    with database.write() as connection:
        connection.execute(tables.epoch.delete())
        connection.execute(insert(tables.epoch).values(name="here"))
    return Checkpoints(database, lambda: 5.0)


class Chain:
    """A chain that grows by what is committed."""

    def __init__(self, name: str) -> None:
        self.name, self.length, self.head = name, 0, ""

    def add(self, connection, count: int = 1) -> None:
        rows, self.length, self.head = chained(
            self.name, self.length, self.head, [{"n": each} for each in range(count)]
        )
        connection.execute(insert(tables.evidence), rows)


def packed(checkpoints: Checkpoints, path: Path, key: SigningKey = KEY):
    with covered(checkpoints._database) as found:
        write(path, key, (), found.checkpoints, found.records, 9.0)
    return verify(Pack(path), KEY.public)


def test_only_what_has_grown_is_signed_again(database, checkpoints, tmp_path):
    one, other = Chain("I-1"), Chain("I-1.1.0.0")
    with database.write() as connection:
        one.add(connection, 2)
        other.add(connection)
    first, _ = checkpoints.sign(KEY)
    assert [each[:2] for each in first.told["chains"]] == [["I-1", 2], ["I-1.1.0.0", 1]]
    assert checkpoints.sign(KEY) == (None, [])
    with database.write() as connection:
        other.add(connection)
    second, altered = checkpoints.sign(KEY)
    assert ([each[:2] for each in second.told["chains"]], altered) == ([["I-1.1.0.0", 2]], [])
    found = packed(checkpoints, tmp_path / "pack.zip")
    assert (found.findings, found.records, found.checkpoints) == ([], 4, 2)


def test_who_commits_late_is_signed_by_the_next(database, checkpoints, tmp_path):
    if database.sqlite:
        pytest.skip("one writes at a time")
    early, late = Chain("I-1"), Chain("I-2")
    with database.engine.connect() as slow:
        late.add(slow)
        with database.write() as connection:
            early.add(connection)
        first, _ = checkpoints.sign(KEY)
        slow.commit()
    second, _ = checkpoints.sign(KEY)
    assert [each[0] for each in first.told["chains"]] == ["I-1"]
    assert [each[0] for each in second.told["chains"]] == ["I-2"]
    assert packed(checkpoints, tmp_path / "pack.zip").findings == []


def test_an_altered_chain_is_told_and_not_signed_again(database, checkpoints):
    one, other = Chain("I-1"), Chain("I-2")
    with database.write() as connection:
        one.add(connection, 2)
        other.add(connection)
    checkpoints.sign(KEY)
    with database.write() as connection:
        of_it = update(tables.evidence).where(tables.evidence.c.chain == "I-1", tables.evidence.c.seq == 2)
        connection.execute(of_it.values(hash="0" * 64))
        one.add(connection)
        other.add(connection)
    made, altered = checkpoints.sign(KEY)
    assert altered == [Altered("I-1", 2)]
    assert [each[0] for each in made.told["chains"]] == ["I-2"]


def test_what_lies_behind_the_last_checkpoint_is_in_no_pack(database, checkpoints, tmp_path):
    one = Chain("I-1")
    with database.write() as connection:
        one.add(connection)
    checkpoints.sign(KEY)
    with database.write() as connection:
        one.add(connection)
    found = packed(checkpoints, tmp_path / "pack.zip")
    assert (found.findings, found.records) == ([], 1)


def test_what_is_signed_while_a_pack_is_written_is_not_in_it(database, checkpoints, tmp_path):
    one = Chain("I-1")

    def grows():
        with database.write() as connection:
            one.add(connection)
            Chain(f"I-1.{one.length}").add(connection)
        return checkpoints.sign(KEY)

    grows()
    with covered(database) as picture:
        grows()
        write(tmp_path / "pack.zip", KEY, (), picture.checkpoints, picture.records, 9.0)
    found = verify(Pack(tmp_path / "pack.zip"), KEY.public)
    assert (found.findings, found.records, found.checkpoints) == ([], 2, 1)


def test_a_pack_of_one_incident_has_the_chains_that_are_called_after_it_wherever_their_runs_are_now(
    database, checkpoints, tmp_path
):
    """A merge gives runs to another incident; chains keep their names, and `I-1` is the beginning of `I-10`."""
    with database.write() as connection:
        for name in ("I-1", "I-1.r1.0.0", "I-10", "I-10.r1.0.0", "i-1.r1.0.0", "service"):
            Chain(name).add(connection)
    checkpoints.sign(KEY)
    with covered(database, ["I-1"]) as picture:
        records = list(picture.records)
        assert [chain for chain, _ in records] == ["I-1", "I-1.r1.0.0", "service"]
        write(tmp_path / "pack.zip", KEY, ["I-1"], picture.checkpoints, records, 9.0)
    assert verify(Pack(tmp_path / "pack.zip"), KEY.public).findings == []


def test_another_key_signs_only_once_it_was_named(database, checkpoints, tmp_path):
    one = Chain("I-1")
    with database.write() as connection:
        one.add(connection)
    checkpoints.sign(KEY)
    with pytest.raises(BadInput, match="this one is"):
        checkpoints.sign(NEXT)
    checkpoints.sign(KEY, Following(NEXT.public))
    with database.write() as connection:
        one.add(connection)
    with pytest.raises(BadInput, match="bring that key back"):
        checkpoints.sign(KEY)
    checkpoints.sign(NEXT)
    found = packed(checkpoints, tmp_path / "pack.zip", NEXT)
    assert (found.findings, found.keys) == ([], [KEY.public, NEXT.public])


def test_a_key_that_was_passed_on_to_signs_at_once_though_nothing_has_grown_since(database, checkpoints, tmp_path):
    with database.write() as connection:
        Chain("I-1").add(connection)
    checkpoints.sign(KEY)
    checkpoints.sign(KEY, Following(NEXT.public))  # whoever passed it on is killed here
    checkpoints.sign(NEXT)
    found = packed(checkpoints, tmp_path / "pack.zip", NEXT)
    assert (found.findings, found.keys) == ([], [KEY.public, NEXT.public])
    assert checkpoints.sign(NEXT) == (None, [])


def test_a_restored_ledger_is_signed_on(database, checkpoints, tmp_path):
    one = Chain("I-1")
    with database.write() as connection:
        one.add(connection)
    checkpoints.sign(KEY)
    with database.write() as connection:
        connection.execute(update(tables.epoch).values(name="there"))
        connection.execute(update(tables.checkpoint).values(seen=1 << 60))  # numbers of another server
        one.add(connection)
        service.note(connection, {"act": "restored"})
    made, _ = checkpoints.sign(KEY)
    assert [each[:2] for each in made.told["chains"]] == [["I-1", 2], ["service", 1]]
    assert packed(checkpoints, tmp_path / "pack.zip").findings == []
