"""What hygiene begins: by a policy in its window, as an incident of its own, and once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from rotator import attribution, hygiene, manual, tending
from rotator.bootstrap import Rotator
from rotator.flow.hygiene import Turn
from rotator.flow.incident import Severity
from rotator.flow.inventory import Said
from rotator.flow.planned import Lane
from rotator.flow.playbook_words import Strategy
from rotator.flow.registry import Said as Vendor
from rotator.flow.registry import Sort
from rotator.ledger import pauses, tables
from rotator.ledger.routines import Routines
from rotator.ports.listing import Discovered
from rotator.ports.store import Place
from rotator.report.clocks import moment
from rotator.settings.file import load
from rotator.shown import hygiene as shown
from rotator.tending import Tending
from rotator.triage import Findings
from tests.fakes.vendors_paused import pause
from tests.flow.test_plan import stolen

CONFIGURED = """
data_dir = "data"
hygiene = ["hygiene.yaml"]
[[connections]]
name = "prod"
family = "aws"
region = "us-east-1"
"""
POLICY = """
policies:
  - name: keys
    select: provider:*
    max_age: 90d
    schedule: "0 2 * * *"
    window: 4h
    at_once: 3
    approved_by: Jana
    expires: 2027-06-30
"""
KEY = "aws_iam_access_key"
ENDS = datetime(2026, 11, 24, 5, 59, 59, tzinfo=UTC).timestamp()
PLACE = Place("aws_secrets_manager", "prod", "ci")
OLDEST = "2025-01-01T00:00:00+00:00"


@pytest.fixture
def parts(tmp_path, monkeypatch):
    (tmp_path / "rotator.toml").write_text(CONFIGURED)
    (tmp_path / "hygiene.yaml").write_text(POLICY)
    found = Rotator(load(tmp_path / "rotator.toml"))

    def identify(suspects):
        named = [
            stolen(
                each.kind, each.leaked.id, owner=each.leaked.owner, deliver=(replace(PLACE, name=each.leaked.owner),)
            )
            for each in suspects
        ]
        return Findings(tuple(named), (), {})

    monkeypatch.setattr(attribution, "triage_of", lambda _parts: SimpleNamespace(identify=identify))
    yield found
    found.database.close()


def listed(parts, *names, kind=KEY, made="2026-01-01T00:00:00+00:00", **facts):
    told = {"created_at": made, **facts} if made else facts
    refs = [replace(stolen(kind, each, owner=f"of-{each}").ref, connection="prod") for each in names]
    parts.inventory.keep(kind, "prod", [Discovered(ref, told) for ref in refs])


def rows(parts, table):
    with parts.database.read() as connection:
        return [dict(each) for each in connection.execute(select(tables.metadata.tables[table])).mappings()]


def test_what_is_due_begins_in_its_own_lane_agreed_to_by_its_policy_and_destroys_nothing(parts):
    listed(parts, "1")
    [incident] = hygiene.run(parts, ENDS)
    assert (incident.severity, incident.title) == (Severity.LOW, "hygiene: keys, 1 credential")
    [run] = parts.reading.incident(incident.id).runs
    assert (run.run.strategy, run.run.why) == (Strategy.REPLACE_FIRST, "hygiene by keys: 327 days old")
    assert {step.lane for step in run.steps} == {Lane.HYGIENE}
    assert run.run.requested_at is not None
    [gate] = rows(parts, "gate")
    assert (gate["open"], gate["name"].partition(" ")[0]) == (0, "destruction")
    [agreed] = [each for each in rows(parts, "evidence") if '"act":"agreed"' in each["body"]]
    assert '"agreed_by":"Jana"' in agreed["body"]
    assert '"scope":["containment"]' in agreed["body"]
    assert rows(parts, "reach") == []


def test_a_policy_that_agrees_to_the_destruction_leaves_no_gate(parts, tmp_path):
    (tmp_path / "hygiene.yaml").write_text(POLICY + "    destroys: true\n")
    listed(parts, "1")
    hygiene.run(parts, ENDS)
    assert rows(parts, "gate") == []


def test_no_more_are_replaced_at_once_than_may_be_and_nothing_twice(parts):
    listed(parts, *"12345")
    hygiene.run(parts, ENDS)
    hygiene.run(parts, ENDS)
    hygiene.run(parts, ENDS + 86400.0)
    assert len({each["credential"] for each in rows(parts, "run")}) == len(rows(parts, "run")) == 3
    assert {each.turn for each in shown.look(parts, ENDS).found} == {Turn.BUSY, Turn.NOW}


def test_of_two_that_decide_in_one_minute_one_begins_and_of_an_owner_that_is_busy_by_then_nothing(parts):
    listed(parts, "1", "2")
    both = shown.look(parts, ENDS)
    [policy] = both.policies
    first, second = both.found

    def begin(due, at):
        return hygiene.begin(parts, policy, *hygiene.identified(parts, policy, [due], 0), at)

    begin(first, ENDS)
    assert begin(second, ENDS) is None
    assert begin(first, ENDS + 60) is None
    assert [each["credential"] for each in rows(parts, "run")] == [first.known.ref.id]


def test_a_decision_that_looks_ahead_sees_what_was_listed_said_or_replaced_since_and_begins_nothing_twice(parts):
    ahead = hygiene.Outlook(parts)
    listed(parts, "1")
    assert len(hygiene.run(parts, ENDS - 3600, ahead)) == 1
    assert hygiene.run(parts, ENDS - 3500, ahead) == []  # its run is at work
    with parts.database.write() as connection:
        done = {"replaced_at": ENDS - 3450, "replacement": "new", "evidence": "stated"}
        connection.execute(tables.run.update().values(done))
    assert hygiene.run(parts, ENDS - 3400, ahead) == []  # it was replaced
    parts.inventory.take([Said({"owner": "of-2"}, {"canary": True}, "a test")], "ann")
    listed(parts, "1", "2", "3")
    [incident] = hygiene.run(parts, ENDS - 3300, ahead)
    assert [each.run.ref.id for each in parts.reading.incident(incident.id).runs] == ["3"]


@pytest.mark.parametrize("now", [ENDS + 2, ENDS - 5 * 3600, datetime(2027, 7, 2, 5, 59, tzinfo=UTC).timestamp()])
def test_nothing_begins_outside_of_a_window_or_when_nobody_agrees_to_it_any_more(parts, now):
    listed(parts, "1")
    assert hygiene.run(parts, now) == []
    assert rows(parts, "run") == []


def test_what_is_young_or_of_an_age_that_nobody_knows_is_left_alone(parts):
    listed(parts, "1", made="2026-11-01T00:00:00+00:00")
    listed(parts, "2", kind="github_token", made="")
    assert hygiene.run(parts, ENDS) == []
    assert {each.turn for each in shown.look(parts, ENDS).found} == {Turn.YOUNG, Turn.UNKNOWN}


@pytest.mark.parametrize("wrong", ["silent", "another owner"])
def test_whose_issuer_gives_no_answer_or_names_another_owner_waits_for_nobodys_hand_and_holds_up_no_other(
    parts, monkeypatch, caplog, wrong
):
    listed(parts, "K1", "K2", "K3", "K4", "K5", made="2026-01-01T00:00:00+00:00")
    parts.inventory.keep(
        KEY,
        "down",
        [
            Discovered(replace(stolen(KEY, f"D{n}", owner=f"of-D{n}").ref, connection="down"), {"created_at": OLDEST})
            for n in range(5)
        ],
    )
    triage = attribution.triage_of(parts)

    def identify(suspects):
        suspects = list(suspects)
        bad = [each for each in suspects if each.leaked.connection == "down"]
        found = triage.identify([each for each in suspects if each not in bad])
        if wrong == "silent":
            tasks = tuple(manual.task(each, "down: unreachable", manual.ASK_AGAIN) for each in bad)
            return Findings(found.scoped, tasks, {})
        renamed = tuple(
            replace(each, ref=replace(each.ref, connection="down", owner="renamed"))
            for each in triage.identify(bad).scoped
        )
        return Findings((*found.scoped, *renamed), (), {})

    monkeypatch.setattr(attribution, "triage_of", lambda _parts: SimpleNamespace(identify=identify))
    with caplog.at_level("INFO", "rotator"):
        assert hygiene.run(parts, ENDS) != []
    assert [each["connection"] for each in rows(parts, "run")] == ["prod"] * 3
    assert rows(parts, "manual") == []
    assert "hygiene_waits: keys:" in caplog.text


def test_what_no_machine_replaces_is_a_task_for_its_owner_told_once(parts):
    listed(parts, "1", kind="github_token")
    [incident] = hygiene.run(parts, ENDS)
    [task] = parts.reading.incident(incident.id).manual
    assert task.key == "1"
    assert "327 days old" in task.reason
    assert task.mend.startswith("of-1: replace it by hand")
    assert hygiene.run(parts, ENDS + 86400.0) == []
    assert [each["event"] for each in rows(parts, "notice")].count("needs_person") == 1


def test_what_expires_is_due_before_it_does_however_young_it_is(parts):
    listed(parts, "1", made="2026-11-20T00:00:00+00:00", expires_at="2026-11-28T00:00:00+00:00")
    [due] = shown.look(parts, ENDS).found
    assert due.turn is Turn.NOW
    assert due.due_at == datetime(2026, 11, 21, tzinfo=UTC).timestamp()


def test_what_ends_soon_and_no_machine_replaces_is_a_task_that_says_when_it_ends_though_nobody_knows_its_age(parts):
    listed(parts, "1", "2", kind="tls_certificate", made="", expires_at="2026-11-30T00:00:00+00:00")
    listed(parts, "3", kind="github_token", made="", expires_at="2027-02-28T00:00:00+00:00")
    [row] = [each for each in shown.rows(shown.look(parts, ENDS)) if each["id"] == "1"]
    assert (row["turn"], row["ends_at"]) == ("now", "2026-11-30T00:00:00.000Z")
    [incident] = hygiene.run(parts, ENDS)
    tasks = parts.reading.incident(incident.id).manual
    assert [each.key for each in tasks] == ["1", "2"]
    assert all("and it ends at 2026-11-30" in each.reason for each in tasks)
    assert {key for _, key in Routines(parts.database).tasks()} == {"1", "2"}


def test_what_was_replaced_is_as_young_as_its_replacement_and_the_old_one_is_not_looked_at_again(parts):
    listed(parts, "1")
    [incident] = hygiene.run(parts, ENDS)
    with parts.database.write() as connection:
        values = {"replaced_at": ENDS, "replacement": "new", "evidence": "stated"}
        connection.execute(tables.run.update().values(values))
    [due] = shown.look(parts, ENDS + 3600).found
    assert (due.known.ref.id, due.turn, due.known.made_at) == ("new", Turn.YOUNG, ENDS)
    assert incident.id


def test_what_is_due_is_told_without_what_is_young_as_if_all_had_been_looked_at(parts, tmp_path):
    """Of 50,000 most are young: nobody is asked their turn, or whose they are."""
    (tmp_path / "hygiene.yaml").write_text(POLICY.replace("schedule", "jitter: 30d\n    schedule"))
    made = [datetime.fromtimestamp(ENDS - days * 86400.0, UTC).isoformat() for days in range(50, 100)]
    for number, at in enumerate(made):
        ref = replace(stolen(KEY, f"of {number}", owner=f"o{number}").ref, connection="prod")
        # Each third ends by itself, each fifth is not there any more; of each seventh nobody knows the age.
        ends = {"expires_at": moment(ENDS + number * 86400.0)} if number % 3 == 0 else {}
        state = {"state": "inactive"} if number % 5 == 0 else {}
        facts = {**ends, **state, **({"created_at": at} if number % 7 else {})}
        with parts.database.write() as connection:
            row = {"key": f"{number}", "provider": ref.provider, "connection": "prod", "owner": ref.owner}
            row |= {"credential": ref.id, "facts": json.dumps(facts), "first_seen_at": 1.0, "last_seen_at": 1.0}
            connection.execute(tables.listed.insert().values(row))
    told, every = (shown.due(parts, ENDS, every=each) for each in (False, True))
    assert told == [each for each in every if each["turn"] != "young"]
    assert {each["turn"] for each in told} == {"now", "age unknown"}
    assert 0 < len(told) < len(every) == 40
    old = ENDS - 60 * 86400.0
    ledger = Routines(parts.database)
    late = [each for each in ledger.there() if each.made_at is not None and each.made_at > old and not each.ends_at]
    assert ledger.there(old) == [each for each in ledger.there() if each not in late] != ledger.there()


def test_the_schedule_tells_of_each_policy_when_it_opens_and_how_many_stand_how(parts):
    listed(parts, *"12345")
    hygiene.run(parts, ENDS)
    [told] = shown.schedule(shown.look(parts, ENDS), ENDS)
    assert (told["open_until"], told["opens_at"]) == ("2026-11-24T06:00:00.000Z", "2026-11-25T02:00:00.000Z")
    assert (told["at_work"], told["credentials"]["busy"], told["credentials"]["now"]) == (3, 3, 2)
    assert {each["turn"] for each in shown.rows(shown.look(parts, ENDS))} == {"busy", "now"}


def test_a_mistake_in_a_policy_begins_nothing_and_is_logged_in_one_line(parts, tmp_path, caplog):
    (tmp_path / "hygiene.yaml").write_text(POLICY.replace("90d", "90"))
    listed(parts, "1")
    Tending(parts, lambda: True).decide()
    [line] = caplog.messages
    assert line.startswith("hygiene_undecided: ")
    assert "hygiene.yaml:5: `max_age`: `90` is no duration" in line
    assert rows(parts, "run") == []


def test_what_was_replaced_elsewhere_is_young_again_once_it_is_listed_again(parts):
    ahead = hygiene.Outlook(parts)
    listed(parts, "1", last_used_at="2026-11-01T00:00:00+00:00")
    assert [each.turn for each in shown.look(parts, ENDS).found] == [Turn.NOW]
    ahead.ripe(shown.policies(parts), ENDS - 7200.0)
    listed(parts, "1", made="2026-11-20T00:00:00+00:00", last_used_at="2026-11-23T00:00:00+00:00")
    [due] = shown.look(parts, ENDS).found
    assert (due.turn, due.known.made_at) == (Turn.YOUNG, datetime(2026, 11, 20, tzinfo=UTC).timestamp())
    assert hygiene.run(parts, ENDS, ahead) == []
    [kept] = parts.inventory.listed()
    assert kept.facts["last_used_at"] == "2026-11-23T00:00:00+00:00"


def test_what_keeps_its_name_when_it_is_replaced_comes_to_its_turn_again_when_it_is_old_again(parts):
    listed(parts, "1")
    hygiene.run(parts, ENDS - 100 * 86400.0)
    with parts.database.write() as connection:
        done = {"replaced_at": ENDS - 99 * 86400.0, "replacement": "1", "evidence": "stated"}
        connection.execute(tables.run.update().values(done))
    [incident] = hygiene.run(parts, ENDS)
    assert [each.run.ref.id for each in parts.reading.incident(incident.id).runs] == ["1"]
    assert hygiene.run(parts, ENDS) == []


def test_the_process_that_leads_reminds_people_of_their_tasks(parts, monkeypatch):
    listed(parts, "1", kind="github_token")
    hygiene.run(parts, ENDS)
    monkeypatch.setattr(tending, "clock", SimpleNamespace(now=lambda: ENDS + 86400.0))
    Tending(parts, lambda: True).decide()
    told = [json.loads(each["facts"]) for each in rows(parts, "notice") if each["event"] == "task_reminder"]
    assert [each["what"] for each in told] == [["github_token: of-1: replace it by hand, then dismiss this task"]]
    [due] = shown.look(parts, ENDS).found
    assert due.known.busy.endswith(": of-1: replace it by hand, then dismiss this task")


def test_what_a_paused_vendor_holds_is_not_due_until_it_is_let_in_again(parts):
    listed(parts, "1", "2")
    said = [Vendor(Sort.VENDOR, name, {"holds": [{"owner": "of-1"}]}, "vendors.yaml") for name in ("a-first", "acme")]
    parts.vendors.take(said, "ana")
    paused = pause(parts, "acme", at=ENDS - 60)
    [incident] = hygiene.run(parts, ENDS - 60)
    assert [each.run.ref.id for each in parts.reading.incident(incident.id).runs] == ["2"]
    assert {each.known.ref.id: each.known.busy for each in shown.look(parts, ENDS).found}["1"] == (
        "its vendor acme is paused"
    )

    with parts.database.write() as connection:
        pauses.restore(connection, paused, "bob", "it is clean", ENDS - 60, {})
    [incident] = hygiene.run(parts, ENDS)
    assert [each.run.ref.id for each in parts.reading.incident(incident.id).runs] == ["1"]
