"""Evidence that was kept long enough is deleted under a checkpoint that says so; what somebody still needs is not."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from sqlalchemy import delete, insert, select, update

from rotator.errors import BadInput, NotAllowed
from rotator.evidence import pack, verify_evidence
from rotator.evidence.folder import Folder
from rotator.evidence.keeper import content_of, name_of
from rotator.evidence.signing import SigningKey
from rotator.evidence.verify import verify
from rotator.evidence.witnessed import against
from rotator.flow.approval import Person, Policy, Role
from rotator.flow.exposure import Disposition
from rotator.flow.incident import Severity
from rotator.flow.playbook_words import Strategy
from rotator.ledger import raising, responses, service, tables
from rotator.ledger.backup import back_up, restore
from rotator.ledger.checkpoints import Altered, Checkpoints
from rotator.ledger.covered import covered
from rotator.ledger.expiring import Expiring
from rotator.ledger.gates import Gates
from rotator.ledger.resurrection import Resurrections
from rotator.ledger.siem import SiemPlaces
from rotator.ledger.still_needed import Outside
from rotator.ledger.stopping import Stops
from rotator.ledger.witnesses import Witnesses
from rotator.report import compliance
from tests.evidence import recompute
from tests.fakes.deployment import SEAL, emptied
from tests.fakes.world import START
from tests.ledger.test_closing import closing_of

KEY = SigningKey(bytes(32))
YEAR_S = 365 * 86_400.0
KIND = "acme_api_token"
KEEPER, CHANNEL = "/mnt/worm", "splunk"


@pytest.fixture
def old(house):
    """Give two incidents, the first closed, both signed; of each everything was done more than a year ago."""
    company, deployment = house
    with deployment.database.write() as connection:
        connection.execute(delete(tables.epoch))
        connection.execute(insert(tables.epoch).values(name="abcd"))
    now = [0.0]
    checkpoints = Checkpoints(deployment.database, lambda: now[0])
    for number in (1, 2):
        stolen = company.stolen(KIND, owner=f"o{number}")[0]
        deployment.start([stolen], wanted=Strategy.REVOKE_ONLY, incident=f"inc-{number}")
    deployment.rest()
    closing = closing_of(deployment)
    assert closing.close("inc-1", "ann", "done").is_closed
    checkpoints.sign(KEY)
    now[0] = deployment.world.now() + 2 * YEAR_S

    def expiring(*, keepers=(), channels=(), policy=None):
        return Expiring(deployment.database, checkpoints, Outside(keepers, channels), policy, lambda: now[0])

    return SimpleNamespace(
        deployment=deployment, company=company, checkpoints=checkpoints, closing=closing, expiring=expiring, now=now
    )


def why(old, **outside):
    return {each.incident: each.why for each in old.expiring(**outside).old(YEAR_S)}


def expire(old, **outside):
    expiring = old.expiring(**outside)
    due = [each for each in expiring.old(YEAR_S) if not each.why]
    return expiring.delete(KEY, due, YEAR_S, "ann")


def packed(old, path, of=()):
    with covered(old.deployment.database, of) as found:
        pack.write(path, KEY, of, found.checkpoints, found.records, old.now[0])
    assert (verify_evidence.checked(path, KEY.public) == 0) is not verify(pack.Pack(path), KEY.public).findings
    return verify(pack.Pack(path), KEY.public)


def chains(old):
    with old.deployment.database.read() as connection:
        return set(connection.execute(select(tables.evidence.c.chain)).scalars())


def test_what_is_due_goes_in_one_with_the_checkpoint_and_the_record_that_say_so(old, tmp_path):
    assert why(old) == {"inc-1": "", "inc-2": "it is open"}
    before = {each for each in chains(old) if each.partition(".")[0] == "inc-1"}
    count = sum(row["chain"] in before for row in old.deployment.rows("evidence"))
    assert packed(old, tmp_path / "before.zip").findings == []
    made = expire(old)
    assert {each[0] for each in made.told["deleted"]} == before
    assert "service" in {each[0] for each in made.told["chains"]}
    assert not before & chains(old)
    record = json.loads(old.deployment.rows("evidence")[-1]["body"])
    assert (record["act"], record["by"], record["reason"]) == (
        "evidence_deleted",
        "ann",
        "[evidence] delete_after = 365d",
    )
    [of] = record["incidents"]
    assert (of["incident"], of["records"], len(of["came"])) == ("inc-1", count, 1)
    found = packed(old, tmp_path / "after.zip")
    assert (found.findings, [each.records for each in found.signed.deleted]) == ([], [count])
    assert list(old.checkpoints.altered()) == []
    assert old.checkpoints.sign(KEY) == (None, [])
    assert why(old) == {"inc-2": "it is open"}
    assert packed(old, tmp_path / "other.zip", ("inc-2",)).findings == []


def test_a_pack_that_is_written_while_evidence_is_deleted_is_of_before_that(old, tmp_path, monkeypatch):
    monkeypatch.setattr("rotator.ledger.covered.AT_ONCE", 3)  # as in a ledger of many records

    def deleting(records):
        yield next(records)
        expire(old)
        yield from records

    with covered(old.deployment.database) as found:
        pack.write(tmp_path / "during.zip", KEY, (), found.checkpoints, deleting(found.records), old.now[0])
    told = verify(pack.Pack(tmp_path / "during.zip"), KEY.public)
    assert (told.findings, told.signed.deleted) == ([], [])
    assert len(packed(old, tmp_path / "after.zip").signed.deleted) == 1


def test_nothing_is_due_before_its_time_and_nothing_that_moved_since_it_was_shown(old):
    old.now[0] -= 1.5 * YEAR_S
    assert why(old) == {}
    old.now[0] += 1.5 * YEAR_S
    expiring = old.expiring()
    due = [each for each in expiring.old(YEAR_S) if not each.why]
    assert [each.owner for each in expiring.credentials(due)] == ["o1"]
    Gates(old.deployment.database).set("inc-1", "no_legal_hold", "ann", "a court asks", is_open=False)
    with pytest.raises(BadInput, match="no longer as it was shown"):
        expiring.delete(KEY, due, YEAR_S, "ann")
    assert "inc-1" in chains(old)
    assert old.deployment.rows("checkpoint")[-1]["number"] == 1


def held(old, *, is_over):
    Gates(old.deployment.database).set("inc-1", "no_legal_hold", "ann", "a court asks", is_open=is_over)
    old.checkpoints.sign(KEY)


def watched(old, *, is_over):
    Resurrections(old.deployment.database, None).enrol(old.deployment.world.now(), YEAR_S)
    if is_over:
        write(old, update(tables.watched).values(due_at=None))


def undone(old, *, is_over):
    mine = tables.branch.c.incident == "inc-1"
    write(old, update(tables.branch).where(mine).values(state="done" if is_over else "held"))


def unsigned(old, *, is_over):
    if is_over:
        old.checkpoints.sign(KEY)
        return
    for is_open in (False, True):
        Gates(old.deployment.database).set("inc-1", "no_legal_hold", "ann", "a court asks", is_open=is_open)


def unsent(old, *, is_over):
    row = {"id": "m1", "channel": "c", "incident": "inc-1", "made_at": START, "state": "waiting", "attempts": 0}
    write(old, update(tables.message).values(state="sent") if is_over else insert(tables.message).values(row))


def altered(old, *, is_over):
    """Put a record in the chain that the last signed one does not show, as who can write the ledger does."""
    evidence = tables.evidence
    mine = (evidence.c.chain == "inc-1", evidence.c.seq == 0)
    row = {"chain": "inc-1", "seq": 0, "hash": "0" * 64, "body": "{}"}
    write(old, delete(evidence).where(*mine) if is_over else insert(evidence).values(row))
    old.checkpoints.sign(KEY)


def write(old, statement):
    with old.deployment.database.write() as connection:
        connection.execute(statement)


REASONS = {
    held: "it is under legal hold",
    watched: "what is dead of it is still looked at again",
    undone: "something of it is not done: a step, or a destruction, is still to come",
    unsigned: "a record of it is not signed yet",
    unsent: "a message of it is not sent yet",
    altered: "inc-1 is not as it was signed",
}


def test_what_somebody_still_needs_is_kept_and_says_why_until_that_is_over(old):
    for happens, says in REASONS.items():
        happens(old, is_over=False)
        assert why(old)["inc-1"] == says
        shown = [replace(each, why="") for each in old.expiring().old(YEAR_S) if each.incident == "inc-1"]
        with pytest.raises(BadInput, match="no longer as it was shown"):
            old.expiring().delete(KEY, shown, YEAR_S, "ann")
        assert "inc-1" in chains(old)
        happens(old, is_over=True)
        assert why(old)["inc-1"] == ""


def test_a_keeper_and_a_channel_have_it_first(old):
    database = old.deployment.database
    outside = {"keepers": [KEEPER], "channels": [CHANNEL]}
    assert why(old, **outside)["inc-1"] == f"the keeper {KEEPER} does not have it yet"
    witnesses = Witnesses(database)
    for each in witnesses.unkept(KEEPER):
        witnesses.kept(KEEPER, each)
    assert why(old, **outside)["inc-1"] == ""
    places = SiemPlaces(database)
    places.replay(CHANNEL, 0.0, "ann")
    old.checkpoints.sign(KEY)
    assert why(old, **outside)["inc-1"] == f"the SIEM channel {CHANNEL} does not have it yet"
    taken = places.take(places.find(CHANNEL))
    places.passed(taken, places.next(taken, 10_000)[-1].cursor, 1)
    assert why(old, **outside)["inc-1"] == ""


def test_what_was_merged_goes_and_stays_with_the_one_that_it_was_merged_into(old):
    old.closing.reopen("inc-1", "ann", "more of it")
    old.deployment.enrolment.merge("inc-2", "inc-1", by="ann")
    old.checkpoints.sign(KEY)
    assert why(old) == {"inc-1": "it is open"}
    assert old.closing.close("inc-1", "ann", "done").is_closed
    old.checkpoints.sign(KEY)
    [due] = old.expiring().old(YEAR_S)
    assert (due.family, due.why) == (("inc-1", "inc-2"), "")
    expire(old)
    assert {each.partition(".")[0] for each in chains(old)} == {"service"}


def test_hygiene_is_over_with_its_last_step_and_waits_for_tasks(old):
    write(old, insert(tables.hygiene).values(incident="inc-2", policy="monthly", at=START))
    assert why(old) == {"inc-1": "", "inc-2": ""}
    with old.deployment.database.write() as connection:
        row = {
            "id": "inc-2.m1",
            "incident": "inc-2",
            "kind": None,
            "connection": "",
            "key": "k",
            "reason": "r",
            "mend": "m",
        }
        connection.execute(insert(tables.manual).values(row))
    assert why(old)["inc-2"] == "it is open"


def raise_it(old, incident):
    with old.deployment.database.write() as connection:
        raising.raise_to(connection, incident, Severity.CRITICAL, "ann", old.now[0])


def test_nothing_is_done_any_more_with_what_was_deleted_and_all_else_goes_on(old):
    expire(old)
    database, deployment = old.deployment.database, old.deployment
    for refused in (
        lambda: old.closing.reopen("inc-1", "ann", "again"),
        lambda: Gates(database).set("inc-1", "no_legal_hold", "ann", "a court", is_open=False),
        lambda: Stops(database).stop("inc-1", "ann", "why", []),
        lambda: raise_it(old, "inc-1"),
        lambda: covered(database, ["inc-1"]).__enter__(),
    ):
        with pytest.raises(BadInput, match="inc-1: its evidence was deleted on 20"):
            refused()
    for refused in (
        lambda: deployment.enrolment.merge("inc-1", "inc-2", by="ann"),
        lambda: deployment.enrolment.merge("inc-2", "inc-1", by="ann"),
        lambda: deployment.dismissing.dismiss("inc-1", "inc-1.r1", Disposition.CANARY, "ann", "bait"),
    ):
        with pytest.raises(BadInput):
            refused()
    assert Stops(database).stop(None, "ann", "a fire drill", [])[1] == 0
    Gates(database).set("inc-2", "no_legal_hold", "ann", "a court", is_open=False)
    assert chains(old) >= {"inc-2", "service"}
    assert not [each for each in chains(old) if each.startswith("inc-1")]


def test_what_is_put_back_is_altered_and_never_signed(old, tmp_path):
    kept = [row for row in old.deployment.rows("evidence") if row["chain"] == "inc-1"]
    kept.sort(key=lambda row: row["seq"])  # a database gives rows in any order
    expire(old)
    with old.deployment.database.write() as connection:
        names = ("chain", "seq", "hash", "body")
        connection.execute(insert(tables.evidence), [{name: row[name] for name in names} for row in kept])
        last = kept[-1]
        more = {"chain": "inc-1", "seq": last["seq"] + 1, "hash": "0" * 64, "body": "{}"}
        connection.execute(insert(tables.evidence).values(more))
        service.note(connection, {"act": "said"})
    assert [each.chain for each in old.checkpoints.altered()] == ["inc-1"]
    made, altered = old.checkpoints.sign(KEY)
    assert altered == [Altered("inc-1", last["seq"])]
    assert [each[0] for each in made.told["chains"]] == ["service"]
    [finding] = [each for each in packed(old, tmp_path / "pack.zip").findings if "deleted" in each.what]
    assert finding.where == "inc-1"


def test_a_restore_leaves_what_was_deleted_alone_and_brings_back_what_was_deleted_since(old, tmp_path):
    database, now = old.deployment.database, old.now[0]
    (tmp_path / "worm").mkdir()
    before, after = tmp_path / "before.db", tmp_path / "after.db"
    back_up(database, before, now)
    expire(old)
    back_up(database, after, now)
    for each in old.checkpoints.all():
        Folder(tmp_path / "worm").keep(name_of(each), io.BytesIO(content_of(each)))

    emptied(database)
    restore(database, after, SEAL, "ann", now)
    old.checkpoints.sign(KEY)
    assert chains(old) >= {"inc-2", "service"}
    assert not [each for each in chains(old) if each.startswith("inc-1")]
    found = packed(old, tmp_path / "after.zip")
    assert (found.findings, against(Folder(tmp_path / "worm"), found.signed, found.made_at).findings) == ([], [])

    emptied(database)
    restore(database, before, SEAL, "ann", now)
    old.checkpoints.sign(KEY)
    assert "inc-1" in chains(old)
    found = packed(old, tmp_path / "anew.zip")
    [finding] = against(Folder(tmp_path / "worm"), found.signed, found.made_at).findings
    assert (found.findings, finding.where) == ([], "checkpoint 2")
    assert "from a backup" in finding.what


def test_what_was_dismissed_keeps_nothing_and_a_stop_goes_round_it(old):
    deployment = old.deployment
    for number in (3, 4):
        deployment.start([old.company.stolen(KIND, owner=f"o{number}")[0]], incident=f"inc-{number}")
        deployment.dismissing.dismiss(f"inc-{number}", f"inc-{number}.r1", Disposition.CANARY, "ann", "bait")
    assert old.closing.close("inc-3", "ann", "bait").is_closed
    old.checkpoints.sign(KEY)
    assert why(old)["inc-3"] == ""
    expire(old)
    Stops(deployment.database).stop(None, "ann", "a fire", [])
    last = max(deployment.rows("evidence"), key=lambda row: row["number"])  # in no other order does a table give them
    assert json.loads(last["body"])["chain"] == "inc-4"
    assert not [each for each in chains(old) if each.startswith(("inc-1", "inc-3"))]


def test_where_it_breaks_off_nothing_is_deleted_or_told(old):
    before = old.deployment.rows("evidence"), old.deployment.rows("signed"), old.deployment.rows("checkpoint")
    due = [each for each in old.expiring().old(YEAR_S) if not each.why]
    with pytest.raises(BadInput, match="checkpoints are signed by the key"):
        old.expiring().delete(SigningKey(bytes([1]) * 32), due, YEAR_S, "ann")
    assert (
        old.deployment.rows("evidence"),
        old.deployment.rows("signed"),
        old.deployment.rows("checkpoint"),
    ) == before


def test_only_who_may_approve_deletes(old):
    nobody = Policy({"ann": Person("ann", frozenset({Role.RESPONDER}))})
    with pytest.raises(NotAllowed, match="deletes nothing"):
        old.expiring(policy=nobody).delete(KEY, [], YEAR_S, "ann")


def test_a_period_counts_what_has_no_evidence_and_every_figure_follows_from_the_pack(old, tmp_path):
    def report(name):
        begin, end = START - 1.0, old.deployment.world.now() + 1.0
        found = compliance.build(responses.find(old.deployment.database, begin, end), begin, end, old.now[0], [])
        old.checkpoints.sign(KEY)
        packed(old, tmp_path / name)
        found = json.loads(json.dumps(found))
        assert recompute.compared(recompute.records_of(tmp_path / name), found) == []
        return found["population"]

    before = report("before.zip")
    assert (before["incidents"], before["without_evidence"]) == (2, 0)
    expire(old)
    after = report("after.zip")
    assert (after["incidents"], after["without_evidence"]) == (1, 1)
