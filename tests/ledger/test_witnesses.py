"""What a witness has is known once it was proven; what it lacks is done again, and a rewritten ledger shows."""

from __future__ import annotations

import base64
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from rotator.errors import Unavailable
from rotator.evidence.checkpoint import Grown, make
from rotator.evidence.folder import Folder
from rotator.evidence.keeper import checkpoint_in, named
from rotator.evidence.signing import SigningKey
from rotator.evidence.timestamp import Stamp
from rotator.ledger import tables, witnesses
from rotator.ledger.witnesses import Standing, Witnesses
from rotator.witnessing import Keeping, Stamping
from tests.fakes.deployment import emptied

KEY = SigningKey(bytes(32))


class Signing:
    """A ledger that signs."""

    def __init__(self, database) -> None:
        self.database, self.checkpoints = database, []

    def sign(self, count=1, *, said="") -> None:
        rows = []
        for _ in range(count):
            number = len(self.checkpoints) + 1
            previous = self.checkpoints[-1] if self.checkpoints else None
            made = make(KEY, previous, {f"I-1{said}": Grown(number, f"{number:064x}")}, float(number))
            self.checkpoints.append(made)
            values = {"number": number, "at": float(number), "body": made.body, "signature": made.signature}
            rows.append(values | {"epoch": "here", "seen": 0})
        with self.database.write() as connection:
            connection.execute(insert(tables.checkpoint), rows)

    def forget(self, since: int) -> None:
        del self.checkpoints[since - 1 :]
        with self.database.write() as connection:
            connection.execute(delete(tables.checkpoint).where(tables.checkpoint.c.number >= since))


class Failing:
    """A keeper that fails while it is told to, before it writes or behind it."""

    def __init__(self, keeper: Folder) -> None:
        self.address, self._keeper, self.fails = keeper.address, keeper, ""

    def keep(self, name: str, content: io.BytesIO) -> None:
        if self.fails == "before":
            raise Unavailable("unreachable", "no route")
        self._keeper.keep(name, content)
        if self.fails == "behind":
            raise Unavailable("answer_lost")


class Authority:
    """An authority that stamps, or fails."""

    address, fails = "http://tsa", False

    def stamp(self, each):
        if self.fails:
            raise Unavailable("authority_refused", "http 500")
        return Stamp(each.told["number"], each.hash, base64.b64encode(each.hash.encode()).decode())


@pytest.fixture
def signing(database):
    return Signing(database)


@pytest.fixture
def ledger(database):
    return Witnesses(database, lambda: 100.0)


@pytest.fixture
def keeper(tmp_path):
    (tmp_path / "worm").mkdir()
    return Failing(Folder(tmp_path / "worm"))


@pytest.fixture
def keeping(ledger, keeper):
    return Keeping(keeper.address, lambda: keeper, lambda: ledger)


def kept(tmp_path):
    return [checkpoint_in(each.read_bytes()) for each in sorted((tmp_path / "worm").glob("checkpoint-*"))]


def test_each_checkpoint_is_kept_once_and_what_is_new_follows(signing, ledger, keeper, tmp_path, monkeypatch):
    keeping = Keeping(keeper.address, lambda: keeper, lambda: ledger)
    monkeypatch.setattr(witnesses, "AT_ONCE", 3)
    assert keeping.witness() == 0
    signing.sign(7)
    assert keeping.witness() == 7
    signing.sign()
    assert (keeping.witness(), keeping.witness()) == (1, 0)
    assert kept(tmp_path) == signing.checkpoints
    assert ledger.standing([keeper.address]) == [Standing(keeper.address, 8, 0, None, None, "", None)]


def test_a_keeper_that_failed_is_told_with_since_when_and_has_all_of_it_later(
    signing, keeping, ledger, keeper, tmp_path
):
    signing.sign(3)
    keeper.fails = "before"
    for _ in range(2):
        with pytest.raises(Unavailable):
            keeping.witness()
    (told,) = ledger.standing([keeper.address])
    assert (told.until, told.behind, told.since, told.failing_since) == (0, 3, 1.0, 100.0)
    assert "no route" in told.why
    keeper.fails = ""
    assert keeping.witness() == 3
    (told,) = ledger.standing([keeper.address])
    assert (told.behind, told.failing_since, told.why) == (0, None, "")
    assert kept(tmp_path) == signing.checkpoints


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(st.sampled_from(["sign", "keep", "before", "behind"]), max_size=12))
def test_whatever_fails_when_the_cursor_never_says_more_than_is_there(database, tmp_path_factory, moves):
    emptied(database)
    folder = tmp_path_factory.mktemp("kept")
    (folder / "worm").mkdir()
    signing, ledger, keeper = Signing(database), Witnesses(database), Failing(Folder(folder / "worm"))
    keeping = Keeping(keeper.address, lambda: keeper, lambda: ledger)
    for move in moves:
        if move == "sign":
            signing.sign()
            continue
        keeper.fails = "" if move == "keep" else move
        try:
            keeping.witness()
        except Unavailable:
            assert keeper.fails
        (told,) = ledger.standing([keeper.address])
        assert signing.checkpoints[: told.until] == kept(folder)[: told.until]
        assert keeper.fails or told.behind == 0
    keeper.fails = ""
    keeping.witness()
    assert kept(folder) == signing.checkpoints


def test_a_ledger_that_was_rewritten_behind_what_is_kept_shows_and_both_pasts_are_kept(
    signing, keeping, ledger, keeper, tmp_path
):
    signing.sign(4)
    keeping.witness()
    before = list(signing.checkpoints)
    signing.forget(3)
    signing.sign(3, said="-forged")
    assert keeping.witness() == 5
    (told,) = ledger.standing([keeper.address])
    assert (told.forked, told.until, told.behind) == (4, 5, 0)
    assert {each.hash for each in kept(tmp_path)} == {each.hash for each in [*before, *signing.checkpoints]}


def test_a_ledger_that_was_shortened_shows(signing, keeping, ledger, keeper):
    signing.sign(4)
    keeping.witness()
    signing.forget(3)
    keeping.witness()
    (told,) = ledger.standing([keeper.address])
    assert (told.forked, told.until) == (4, 2)


def test_the_newest_is_stamped_when_it_is_time_and_once(signing, database):
    now = [1000.0]
    ledger, authority = Witnesses(database, lambda: now[0]), Authority()
    stamping = Stamping(authority.address, lambda: authority, 60.0, lambda: ledger)
    assert stamping.witness() == 0
    signing.sign(3)
    assert (stamping.witness(), stamping.witness()) == (1, 0)
    signing.sign()
    assert stamping.witness() == 0
    now[0] += 60
    assert stamping.witness() == 1
    signing.sign()
    assert (stamping.witness(), stamping.witness(at_once=True)) == (0, 1)
    assert [each.number for each in ledger.stamps(4)] == [3, 4]
    assert ledger.stamps(9)[-1].hash == signing.checkpoints[-1].hash


def test_a_stamp_of_a_time_when_the_clock_was_ahead_keeps_no_later_one_waiting(signing, database):
    now = [100_000.0]
    ledger, authority = Witnesses(database, lambda: now[0]), Authority()
    stamping = Stamping(authority.address, lambda: authority, 60.0, lambda: ledger)
    signing.sign()
    assert stamping.witness() == 1
    now[0] = 1000.0
    signing.sign()
    assert stamping.witness() == 1
    signing.sign()
    assert stamping.witness() == 0  # by the clock as it is now
    assert [each.number for each in ledger.stamps(9)] == [1, 2]


def test_an_authority_that_fails_is_told_and_asked_again(signing, ledger):
    authority = Authority()
    stamping = Stamping(authority.address, lambda: authority, 60.0, lambda: ledger)
    signing.sign()
    authority.fails = True
    with pytest.raises(Unavailable):
        stamping.witness()
    assert "http 500" in ledger.standing([authority.address])[0].why
    authority.fails = False
    assert stamping.witness() == 1
    assert ledger.standing([authority.address])[0].why == ""


def test_stamps_are_kept_beside_their_checkpoints(signing, ledger, keeping, tmp_path):
    authority = Authority()
    signing.sign(2)
    keeping.witness()
    Stamping(authority.address, lambda: authority, 60.0, lambda: ledger).witness()
    keeping.witness()
    names = sorted(each.name for each in (tmp_path / "worm").iterdir())
    last = signing.checkpoints[-1].hash
    assert names[-1] == f"timestamp-00000002-{last}.tsr"
    assert [named(each).number for each in names[:-1]] == [1, 2]
    assert (tmp_path / "worm" / names[-1]).read_bytes() == last.encode()
