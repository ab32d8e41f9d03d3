"""An advisory is looked up by any of its names, on the configured server alone; a file needs none."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import update

from rotator.alarm.looking_up import is_id, looked_up
from rotator.bootstrap import Rotator
from rotator.cli.alarm import Given
from rotator.errors import BadInput
from rotator.ledger import tables
from rotator.ledger.database import LedgerFailed
from rotator.ledger.kept_advisories import KeptAdvisories
from rotator.practice.process import free_port
from rotator.settings.file import load
from tests.fakes.deployment import sqlite
from tests.fakes.http_server import Request, listening
from tests.packages.world import ADVISORIES

THREE = ("PYSEC-2026-2", "MAL-2026-2144", "GHSA-5mg7-485q-xm76")
LINES = [json.loads((ADVISORIES / "PYSEC-2026-2.json").read_text())]
LINES += [json.loads(line) for line in (ADVISORIES / "others.jsonl").read_text().splitlines()]
RECORDS = {f"/v1/vulns/{each['id']}": each for each in LINES}


@pytest.fixture
def osv():
    """Serve the three records, and what a test adds."""
    answers, asked = dict(RECORDS), []

    class Asked(Request):
        def answered(self, _sent: bytes) -> None:
            asked.append(self.path)
            found = answers.get(self.path)
            missing = {"code": 5, "message": "Bug not found."}
            body = found if isinstance(found, bytes) else json.dumps(missing if found is None else found).encode()
            self.reply(404 if found is None else 200, body)

    with listening(Asked) as address:
        yield address, answers, asked


@pytest.fixture
def kept(tmp_path):
    database = sqlite(tmp_path / "ledger.db")
    yield KeptAdvisories(database)
    database.close()


@pytest.mark.parametrize("name", THREE)
def test_one_event_is_found_by_each_of_its_three_names(osv, kept, name):
    """OSV serves each record with all names of the event."""
    address, answers, asked = osv
    answers |= {
        path: {**each, "aliases": [one for one in THREE if one != each["id"]]} for path, each in RECORDS.items()
    }
    found = looked_up(address, name, kept).advisory
    assert found.id == name
    assert set(THREE) <= found.names
    assert [each.covers("1.82.8") for each in found.affected] == [True]
    assert {each.rpartition("/")[2] for each in asked} >= set(THREE)
    assert len(asked) == len(set(asked))


def test_names_are_followed_where_each_record_knows_the_next_alone(osv, kept):
    assert looked_up(osv[0], "GHSA-5mg7-485q-xm76", kept).advisory.names == set(THREE)


def test_a_plan_is_made_of_an_id_and_a_folder(osv, tmp_path):
    (tmp_path / "rotator.toml").write_text(f'data_dir = "data"\n[advisories]\nurl = "{osv[0]}/"\n')
    (tmp_path / "host" / "a").mkdir(parents=True)
    (tmp_path / "host" / "a" / "freeze.txt").write_text("litellm==1.82.7\n")
    parts = Rotator(load(tmp_path / "rotator.toml"))
    alarm = Given(advisories=[THREE[2]], evidence=[str(tmp_path / "host")]).read(parts)
    assert alarm.title == f"{THREE[2]} where it was installed"
    assert [(str(each.site), each.version) for each in alarm.evidence.hits] == [("host:a", "1.82.7")]
    parts.database.close()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "has no such record"),
        (b"", "gives no record (HTTP 200)"),
        (b"[]", "gives no record"),
        ({"id": "GHSA-1-2-3"}, "it names no package"),
        ({**LINES[0], "id": "PYSEC-2026-9", "aliases": []}, "gives another record"),
    ],
)
def test_what_is_no_record_of_it_is_refused_in_one_line(osv, kept, answer, says):
    address, answers, _ = osv
    if answer is not None:
        answers["/v1/vulns/GHSA-1-2-3"] = answer
    with pytest.raises(BadInput) as refused:
        looked_up(address, "GHSA-1-2-3", kept)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_names_without_end_are_not_followed_for_ever(osv, kept):
    address, answers, asked = osv
    for number in range(100):
        aliases = [f"MAL-{number + 1}", "../../x", "MAL-0?y"]
        answers[f"/v1/vulns/MAL-{number}"] = {**LINES[0], "id": f"MAL-{number}", "aliases": aliases}
    looked_up(address, "MAL-0", kept)
    assert asked == [f"/v1/vulns/MAL-{number}" for number in range(12)]


def test_without_a_server_only_a_file_will_do(kept):
    for url, says in ((None, "no server is named"), (f"http://127.0.0.1:{free_port()}", "does not answer")):
        with pytest.raises(BadInput, match=says) as refused:
            looked_up(url, THREE[0], kept)
        assert "file" in str(refused.value)


@pytest.mark.parametrize("url", [None, "http://127.0.0.1:9"])
def test_what_was_fetched_before_is_used_while_the_server_is_silent_and_said_to_be(osv, kept, url):
    now = looked_up(osv[0], THREE[2], kept)
    then = looked_up(url, THREE[2], kept)
    assert (now.note, then.advisory) == ("", now.advisory)
    assert ("no server is named" if url is None else "does not answer (unreachable)") in then.note
    assert all(f": {each}" in then.note for each in THREE)
    assert re.search(r"used as it was fetched at 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00: GHSA", then.note)


def test_a_name_of_which_nothing_was_had_is_told(osv, kept):
    looked_up(osv[0], THREE[0], kept)
    with kept._database.write() as connection:
        connection.execute(
            update(tables.kept_advisory).where(tables.kept_advisory.c.name == THREE[1]).values(record="7")
        )
    found = looked_up(None, THREE[0], kept)
    assert f"not had, though more may be named there: {THREE[1]}" in found.note
    assert [each.covers("1.82.8") for each in found.advisory.affected] == [True]


def test_a_server_that_fails_is_not_asked_for_every_name_and_its_answer_counts_where_it_has_one(osv, kept):
    address, answers, asked = osv
    looked_up(address, THREE[2], kept)
    asked.clear()
    answers[f"/v1/vulns/{THREE[2]}"] = b"<html>"
    assert "gives no record (HTTP 200)" in looked_up(address, THREE[2], kept).note
    assert len(asked) == 1
    del answers[f"/v1/vulns/{THREE[2]}"]
    with pytest.raises(BadInput, match="has no such record"):
        looked_up(address, THREE[2], kept)


def test_the_plan_says_that_an_advisory_is_of_before(osv, tmp_path):
    (tmp_path / "rotator.toml").write_text('data_dir = "data"\n')
    (tmp_path / "host" / "a").mkdir(parents=True)
    (tmp_path / "host" / "a" / "freeze.txt").write_text("litellm==1.82.7\n")
    parts = Rotator(load(tmp_path / "rotator.toml"))
    looked_up(osv[0], THREE[2], KeptAdvisories(parts.database))
    alarm = Given(advisories=[THREE[2]], evidence=[str(tmp_path / "host")]).read(parts)
    assert alarm.evidence.notes[0].startswith("no server is named")
    assert len(alarm.evidence.hits) == 1
    parts.database.close()


def test_what_cannot_be_kept_costs_no_plan(osv, kept, monkeypatch):
    def is_full(*_):
        raise LedgerFailed("the disk is full")

    monkeypatch.setattr(kept, "keep", is_full)
    assert looked_up(osv[0], THREE[2], kept).note == ""


@pytest.mark.parametrize("name", ["advisory.json", "a/GHSA-1-2", "GHSA", "", "../GHSA-1", "x-" * 40])
def test_what_is_no_id_is_a_file(name):
    assert not is_id(name)
