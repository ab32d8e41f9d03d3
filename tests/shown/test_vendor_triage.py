"""Triage of vendors, from an advisory or a breach to rows: who is touched, how badly, and by which terms."""

from __future__ import annotations

import json

import pytest

from rotator.alarm.vendor_notice import Given, told
from rotator.errors import BadInput
from rotator.flow.vendor_terms import Judged, Name
from rotator.ledger.kept_advisories import KeptAdvisories
from rotator.shown.vendor_triage import answer, found
from tests.shown.vendors import ADVISORY, RECORD, filled, parts, vendor

RECORDS = {"advisory.json": RECORD}


@pytest.fixture
def house(tmp_path):
    return filled(tmp_path)


def triaged(house, **given):
    notice, advisories = told(house, Given(**given))
    rows = answer(house, notice, found(house, notice, advisories))
    assert json.loads(json.dumps(rows)) == rows
    return rows


def terms(row):
    return {each["name"]: each for each in row["terms"]}


def test_an_advisory_ranks_every_vendor_and_says_of_each_what_is_known(house):
    told_of = triaged(house, records=RECORDS)
    assert told_of["notice"]["id"] == ADVISORY
    assert "MAL-2026-2144" in told_of["notice"]["names"]
    assert told_of["notice"]["published_at"].startswith("2026-03-24")
    rows = {each["vendor"]: each for each in told_of["vendors"]}
    likely = {name: terms(row)["likelihood"]["value"] for name, row in rows.items()}
    assert likely == {"acme": 0.95, "beta": 0.5, "gamma": 0.3, "delta": 0.57}
    assert [each["rank"] for each in told_of["vendors"]] == [1, 2, 3, 4]
    assert told_of["vendors"][0]["vendor"] == "acme"
    assert rows["acme"]["advice"] == "pause now"
    assert "sbom.json lists litellm 1.82.7" in terms(rows["acme"])["likelihood"]["why"]
    assert "unknown is not clean" in terms(rows["gamma"])["likelihood"]["why"]
    assert "acme: sbom.json" in terms(rows["delta"])["likelihood"]["why"]


def test_what_it_holds_is_counted_and_what_nobody_said_is_told(house):
    acme = next(each for each in triaged(house, records=RECORDS)["vendors"] if each["vendor"] == "acme")
    of = terms(acme)
    counts = {name: of[name]["value"] for name in ("credentials", "grants", "tasks")}
    assert counts == {"credentials": 3, "grants": 0, "tasks": 1}
    assert of["worst"]["value"] == 0.9
    assert "payments" in of["worst"]["why"]
    assert of["calls"]["value"] >= 2
    assert of["least_s"]["value"] > 0
    assert of["effort_h"]["value"] == 0.5 + 1.0 + 2 * 0.05
    assert (of["user_impact"]["level"], of["user_impact"]["source"]) == ("high", "the inventory")
    assert (of["cost_of_change"]["value"], bool(of["cost_of_change"]["ask"])) == (None, True)
    assert "`reads`" in of["sensitivity"]["ask"]


def test_a_breach_touches_who_stands_on_the_name_and_nobody_else(house):
    rows = triaged(house, breached=["Mailer"])["vendors"]
    assert [(each["vendor"], terms(each)["likelihood"]["value"]) for each in rows] == [("acme", 0.6), ("delta", 0.36)]
    both = triaged(house, breached=["beta"], records=RECORDS)["vendors"]
    assert terms(next(each for each in both if each["vendor"] == "beta"))["likelihood"]["value"] == 1.0


def test_the_text_of_a_notice_names_whom_a_person_did_not(house):
    text = "Dear customer,\nan attacker was at GAMMA. Alphabeta is not concerned."
    told_of = triaged(house, text=text)
    assert [each["vendor"] for each in told_of["vendors"]] == ["gamma"]
    assert "a person must read" in told_of["notice"]["notes"][0]
    assert "Dear customer" in told_of["notice"]["title"]
    beside = triaged(house, text=text, breached=["acme"])
    assert [each["vendor"] for each in beside["vendors"]] == ["acme", "delta"]
    assert "names gamma too" in beside["notice"]["notes"][0]


def test_what_a_person_set_counts_for_every_name_of_the_advisory(house):
    said = Judged(Name.LIKELIHOOD, 0.1, "ana", 0.0, "they never ran it", "GHSA-5mg7-485q-xm76")
    house.assessments.set("acme", said)
    acme = next(each for each in triaged(house, records=RECORDS)["vendors"] if each["vendor"] == "acme")
    term = terms(acme)["likelihood"]
    assert (term["value"], term["by"], term["why"], term["instead_of"]) == (0.1, "ana", "they never ran it", 0.95)
    assert acme["advice"] == "watch"
    other = triaged(house, breached=["acme"])["vendors"][0]
    assert terms(other)["likelihood"]["value"] == 1.0


def test_an_advisory_by_its_id_is_had_as_respond_has_it(house):
    kept = KeptAdvisories(house.database)
    kept.keep(ADVISORY, json.loads(RECORD))
    told_of = triaged(house, advisories=[ADVISORY])
    assert told_of["vendors"][0]["vendor"] == "acme"
    assert "used as it was fetched at" in told_of["notice"]["notes"][0]


def test_a_withdrawn_advisory_touches_nobody_and_says_so(house):
    gone = json.dumps({**json.loads(RECORD), "withdrawn": "2026-04-01T00:00:00Z"})
    told_of = triaged(house, records={"gone.json": gone})
    assert told_of["vendors"] == []
    assert "withdrawn" in told_of["notice"]["notes"][0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "nothing was given"),
        ({"breached": ["acm"]}, "did you mean `acme`"),
        ({"breached": ["somebody else"]}, "none names it as a sub-processor"),
        ({"text": "nobody you know"}, "names nobody who is known"),
        ({"text": "ghp_" + "a1B2" * 9}, "a secret seems to stand in it"),
        ({"advisories": ["litellm"]}, "no advisory's id"),
        ({"records": {"x.json": "{}"}}, "x.json"),
    ],
)
def test_what_names_nothing_is_one_clear_line(house, given, said):
    with pytest.raises(BadInput) as refused:
        told(house, Given(**given))
    assert said in str(refused.value)
    assert "a1B2" not in str(refused.value)


def test_a_name_is_known_in_any_case_form_and_across_a_line_and_whoever_else_is_called_so_is_told_too(tmp_path):
    house = parts(tmp_path)
    house.vendors.take(
        [
            vendor("acme", title="Other Data"),
            vendor("mill", title="Cafe\u0301 Data", sub_processors=["ACME"]),
            vendor("oven", title="\uff2fther data", sub_processors=["Caf\u00e9  data"]),
        ],
        "ben",
    )
    both = triaged(house, text="We regret to tell that other\n   data was breached.")
    assert both["notice"]["breached"] == ["acme", "oven"]
    with pytest.raises(BadInput, match=r"several vendors are called so.*acme, oven"):
        told(house, Given(breached=["OTHER DATA"]))
    served = triaged(house, breached=["Acme"])["vendors"]
    assert {each["vendor"]: terms(each)["likelihood"]["value"] for each in served} == {
        "acme": 1.0,
        "mill": 0.6,
        "oven": 0.36,
    }


def test_a_notice_of_endless_length_is_refused_in_one_line(house):
    with pytest.raises(BadInput, match="longer than a megabyte"):
        told(house, Given(text="acme was breached\n" * 100_000))
