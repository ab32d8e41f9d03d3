"""What the report says of hygiene follows from the pack alone: what was begun, missed, left to people or settled."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator import hygiene
from rotator.flow.exposure import Disposition
from rotator.flow.punctuality import STATES
from rotator.ledger import clocks, service, tables
from rotator.ledger.acts import act
from rotator.ports.listing import Discovered
from rotator.report.clocks import moment
from tests.evidence import recompute
from tests.evidence.test_recompute import exported, reported
from tests.flow.test_plan import stolen
from tests.test_hygiene import ENDS, KEY, POLICY, parts, rows

__all__ = ["parts"]
DAY = 86400.0
OLD, YOUNG = "2026-01-01T00:00:00+00:00", "2026-11-01T00:00:00+00:00"
YOUNGER = "2026-08-22T00:00:00+00:00"
"""Due on 2026-11-20, and to be replaced by 2026-11-27."""
NEXT, UNTIL = ENDS + DAY + 60.0, ENDS + 2 * DAY
"""The window is shut at the next look, so that nothing begins again."""


def lists(parts, kind, **made):
    """Let an issuer list these, and no others of the kind."""
    refs = {name: replace(stolen(kind, name, owner=f"of-{name}").ref, connection="prod") for name in made}
    found = [Discovered(ref, {"created_at": made[name]} if made[name] else {}) for name, ref in refs.items()]
    parts.inventory.keep(kind, "prod", found)


def replaced(parts, incident, run, at):
    """Let the replacement of one stand where consumers read, as a worker notes it."""
    [found] = [each.run for each in parts.reading.incident(incident).runs if each.run.id == run]
    with parts.database.write() as connection:
        act(connection, incident, {"at": at, **clocks.change(connection, replace(found, replaced_at=at))})


def follows(parts, path, made_at):
    """Demand that every figure follows from the pack; return the report and the records."""
    report = reported(parts.database, made_at - 30 * DAY, made_at, made_at)
    records = recompute.records_of(exported(parts.database, path))
    assert recompute.compared(records, report) == []
    return report, records


@pytest.fixture
def played(parts, tmp_path):
    """Let two days pass, in which of everything something comes due, and all but one may begin at once."""
    (tmp_path / "hygiene.yaml").write_text(POLICY.replace("at_once: 3", "at_once: 6"))
    lists(parts, KEY, late=OLD, left=OLD, overdue=OLD, punctual=YOUNGER, waits=YOUNGER, young=YOUNG)
    lists(parts, "github_token", done=YOUNGER, elsewhere=YOUNGER, unknown="")
    [incident] = hygiene.run(parts, ENDS)
    of = {each["credential"]: each["id"] for each in rows(parts, "run")}
    assert set(of) == {"late", "left", "overdue", "punctual", "waits"}
    parts.dismissing.dismiss(incident.id, of["left"], Disposition.FALSE_POSITIVE, "ann", "not now")
    replaced(parts, incident.id, of["late"], ENDS + 3600.0)
    replaced(parts, incident.id, of["punctual"], ENDS + 7200.0)
    lists(parts, "github_token", done=YOUNG, elsewhere=YOUNG, unknown="")
    assert hygiene.run(parts, NEXT) == []
    return parts


def test_every_figure_of_hygiene_follows_from_the_pack(played, tmp_path):
    report, _ = follows(played, tmp_path / "pack.zip", UNTIL)
    told = report["hygiene"]
    states = dict.fromkeys(STATES, 1) | {"due": 7}
    assert told["all"] | states | {"tasks": 1, "decided": 3, "on_time_share": 0.333} == told["all"]
    assert [each["policy"] for each in told["policies"]] == ["keys"]
    [aged] = told["ages"]["policies"]
    assert aged | {"credentials": 9, "unknown": 1, "over_max_age": 3, "max_age_s": 90 * DAY} == aged
    assert told["ages"]["all"].items() <= aged.items()
    assert told["ages"]["at"] == moment(NEXT)
    by_id = {(each["standard"], each["id"]): each["scheduled"] for each in report["controls"]}
    assert by_id["NIST SP 800-53", "IA-5"]["due"] == 7
    assert by_id["CIS Amazon Web Services Foundations Benchmark", "2.12"]["due"] == 5
    assert by_id["PCI DSS", "8.3.9"]["due"] == 0
    assert by_id["NIST Cybersecurity Framework", "RS.AN-06"] is None
    assert report["population"]["credentials"] == 0


def test_a_period_before_and_a_ledger_without_hygiene_have_nothing_of_it_and_follow_too(played, tmp_path):
    report, _ = follows(played, tmp_path / "pack.zip", ENDS)
    told = report["hygiene"]
    assert (told["all"]["due"], told["all"]["on_time_share"], told["policies"]) == (0, None, [])
    assert (told["ages"]["at"], told["ages"]["policies"], set(told["ages"]["all"].values())) == ("", [], {0})


@pytest.mark.parametrize("act", ["due", "due_no_more", "aged"])
def test_figures_that_a_records_absence_would_change_are_told_apart(played, tmp_path, act):
    report, records = follows(played, tmp_path / "pack.zip", UNTIL)
    fewer = [each for each in records if each.get("act") != act]
    if act == "due":
        fewer = [each for each in fewer if each.get("act") != "due_no_more"]
    assert any(each.startswith(".hygiene.") for each in recompute.compared(fewer, report))


def test_what_became_of_it_is_not_told_where_its_evidence_was_deleted(played, tmp_path):
    with played.database.write() as connection:
        [incident] = {each["incident"] for each in rows(played, "hygiene")}
        told = {"incident": incident, "closed_at": None, "came": []}
        service.note(connection, {"at": ENDS + DAY, "act": "evidence_deleted", "incidents": [told]})
    exported(played.database, tmp_path / "before.zip")
    with played.database.write() as connection:
        connection.execute(tables.signed.update().where(tables.signed.c.chain == incident).values(deleted=1))
    report = reported(played.database, UNTIL - 30 * DAY, UNTIL, UNTIL)
    assert recompute.compared(recompute.records_of(tmp_path / "before.zip"), report) == []
    assert (report["hygiene"]["without_evidence"], report["hygiene"]["all"]["due"]) == (6, 1)
