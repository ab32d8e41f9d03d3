"""A plan tells by which terms each risk is weighed, and what access logs show."""

from __future__ import annotations

import io

from rich.console import Console

from rotator.flow.access import Seen, Sign, Uses
from rotator.flow.forecast import forecast
from rotator.report.plan import plan_text
from rotator.report.planned import document
from tests.flow.scopes import planned, stolen

SEEN = tuple(Seen(Sign.NEW_NETWORK, f"203.0.113.0/24: call {n}\x1b[2J", 1.0, "trail.json") for n in (1, 2))


def test_the_terms_stand_in_the_data_and_on_the_terminal():
    found = [stolen(name="AKIA1", criticality="high"), stolen(name="AKIA2", owner="web", criticality="low")]
    uses = {"AKIA1": Uses("AKIA1", 2, 1.0, 2.0, signs=SEEN)}
    plan = planned(*found, uses=uses)
    told = document(plan, found, forecast(plan, {}), [], uses=uses)
    assert {each["id"]: each["risk"] for each in told["credentials"]} == {
        "AKIA1": "9 high x 1 reach x 2 used after exposure from a new network = 18",
        "AKIA2": "1 low x 1 reach = 1",
    }
    screen = io.StringIO()
    Console(file=screen, width=300, force_terminal=False).print(plan_text(told))
    shown = " ".join(screen.getvalue().split())
    assert "9 high x 1 reach x 2 used after exposure from a new network = 18; 1 of another" in shown
    assert "used after exposure from a new network: 203.0.113.0/24: call 1" in shown
    assert "… and 1 more such signs" in shown
    assert "\x1b" not in shown


def test_a_plan_that_was_kept_before_risks_were_told_is_shown_without():
    found = [stolen(name="AKIA1")]
    plan = planned(*found)
    told = document(plan, found, forecast(plan, {}), [])
    for each in told["credentials"]:
        del each["risk"], each["signs"], each["environment"]
    screen = io.StringIO()
    Console(file=screen, width=300, force_terminal=False).print(plan_text(told))
    assert "AKIA1" in screen.getvalue()
    assert "reach =" not in screen.getvalue()


def test_production_stands_apart_from_what_is_not_since_it_is_confirmed_apart():
    found = [stolen(name="AKIA1", owner="a", environment="production"), stolen(name="AKIA2", owner="b")]
    plan = planned(*found)
    screen = io.StringIO()
    Console(file=screen, width=300).print(plan_text(document(plan, found, forecast(plan, {}), [])))
    first, second = (next(line for line in screen.getvalue().splitlines() if name in line) for name in ("KIA1", "KIA2"))
    assert first.strip().endswith("AKIA1 of a, on prod, production")
    assert second.strip().endswith("AKIA2 of b, on prod")
