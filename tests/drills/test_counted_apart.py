"""A compliance report tells drills in a section of their own, and all of it follows from the evidence."""

from __future__ import annotations

import io

from rich.console import Console
from sqlalchemy import update

from rotator import drilling
from rotator.flow.exercise import Trigger
from rotator.ledger import responses, tables
from rotator.report import compliance, compliance_page, compliance_text
from tests.drills.test_drilling import here, hold  # noqa: F401 - a fixture
from tests.drills.world import KEY, TOKEN, exercise
from tests.evidence import recompute
from tests.evidence.test_recompute import exported, reported


def test_readiness_is_told_apart_and_follows_from_the_pack(here, tmp_path):  # noqa: F811 - the fixture
    stolen, _ = here.company.stolen(TOKEN, "ci")
    here.deployment.start([stolen])
    here.deployment.rest(patience_s=60.0)
    hold(here, exercise(TOKEN, trigger=Trigger.MANUAL))
    hold(here, exercise(TOKEN, trigger=Trigger.ADVISORY, name="stated"))
    here.wait(8 * 86400.0)
    hold(here, exercise(KEY, trigger=Trigger.ALARM))
    drilling.begin(here.parts, exercise(TOKEN, trigger=Trigger.MANUAL), "jana", here.wait)  # and nobody works
    here.wait(3600.0)
    now = here.world.now()
    report = reported(here.deployment.database, 0.0, now + 1.0, now)
    assert (report["population"]["incidents"], report["population"]["credentials"]) == (1, 1)
    assert all(each["incident"] == "inc-1" for each in report["exceptions"]["listed"])
    told = report["readiness"]
    assert (told["drills"], told["canaries"], told["stated"]) == (4, 4, 1)
    assert (told["clocks"]["proven_dead"]["ended"], told["clocks"]["proven_dead"]["open"]) == (2, 1)
    trend = [(each["provider"], each["canaries"], each["stated"], each["open"]) for each in told["trend"]]
    assert trend == [(TOKEN, 2, 1, 0), (TOKEN, 1, 0, 1), (KEY, 1, 0, 0)]
    records = recompute.records_of(exported(here.deployment.database, tmp_path / "pack.zip"))
    assert recompute.compared(records, report) == []
    without = [each for each in records if each.get("act") != "drill"]
    assert recompute.compared(without, report) != []  # by that record alone it is none


def test_a_drill_counts_in_the_period_in_which_it_was_declared(here):  # noqa: F811 - the fixture
    hold(here, exercise(TOKEN, trigger=Trigger.MANUAL))
    now = here.world.now()
    assert reported(here.deployment.database, now + 1.0, now + 2.0, now + 2.0)["readiness"]["drills"] == 0
    with here.deployment.database.write() as connection:
        connection.execute(update(tables.plan).values(made_at=now + 1.5))
    assert reported(here.deployment.database, now + 1.0, now + 2.0, now + 2.0)["readiness"]["drills"] == 1


def test_people_read_of_drills_in_a_section_of_their_own(here):  # noqa: F811 - the fixture
    hold(here, exercise(TOKEN, trigger=Trigger.MANUAL))
    now = here.world.now()
    found = responses.find(here.deployment.database, 0.0, now + 1.0)
    report = compliance.build(found, 0.0, now + 1.0, now)
    page = compliance_page.text(report, found, now)
    section = page.partition("<h2>Readiness</h2>")[2].partition("<h2>")[0]
    assert f'<th scope="row">{TOKEN}</th><td>2023-W46</td><td class="number">1</td>' in section
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(compliance_text.text(report))
    assert "drills: 1, their canaries, counted nowhere above: 1; proven dead after" in console.export_text()
