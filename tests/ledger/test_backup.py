"""A backup is one moment of a ledger in either database; what is restored ends right, and mints nothing twice."""

from __future__ import annotations

import contextlib
import copy
import itertools
import sqlite3
import stat

import pytest
from alembic import command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from rotator.claims import Draft, LostClaim
from rotator.errors import BadInput
from rotator.flow.approval import Role
from rotator.flow.playbook_words import Strategy
from rotator.ledger import tables
from rotator.ledger.backup import OF_HERE_AND_NOW, back_up, restore
from rotator.ledger.sessions import Person, Sessions
from rotator.ledger.working import WorkingLedger
from rotator.seal import Seal
from tests.fakes.company import KINDS, founded
from tests.fakes.deployment import SEAL, WEEK, broken_chains, emptied, sqlite
from tests.fakes.world import World
from tests.ledger.test_migrations import configured


def begun(house, kind=KINDS[0], strategy=Strategy.REPLACE_FIRST):
    company, deployment = house
    stolen, secret = company.stolen(kind)
    deployment.start([stolen], wanted=strategy)
    return stolen.ref, secret


def taken(deployment, path):
    return back_up(deployment.database, path, deployment.world.now())


def brought_back(deployment, path):
    """Lose the ledger; restore the backup into an empty one."""
    emptied(deployment.database)
    return restore(deployment.database, path, SEAL, "ann", deployment.world.now())


def let_go_on(deployment):
    deployment.stops.lift(None, "ann", "looked at every incident", ())
    deployment.rest(deployment.recover())


def everything(deployment):
    return {name: deployment.rows(name) for name in tables.metadata.tables}


def test_what_is_restored_is_what_was_there_but_for_what_a_restore_says(house, tmp_path):
    _, deployment = house
    begun(house)
    deployment.rest(patience_s=60)
    before = everything(deployment)
    kept = taken(deployment, tmp_path / "one.db")
    assert kept.incidents == 1
    assert kept.rows == sum(len(rows) for name, rows in before.items() if name not in OF_HERE_AND_NOW)
    found = brought_back(deployment, tmp_path / "one.db")
    assert (found.backup, found.unopened) == (kept, 0)
    after = everything(deployment)
    changed = {"branch", "incident", "evidence", "stop", "step", "proof", "epoch"}
    assert {name for name in before if before[name] != after[name]} <= changed
    was, is_now = (
        sorted((each for each in rows["evidence"] if each["chain"] != "inc-1"), key=lambda row: row["number"])
        for rows in (before, after)
    )
    assert [each for each in is_now if each["chain"] != "service"] == [each | {"tx": 0} for each in was]
    assert broken_chains(deployment) == []
    for chain in ("inc-1", "service"):
        [told] = [each for each in deployment.evidence(chain) if each.get("act") == "restored"]
        assert (told["by"], told["backup_at"]) == ("ann", kept.taken_at)


def test_a_restored_ledger_stands_still_until_a_person_lets_it_go_on(house, tmp_path):
    company, deployment = house
    begun(house)
    taken(deployment, tmp_path / "one.db")
    brought_back(deployment, tmp_path / "one.db")
    done = list(company.world.done("issuer.issue"))
    deployment.rest(deployment.recover())
    assert company.world.done("issuer.issue") == done == []
    [stop] = deployment.stops.in_force()
    assert "restored from the backup of" in str(stop)
    let_go_on(deployment)
    assert len(company.world.done("issuer.issue")) == 1


def test_a_worker_of_the_lost_ledger_can_write_nothing_into_the_restored_one(house, tmp_path):
    """Without more ado, the first claim after the restore would have the same fence as the first before the loss."""
    _, deployment = house
    begun(house)
    taken(deployment, tmp_path / "one.db")
    ledger = WorkingLedger(deployment.database, SEAL, deployment.world.now)
    [(branch, _)] = deployment.due.take_due(1)
    old = ledger.claim(branch, "old")
    brought_back(deployment, tmp_path / "one.db")
    deployment.stops.lift(None, "ann", "looked", ())
    assert deployment.due.take_due(1)
    new = ledger.claim(branch, "new")
    assert new.branch.length == old.branch.length
    with pytest.raises(LostClaim):
        ledger.commit(old, Draft(records=[{"at": 0.0}]))
    ledger.commit(new, Draft())


PLAYED = ((KINDS[0], Strategy.REPLACE_FIRST), (KINDS[1], Strategy.CONTAIN_FIRST))
"""One kind whose mints carry no mark, and one whose do."""


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Play two incidents; keep a backup and the world of every third moment at which something was changed."""
    kept = []
    for kind, strategy in PLAYED:
        folder = tmp_path_factory.mktemp("played")
        company, deployment = house = founded(folder)
        begun(house, kind, strategy)
        found = []
        company.world.meet = keeping(deployment, folder, found)
        deployment.rest(patience_s=3600)
        deployment.database.close()
        kept.append(found)
    return kept


def keeping(deployment, folder, found):
    """Return what notes each third moment after a change: a backup, and the world."""
    numbers = itertools.count()

    def keep(phase, _what, changes):
        if changes and phase == "after" and (number := next(numbers)) % 3 == 0:
            with deployment.world.open() as state:
                found.append((folder / f"{number}.db", copy.deepcopy(state)))
            taken(deployment, found[-1][0])

    return keep


@pytest.fixture(scope="module")
def spare(tmp_path_factory):
    """Open one ledger, to be emptied again and again."""
    database = sqlite(tmp_path_factory.mktemp("spare") / "ledger.db")
    yield database
    database.close()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whenever_it_was_taken_and_lost_it_ends_right_and_nothing_is_minted_twice(played, spare, tmp_path, data):
    found = data.draw(st.sampled_from(played))
    backup = data.draw(st.integers(0, len(found) - 1))
    lost = data.draw(st.integers(backup, len(found) - 1))
    world = World()
    with world.open() as state:
        state.update(copy.deepcopy(found[lost][1]))
    company, deployment = founded(tmp_path, world, emptied(spare))
    was_staged = bool(world.done("store.stage"))
    brought_back(deployment, found[backup][0])
    let_go_on(deployment)

    [run] = deployment.record().runs
    made, waits = world.done("issuer.issue"), " ".join(each.reason for each in run.steps if each.waits_for_person)
    alive = company.living(run.run.ref) - {run.run.ref.id}
    assert broken_chains(deployment) == []
    if waits:  # nobody can tell whose it is: a person is shown it, and nothing more is made
        assert not was_staged
        assert len(made) == 1
        assert all(each in waits for each in alive)
        return
    assert alive == {run.run.replacement} == set(company.holders().values())
    assert len(made) == 1 or not was_staged


def test_a_stranger_that_is_older_than_the_backup_is_not_taken_for_a_mint_since(house, tmp_path):
    company, deployment = house
    begun(house)
    innocent, _ = company.plant(KINDS[0])
    company.aws.__dict__["quota"] = None
    taken(deployment, tmp_path / "one.db")
    brought_back(deployment, tmp_path / "one.db")
    let_go_on(deployment)
    [run] = deployment.record().runs
    assert [step.reason for step in run.steps if step.waits_for_person] == []
    assert company.living(run.run.ref) - {run.run.ref.id} == {innocent.id, run.run.replacement}


def test_a_series_of_refusals_that_had_not_held_begins_anew(house, tmp_path):
    """The stolen key may have been let in since: what held then, and holds now, need not have held between."""
    company, deployment = house
    begun(house, strategy=Strategy.CONTAIN_FIRST)
    deployment.rest(patience_s=8)
    [proof] = deployment.rows("proof")
    assert proof["refused_since"] is not None
    assert proof["dead_at"] is None
    taken(deployment, tmp_path / "one.db")
    company.world.wait_until(company.world.now() + WEEK)
    at = company.world.now()
    brought_back(deployment, tmp_path / "one.db")
    let_go_on(deployment)
    assert deployment.record().runs[0].run.dead_at >= at


def test_a_ledger_that_is_not_empty_is_left_as_it_is(house, tmp_path):
    _, deployment = house
    begun(house)
    taken(deployment, tmp_path / "one.db")
    before = everything(deployment)
    with pytest.raises(BadInput, match="not empty"):
        restore(deployment.database, tmp_path / "one.db", SEAL, "ann")
    assert everything(deployment) == before


def test_another_seal_key_is_told_and_opens_nothing(house, tmp_path):
    _, deployment = house
    begun(house)
    taken(deployment, tmp_path / "one.db")
    emptied(deployment.database)
    assert restore(deployment.database, tmp_path / "one.db", Seal(b"x" * 32), "ann").unopened == 1


def test_a_backup_is_its_owners_alone_and_nobodys_file_is_written_over(house, tmp_path):
    _, deployment = house
    begun(house)
    taken(deployment, tmp_path / "one.db")
    assert stat.S_IMODE((tmp_path / "one.db").stat().st_mode) == 0o600
    kept = (tmp_path / "one.db").read_bytes()
    with pytest.raises(BadInput, match="there already"):
        taken(deployment, tmp_path / "one.db")
    assert (tmp_path / "one.db").read_bytes() == kept
    with pytest.raises(BadInput, match="No such file"):
        taken(deployment, tmp_path / "nowhere" / "one.db")


def test_a_backup_of_an_older_release_gets_todays_tables_and_stays_as_it_was(tmp_path):
    _, deployment = house = founded(tmp_path)
    begun(house)
    path = tmp_path / "one.db"
    taken(deployment, path)
    older = create_engine(f"sqlite:///{path}")
    with older.begin() as connection:
        command.downgrade(configured(connection), "0011")
    older.dispose()
    kept = path.read_bytes()
    assert brought_back(deployment, path).looked_for == 1
    assert path.read_bytes() == kept
    let_go_on(deployment)
    assert len(deployment.world.done("issuer.issue")) == 1


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda path: path.write_bytes(b"not a ledger"), "no backup of a ledger"),
        (lambda path: path.write_bytes(b""), "no backup of a ledger"),
        (lambda path: path.write_bytes(path.read_bytes()[:-9000]), "no backup of a ledger|damaged"),
        (lambda path: path.unlink(), "no such file"),
        (lambda path: _said_by(path, "UPDATE alembic_version SET version_num = '9999'"), "newer rotator"),
    ],
)
def test_what_cannot_be_restored_is_told_in_one_line_and_changes_nothing(tmp_path, harm, told):
    _, deployment = house = founded(tmp_path)
    begun(house)
    path = tmp_path / "one.db"
    taken(deployment, path)
    harm(path)
    emptied(deployment.database)
    with pytest.raises(BadInput, match=told) as refused:
        restore(deployment.database, path, SEAL, "ann")
    assert "\n" not in str(refused.value)
    assert not any(everything(deployment).values())


def _said_by(path, statement):
    with contextlib.closing(sqlite3.connect(path)) as kept, kept:
        kept.execute(statement)


def test_nobody_is_signed_in_to_a_restored_ledger_who_may_have_signed_out_since(house, tmp_path):
    _, deployment = house
    sessions = Sessions(deployment.database, WEEK, WEEK, deployment.world.now)
    cookie, session = sessions.open(Person("ana", Role.VIEWER, "oidc"))
    taken(deployment, tmp_path / "one.db")
    sessions.sign_out(session)
    brought_back(deployment, tmp_path / "one.db")
    found = sessions.known(cookie.reveal())
    assert (found.state(deployment.world.now()), found.ended_by) == ("ended", "ann")
    assert [each["sessions"] for each in deployment.evidence("service") if each["act"] == "restored"] == [[session.id]]
    assert broken_chains(deployment) == []
