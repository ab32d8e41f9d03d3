"""Triage at the command line: which vendors a notice touches, what a person sets, and the memo as a file."""

from __future__ import annotations

import csv
import io
import json
import sys

import pytest

from rotator.ledger.kept_advisories import KeptAdvisories
from tests.shown.test_vendor_memo import paused
from tests.shown.vendors import ADVISORY, RECORD, filled

GUID = "GHSA-5mg7-485q-xm76"


@pytest.fixture
def house(called, tmp_path):
    """Return the command line on a ledger with vendors, and an advisory's record beside it."""
    filled(tmp_path).database.close()
    (tmp_path / "advisory.json").write_text(RECORD)
    return called


def test_the_gravest_comes_first_with_its_terms_and_what_nobody_knows(house):
    said = house("vendor", "triage", "advisory.json").ended(0).out
    assert said.index("acme") < said.index("gamma")
    assert "pause now" in said
    assert "acme: pause now: its priority" in said
    assert "sbom.json lists litellm 1.82.7, which is bad" in said
    assert "unknown is not clean" in said
    rows = json.loads(house("vendor", "triage", "advisory.json", "-o", "json").ended(0).out)
    assert rows["notice"]["id"] == ADVISORY
    lines = house("vendor", "triage", "advisory.json", "-o", "jsonl").ended(0).out.splitlines()
    assert [json.loads(each) for each in lines] == rows["vendors"]
    table = list(csv.DictReader(io.StringIO(house("vendor", "triage", "advisory.json", "-o", "csv").ended(0).out)))
    [likely] = [each for each in table if (each["vendor"], each["term"]) == ("acme", "likelihood")]
    assert (likely["value"], likely["priority"]) == ("0.95", str(rows["vendors"][0]["priority"]))


def test_a_breach_is_told_by_name_by_text_by_file_or_on_standard_input(house, tmp_path, monkeypatch):
    assert "delta" in house("vendor", "triage", "--breached", "mailer").ended(0).out
    assert "gamma" in house("vendor", "triage", "--notice", "an attacker was at Gamma").ended(0).out
    (tmp_path / "news.txt").write_text("an attacker was at Gamma")
    assert "gamma" in house("vendor", "triage", "--notice", "news.txt").ended(0).out
    monkeypatch.setattr(sys, "stdin", io.StringIO("an attacker was at Gamma"))
    assert "gamma" in house("vendor", "triage", "--notice", "-").ended(0).out


def test_what_a_person_sets_is_shown_with_his_name_and_taken_back_again(house):
    why = ("--reason", "they showed us their builds")
    said = house("vendor", "assess", "acme", "likelihood", "0.1", "--notice", GUID, *why).ended(0).out
    assert said == f"likelihood of acme is 0.1 for {GUID}\n"
    told = house("vendor", "triage", "advisory.json").ended(0).out
    assert "they showed us their builds, says " in told
    assert "0.95 else" in told
    assert "acme: watch" in told
    again = house("vendor", "assess", "acme", "user_impact", "critical", *why, "-o", "json").ended(0).out
    assert (json.loads(again)["value"], json.loads(again)["level"]) == (4.0, "critical")
    taken = house("vendor", "assess", "acme", "likelihood", "--clear", "--notice", GUID, *why).ended(0).out
    assert taken == f"likelihood of acme follows from the registry again for {GUID}, 0.1 before\n"
    assert "acme: pause now" in house("vendor", "triage", "advisory.json").ended(0).out


def test_once_paused_triage_says_so_and_the_memo_is_for_what_it_was_paused_for(called, tmp_path):
    house = filled(tmp_path)
    paused(house)
    told = called("vendor", "memo", "acme", "-o", "json").ended(0)
    assert "cannot be had now: there is no such file" in json.loads(told.out)["happened"][1]
    KeptAdvisories(house.database).keep(ADVISORY, json.loads(RECORD))
    house.database.close()
    (tmp_path / "advisory.json").write_text(RECORD)
    said = called("vendor", "triage", "advisory.json").ended(0).out
    assert "acme: pause now; PAUSED by inc-1" in said
    assert "gamma: pause after preparing:" in said
    memo = json.loads(called("vendor", "memo", "acme", "-o", "json").ended(0).out)
    assert (memo["notice"]["id"], memo["advice"], memo["paused"]["incident"]) == (ADVISORY, "pause now", "inc-1")


def test_a_pause_for_the_record_of_an_advisory_is_for_its_id_and_the_memo_knows_it(house):
    house("vendor", "pause", "gamma", "--reason", "it runs it", "--notice", "advisory.json", "--yes").ended(3)
    memo = json.loads(house("vendor", "memo", "gamma", "-o", "json").ended(0).out)
    assert (memo["notice"]["id"], memo["paused"]["notices"]) == (ADVISORY, [ADVISORY])
    assert "used as it was given as a file" in memo["happened"][1]


def test_an_ordinary_vulnerability_is_told_as_one_and_escalated_by_a_persons_word(house, tmp_path):
    weak = {**json.loads(RECORD), "id": "GHSA-aaaa-bbbb-cccc", "aliases": []}
    weak["database_specific"] = {"cwe_ids": ["CWE-79"]}
    (tmp_path / "weak.json").write_text(json.dumps(weak))
    said = house("vendor", "triage", "weak.json").ended(0).out
    assert "note: GHSA-aaaa-bbbb-cccc is an ordinary vulnerability by its cwe_ids: CWE-79: nobody is told" in said
    house("vendor", "escalate", "GHSA-aaaa-bbbb-cccc", "--reason", " ").ended(2)
    words = ("vendor", "escalate", "GHSA-aaaa-bbbb-cccc", "--reason", "it is exploited")
    said = house(*words).ended(0).out
    assert ": it is exploited; its record: an ordinary vulnerability by its cwe_ids: CWE-79\nacme 0." in said
    assert said.endswith("of 1 other it is not known\n")
    assert "it is taken for one already" in house(*words).ended(2).err


def test_an_alarm_by_an_advisory_names_the_vendors_whose_lists_have_it(house, tmp_path):
    (tmp_path / "evidence" / "host" / "ci-7").mkdir(parents=True)
    (tmp_path / "evidence" / "host" / "ci-7" / "freeze.txt").write_text("litellm==1.82.7\n")
    words = ("intake", "--advisory", "advisory.json", "--evidence", "evidence")
    said = house(*words).ended(0).out
    assert "vendors whose lists have it: acme (bad), beta (may be bad); `rotator vendor triage` says how badly" in said
    other = ("intake", "--package", "left-pad==1.0.0", "--evidence", "evidence")
    assert "vendors" not in house(*other).ended(0).out


def test_the_memo_of_all_takes_an_advisory_by_its_id_or_its_record_and_the_news(house, tmp_path):
    (tmp_path / "news.txt").write_text("an attacker was at Gamma")
    first = house("vendor", "memo", "--notice", "advisory.json", "-o", "json").ended(0)
    by_id = house("vendor", "memo", "--notice", ADVISORY, "-o", "json").ended(0)
    assert json.loads(first.out)["vendors"] == json.loads(by_id.out)["vendors"]
    assert "# 1 vendor may be touched" in house("vendor", "memo", "--notice", "news.txt").ended(0).out
    assert house("vendor", "memo", "acme", "--notice", "advisory.json").ended(0).out.startswith("# Acme: pause it")
    assert "nothing was given" in house("vendor", "memo").ended(2).err


def test_a_memo_is_a_file_of_each_form(house):
    assert house("vendor", "memo", "acme", "advisory.json").ended(0).out.startswith("# Acme: pause it")
    page = house("vendor", "memo", "acme", "advisory.json", "-o", "html").ended(0).out
    assert "Recommendation: pause now" in " ".join(page.split()).replace('<span class="advice">', "")
    told = json.loads(house("vendor", "memo", "acme", "--breached", "mailer", "-o", "json").ended(0).out)
    assert told["notice"]["breached"] == ["mailer"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("triage",), "nothing was given"),
        (("triage", "none.json"), "none.json"),
        (("triage", ADVISORY), "no server is named"),
        (("triage", "--breached", "gama"), "did you mean `gamma`"),
        (("triage", "--notice", "news.txt"), "there is no such file"),
        (("assess", "acme", "likelihood", "--reason", "x"), "a value is needed"),
        (("assess", "acme", "likelihood", "0.5", "--clear", "--reason", "x"), "a value is needed"),
        (("assess", "acme", "likelihood", "1.5", "--reason", "x"), "from 0 to 1"),
        (("assess", "acme", "likelihood", "nan", "--reason", "x"), "from 0 to 1"),
        (("assess", "acme", "user_impact", "much", "--reason", "x"), "low, medium, high, critical"),
        (("assess", "acme", "priority", "1", "--reason", "x"), "likelihood, sensitivity"),
        (("assess", "nobody", "likelihood", "1", "--reason", "x"), "no vendor is registered"),
        (("assess", "acme", "likelihood", "1", "--reason", " "), "a reason is needed"),
        (("memo", "nobody", "advisory.json"), "no vendor is registered"),
    ],
)
def test_bad_input_is_one_line(house, words, said):
    done = house("vendor", *words).ended(2)
    assert said in done.err
    assert done.err.count("\n") == 1
