"""The compliance report: its figures by hand on few credentials, and its page, which nobody's names can change."""

from __future__ import annotations

import csv
import re

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from rotator.flow.objective import Objective, judged
from rotator.flow.punctuality import BUCKETS, STATES, Duty
from rotator.flow.response import CLOCKS, Response, spans, times
from rotator.ledger.duties import Survey
from rotator.ledger.responses import Found, Unapproved
from rotator.playbook_file import load_all
from rotator.report import compliance, compliance_csv, compliance_page, compliance_text, compliance_words, controls
from rotator.report.clocks import moment
from rotator.report.html_form import lasted

BEGUN, DAY = 1_790_000_000.0, 86400.0
HOSTILE = "=x</script><script>alert(1)</script>\x1b[2J"


def response(number, **told):
    known = {"of": f"inc-1.r{number}", "incident": "inc-1", "severity": "high", "provider": "aws_iam_access_key"}
    known |= {"connection": "prod", "owner": "ci", "credential": f"AKIA{number}", "strategy": "contain_first"}
    known |= {"detected_at": BEGUN, "declared_at": BEGUN + 1.0, "requested_at": BEGUN + 10.0, "weight": 2.0}
    return Response(**{**known, **told})


def dead(number, after, **told):
    return response(number, dead_at=BEGUN + after, **told)


def built(*responses, targets=(), unapproved=(), made_at=BEGUN + 3600.0):
    found = Found([*responses], [*unapproved])
    return found, compliance.build(found, BEGUN, BEGUN + 86400.0, made_at, targets)


def test_what_is_open_counts_for_as_long_as_it_is_and_stands_in_every_figure():
    _, report = built(dead(1, 100.0), dead(2, 200.0), response(3), response(4, dismissed="canary, said by ann: ours"))
    figures = report["clocks"]["proven_dead"]
    assert figures == {
        "n": 3,
        "ended": 2,
        "open": 1,
        "unknown": 0,
        "mean_s": 1300.0,  # (100 + 200 + 3600) / 3
        "p50_s": 200.0,
        "p95_s": None,
        "max_s": 200.0,
        "longest_open_s": 3600.0,
    }
    assert report["exposure"] == {"risk_hours": 2.167, "unweighed": 0}  # 2 * 3900 s
    assert report["clocks"]["detected"]["unknown"] == 3
    assert report["clocks"]["converged"]["n"] == 0


@given(st.lists(st.tuples(st.floats(0, 1e6), st.booleans()), max_size=30))
def test_every_credential_is_in_one_state_and_every_clock_counts_those_that_it_measures(drawn):
    responses = [
        dead(n, after) if is_dead else response(n, dismissed="x" if n % 3 else None)
        for n, (after, is_dead) in enumerate(drawn)
    ]
    _, report = built(*responses)
    assert sum(report["states"].values()) == report["population"]["credentials"] == len(drawn)
    for each in report["clocks"].values():
        assert each["ended"] + each["open"] == each["n"]
    assert sum(each["credentials"] for each in report["by"]["provider"]) == report["population"]["counted"]
    counts = report["exceptions"]["counts"]
    assert len(report["exceptions"]["listed"]) == sum(counts.values())


def test_a_control_counts_as_replaced_what_was_to_be_and_that_nobody_dismissed():
    again = {"replaced_at": BEGUN + 60.0}
    _, report = built(
        dead(1, 60.0, **again),
        response(2),
        dead(3, 60.0, strategy="revoke_only", **again),
        response(4, dismissed="canary, said by ann: ours", **again),
    )
    for each in report["controls"]:
        if each["population"]:
            assert (each["population"], each["looked_at"], each["to_replace"], each["replaced"]) == (3, 4, 2, 1)


def test_readiness_has_no_times_of_what_died_by_its_issuers_word_alone():
    report = compliance.build(
        Found([], [], [dead(1, 60.0), response(2, stated=True)]), BEGUN, BEGUN + 1, BEGUN + 3600.0
    )
    told = report["readiness"]
    assert (told["canaries"], told["stated"], told["clocks"]["proven_dead"]["n"]) == (2, 1, 1)
    assert [(each["canaries"], each["stated"], each["open"]) for each in told["trend"]] == [(2, 1, 0)]


def test_a_credential_is_of_the_month_in_which_it_came_not_of_that_in_which_it_was_detected():
    _, report = built(response(1, detected_at=BEGUN - 40 * 86400.0))
    assert [each["name"] for each in report["by"]["period"]] == [moment(BEGUN)[:7]]


def test_a_target_is_missed_by_what_is_open_for_longer_and_says_what_may_still_fail():
    found = [dead(n, 60.0) for n in range(18)] + [dead(18, 901.0), response(19), response(20, severity="low")]
    judge = Objective("proven_dead", 95, 900.0, "high")
    late, early = (judged(judge, found, BEGUN + until) for until in (3600.0, 300.0))
    assert (late["kept"], late["missed"], late["undecided"], late["share"]) == (18, 2, 0, 0.9)
    assert (late["met"], late["budget_left"]) == (False, -1.0)  # one of 20 might miss
    assert (early["missed"], early["undecided"]) == (1, 1)
    nothing = judged(judge, [], BEGUN)
    assert (nothing["share"], nothing["budget_left"], nothing["met"]) == (None, None, None)


def test_a_person_is_the_only_one_to_answer_a_task_and_its_clock_runs():
    task = response(1, of="inc-1.m1", strategy="", requested_at=None, weight=None, reason="no connection")
    figures = times(spans(CLOCKS["contained"], [task], BEGUN + 60.0))
    assert (figures["open"], figures["longest_open_s"]) == (1, 60.0)
    assert times(spans(CLOCKS["approved"], [task], BEGUN))["n"] == 0
    assert compliance.state_of(task) == "manual"


def test_a_control_says_whom_it_looked_at_and_each_exception_with_what_is_not_replaced():
    _, report = built(
        dead(1, 100.0, replaced_at=BEGUN + 50.0),
        dead(2, 100.0),
        response(3, stated=True),
        response(4, dismissed="canary, said by ann: ours"),
        response(5, of="inc-1.x5", dismissed="left out"),
        response(6, provider="postgres_password"),
    )
    keys = next(each for each in report["controls"] if each["standard"].startswith("CIS"))
    assert (keys["population"], keys["looked_at"], keys["proven_dead"]) == (3, 5, 2)
    assert (keys["to_replace"], keys["replaced"]) == (3, 1)
    told = {name: number for name, number in keys["exceptions"].items() if number}
    assert told == {"stated_only": 1, "dismissed": 1, "excluded": 1, "not_replaced": 2}
    for each in report["controls"]:
        exceptional = sum(number for name, number in each["exceptions"].items() if name != "not_replaced")
        assert exceptional + each["proven_dead"] == each["looked_at"]


def test_the_control_about_passwords_counts_those_of_servers_too_which_are_kinds_that_there_are():
    _, report = built(*[response(n, provider=kind) for n, kind in enumerate(("ldap_password", "postgres_role", "k"))])
    [told] = [each for each in report["controls"] if each["id"] == "IA-5(1)"]
    assert (told["population"], told["scheduled"]) == (2, None)
    assert set(controls._OF_SERVERS) <= set(load_all())


def test_what_is_typed_is_shown_as_such_and_no_backtick_is_left():
    found, report = built(dead(1, 100.0))
    page = compliance_page.text(report, found, BEGUN)
    assert "`" not in page
    assert "<code>rotator evidence verify</code> checks" in page
    assert "ends in <code>_password</code>" in page


def test_it_is_told_by_vendor_and_by_incident_and_what_nobody_said_is_not_known():
    _, report = built(dead(1, 100.0, vendor="Acme"), dead(2, 100.0), response(3, incident="inc-2", of="inc-2.r1"))
    assert [(each["name"], each["credentials"]) for each in report["by"]["vendor"]] == [("Acme", 1), ("not known", 2)]
    assert [(each["name"], each["proven_dead"]["open"]) for each in report["by"]["incident"]] == [
        ("inc-1", 0),
        ("inc-2", 1),
    ]


def test_the_page_says_who_made_it_and_what_signs_its_records():
    made = compliance.Made(HOSTILE, "8f" * 32, BEGUN, "k0Vj=")
    found, _ = built(dead(1, 100.0))
    report = compliance.build(found, BEGUN, BEGUN + 1.0, BEGUN + 2.0, made=made)
    page = compliance_page.text(report, found, BEGUN + 2.0)
    assert "<script" not in page
    assert page.count("8f" * 32) == 1
    assert "k0Vj=" in page
    assert all(name in page for name in compliance_words.WORDS)
    assert report["compliance"]["made_by"] == HOSTILE
    witnessed = compliance.Made("ci", "8f" * 32, BEGUN, "k0Vj=", {HOSTILE: None, "s3://audit": BEGUN})
    outside = compliance.build(found, BEGUN, BEGUN + 1.0, BEGUN + 2.0, made=witnessed)
    since = moment(BEGUN)
    assert [each["lacks_since"] for each in outside["evidence"]["witnesses"]] == ["", since]
    kept = compliance_page.text(outside, found, BEGUN + 2.0)
    assert "<script" not in kept
    assert kept.count("which lacks what was signed since") == 1
    table = printed(outside)
    assert "\x1b[2J" not in table
    assert f"s3://audit lacks what was signed since {since[:19]}Z" in table
    unsigned = compliance_page.text(compliance.build(found, BEGUN, BEGUN + 1.0, BEGUN + 2.0), found, BEGUN + 2.0)
    assert "nothing of the evidence was signed yet" in unsigned


def printed(report):
    shown = Console(width=400)
    with shown.capture() as captured:
        shown.print(compliance_text.text(report))
    return captured.get()


def test_a_mean_above_the_longest_that_ended_is_explained_wherever_it_is_shown():
    one = dead(1, 100.0)
    found, report = built(one, response(2))
    clock = report["clocks"]["proven_dead"]
    assert clock["mean_s"] > clock["max_s"] == 100.0
    for shown in (printed(report), compliance_page.text(report, found, BEGUN + 3600.0)):
        assert compliance_words.WHILE_OPEN in shown
        assert lasted(clock["longest_open_s"]) in shown
    whole = dict.fromkeys(("acknowledged_at", "contained_at", "replaced_at"), BEGUN + 50.0)
    assert compliance_words.WHILE_OPEN not in printed(built(dead(1, 100.0, **whole))[1])


def test_the_page_stands_alone_escapes_every_name_and_tells_every_clock_and_exception():
    glass = Unapproved("inc-1", "d" * 16, "containment", HOSTILE, BEGUN, HOSTILE, "", "")
    found, report = built(
        dead(1, 100.0, owner=HOSTILE, credential=HOSTILE, provider="a_password"),
        response(2, connection=HOSTILE, risk_accepted=HOSTILE),
        targets=[Objective("proven_dead", 95, 900.0)],
        unapproved=[glass],
    )
    page = compliance_page.text(report, found, BEGUN + 3600.0)
    assert "<script" not in page
    assert "\x1b" not in page
    assert not re.findall(r"(?:src|href)=|url\(|https?:", page)
    assert "default-src 'none'" in page
    assert all(title in page for title, _ in compliance_words.CLOCKS.values())
    assert all(name.replace("_", " ") in page for name in (*compliance.STATES, *compliance.BESIDE))
    assert all(f"{each['edition']} · {each['id']}" in page for each in report["controls"])
    assert page.count("<svg") == 4  # the curve, and a key for each line


def test_the_table_has_a_row_for_each_and_no_cell_that_a_spreadsheet_computes():
    found, _ = built(dead(1, 100.0, owner=HOSTILE), response(2, dismissed=HOSTILE))
    rows = [*csv.DictReader("".join(compliance_csv.text(found, BEGUN)).splitlines())]
    assert [(each["of"], each["state"]) for each in rows] == [("inc-1.r1", "proven_dead"), ("inc-1.r2", "dismissed")]
    assert rows[0]["owner"].startswith("'=")


def due(number, by, **told):
    names = (told.pop("policy", "keys"), "aws_iam_access_key", "prod", "ci", f"AKIA{number}")
    return Duty(*names, BEGUN - 90 * DAY, BEGUN, BEGUN + by, BEGUN, f"inc-9.r{number}", **told)


def test_hygiene_is_told_apart_in_every_form_with_its_share_and_its_ages():
    aged = [{"policy": HOSTILE, "max_age_s": 90 * DAY, "credentials": 4, "unknown": 1, "over_max_age": 2}]
    aged[0] |= {name: int(name in {"under_30d", "under_180d", "older"}) for name in BUCKETS}
    duties = [due(1, DAY, replaced_at=BEGUN + 5.0), due(2, 60.0, policy=HOSTILE), due(3, DAY, gone=True)]
    found = Found([dead(1, 100.0)], [], duties=duties, survey=Survey(BEGUN + 1.0, aged))
    report = compliance.build(found, BEGUN, BEGUN + DAY, BEGUN + 3600.0)
    assert report["population"]["credentials"] == 1
    told = report["hygiene"]
    assert told["all"] | {"due": 2, "on_time": 1, "overdue": 1, "decided": 2, "on_time_share": 0.5} == told["all"]
    assert told["without_evidence"] == 1
    assert told["all"]["lateness"]["longest_open_s"] == 3540.0
    page = compliance_page.text(report, found, BEGUN + 3600.0)
    assert "1 of the 2 that are decided were replaced on time: 50.0%." in page
    assert "Of 1 more the evidence was deleted by policy." in page
    assert all(means in page for means in STATES.values())
    assert "2 came due by policies of hygiene" in page
    assert "<script" not in page
    shown = Console(width=400)
    with shown.capture() as captured:
        shown.print(compliance_text.text(report))
    lines = [line.split() for line in captured.get().splitlines()]
    assert ["all", "2", "1", "0", "1", "0", "0", "50.0%", "2", "of", "4"] in lines
    assert ["keys", "1", "1", "0", "0", "0", "0", "100.0%", "-"] in lines
    assert "\x1b[2J" not in captured.get()
    rows = [*csv.DictReader("".join(compliance_csv.text(found, BEGUN + 3600.0)).splitlines())]
    assert [(each["credential"], each["state"], each["due_at"][:4]) for each in rows] == [
        ("AKIA1", "proven_dead", ""),
        ("AKIA1", "on_time", "2026"),
        ("AKIA2", "overdue", "2026"),
    ]
    assert rows[2]["policy"].startswith("'=")


def test_where_nothing_came_due_the_page_says_so():
    found, report = built(dead(1, 100.0))
    page = compliance_page.text(report, found, BEGUN + 3600.0)
    assert "Nothing came due by a policy of hygiene in the period." in page
    assert "No record of the period tells how old what they select is." in page
