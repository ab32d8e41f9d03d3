"""Bad input gets one clear line (what, where, how to mend) and exit code 2, and changes nothing."""

from __future__ import annotations

import base64
import json
import os
import secrets
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import LIST, rows
from tests.e2e.commands import until

pytestmark = pytest.mark.usefixtures("ready")
MEGABYTES = 1 << 20
KEY = base64.b64encode(b"k" * 32).decode()
POSTGRES = 'database_url = "postgresql+psycopg://rotator:hunter2hunter2@127.0.0.1:1/rotator"\n'
REDIS = 'broker_url = "redis://:hunter2hunter2@127.0.0.1:1"\n'


def refused(done):
    """Return the one line that was said, of a command that did nothing."""
    assert done.ended(2).out == ""
    assert done.one_line.startswith("rotator: ")
    assert "hunter2" not in done.one_line
    return done.one_line


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"findings": [{"rule": {"name": "AWS"', "cut off"),
        (b"", "empty"),
        (b"  \n", "empty"),
        (b'{"results": [], "errors": [], "paths": {}}', "no report that rotator reads"),
        (secrets.token_bytes(9000), "binary"),
        ("provider,id\n".encode("utf-16"), "UTF-8"),
        (b"provider,id,secret\naws_iam_access_key,AKIAQ4R7T2W9Z3K5M8N1,hunter2\n", "ids only"),
        (b"[" * 100_000, "no report that rotator reads"),
    ],
    ids=["truncated", "empty", "blank", "another tool", "binary", "utf-16", "a list with secrets", "deep"],
)
def test_a_report_that_cannot_be_used_is_refused_and_nothing_is_written(rotator, data_dir, content, said):
    before = rows(data_dir)
    path = rotator.folder / "report"
    path.write_bytes(content)
    assert said in (line := refused(rotator("respond", "list.csv", "report", "--yes")))
    assert line.startswith("rotator: report")
    assert refused(rotator("respond", "-", "--yes", given=content)).startswith("rotator: standard input")
    assert rows(data_dir) == before


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_report_that_is_not_a_file_is_refused(rotator, data_dir, name):
    before = rows(data_dir)
    assert "cannot be read" in refused(rotator("respond", name, "--yes"))
    assert rows(data_dir) == before


def test_200_mb_of_garbage_are_refused_at_once_and_never_held_in_memory(rotator, data_dir):
    before = rows(data_dir)
    with (rotator.folder / "report.json").open("wb") as report:
        report.write(b'{"findings": [')
        for _ in range(200):
            report.write(b"x" * MEGABYTES)
    assert "byte 14" in refused(rotator("respond", "report.json", "--yes"))
    assert rows(data_dir) == before


def test_a_200_mb_report_is_read_to_its_end_in_bounded_memory(rotator):
    text = json.dumps({"DetectorName": "AWS", "Raw": "AKIAQ4R7T2W9Z3K5M8N1", "RawV2": "", "SourceMetadata": {}})
    line = (text[:-1] + ', "ExtraData": {"pad": "' + "x" * 100_000 + '"}}\n').encode()
    with (rotator.folder / "report.jsonl").open("wb") as report:
        for _ in range(2000):
            report.write(line)
    most = 0

    def ended():
        nonlocal most
        status = Path(f"/proc/{command.process.pid}/status").read_text()
        found = dict(line.split(":", 1) for line in status.splitlines())
        most = max(most, int(found.get("VmHWM", "0 kB").split()[0]) * 1024)
        return command.process.poll() is not None

    fresh = replace(rotator, is_ready=False)  # of one that was forked the memory of all imports would count
    command = fresh.start("intake", "report.jsonl", "-o", "json")
    until(ended)
    [entry] = command.end().ended(0).report
    assert len(entry["exposures"]) == 2000
    assert 0 < most < 150 * MEGABYTES


@pytest.mark.usefixtures("data_dir")
def test_a_credential_of_an_account_that_nobody_configured_is_a_visible_task_for_a_person(rotator):
    done = rotator("incident", "declare", "list.csv", "--title", "After").ended(0)
    assert "For a person: 1" in done.err
    report = rotator("report", "last", "-o", "json").ended(3).report
    [entry] = report["credentials"]
    assert (entry["state"], entry["evidence"], entry["id"]) == ("manual", "none", "AKIAQ4R7T2W9Z3K5M8N1")
    assert "no aws connection" in entry["open"][0]
    assert report["totals"]["manual"] == report["time_to_revoke"]["still_open"] == 1
    told = " ".join(rotator("report", "last").ended(3).out.split())
    ended = f"rotator exposure dismiss {report['incident']['id']} {entry['run']} --as already_dead --reason …"
    assert f"{ended} once a person has ended it by hand" in told


PLAYBOOK = """\
playbook: mine
provider: vault_token
summary: A playbook of our own.
strategies: [revoke_only]
recognises: {list: [mine]}
steps:
  - {id: keep,    do: preserve exposed}
  - {id: paired,  do: verify exposed}
  - {id: contain, do: revoke exposed}
  - {id: refused, do: verify exposed, expect: rejected, retry_for: 5m}
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("preserve exposed", "presrve exposed"),
        ("{id: keep,", "{idd: keep,"),
        ("do: preserve exposed}", "do: 'preserve exposed}"),
        ("  - {id: keep,", "\t- {id: keep,"),
        ("preserve exposed", "*anchor"),
    ],
)
def test_a_mistake_on_line_7_of_a_playbook_is_told_with_its_line(rotator, data_dir, right, wrong):
    before = rows(data_dir)
    (rotator.folder / "rotator.toml").write_text('data_dir = "data"\nplaybooks = ["books"]\n')
    (rotator.folder / "books").mkdir()
    book = rotator.folder / "books" / "mine.yaml"
    book.write_text(PLAYBOOK)
    assert "mine" in rotator("playbook", "list", "-o", "json").ended(0).out
    book.write_text(PLAYBOOK.replace(right, wrong, 1))
    assert refused(rotator("respond", "list.csv", "--yes")).startswith("rotator: books/mine.yaml:7: ")
    assert rotator("playbook", "lint", "books/mine.yaml").ended(2).out.startswith("books/mine.yaml:7:")
    assert rows(data_dir) == before


@pytest.mark.parametrize(
    ("configured", "said"),
    [
        ("data_dir = \n", "line 1"),
        ('data_dirr = "x"', "data_dirr"),
        ("concurrency = 0", "concurrency"),
        ('[[connections]]\nname = "a"', "family"),
        ('[[connections]]\nname = "a b"\nfamily = "aws"', "name"),
        ('[[connections]]\nname = "a"\nfamily = "aws"\ncredential = "hunter2hunter2"', "not a reference"),
        ('[[connections]]\nname = "a"\nfamily = "aws"\n[[connections]]\nname = "a"\nfamily = "ssh"', "two connections"),
        ('[[credentials]]\nmatch = {ownr = "ci"}', "ownr"),
        ('[[credentials]]\nmatch = {owner = "ci"}\nconsumers = [{}]', "webhook"),
        ('[[credentials]]\nmatch = {}\ndeliver = [{store = "vault_kv", connection = "v", name = "x"}]', "connection v"),
        ('playbooks = ["nowhere"]', "nowhere"),
        (REDIS, "SQLite ledger belongs to one process"),
        (POSTGRES, "in-memory broker cannot reach"),
        (POSTGRES + REDIS, "seal_key"),
        (POSTGRES + REDIS + 'seal_key = "env:NOBODY_SET_THIS"', "NOBODY_SET_THIS"),
        (POSTGRES + REDIS + 'seal_key = "env:SHORT"', "not base64"),
        (POSTGRES + REDIS + 'seal_key = "env:KEY"', "does not answer"),
        (
            POSTGRES.replace('/rotator"', '/rotator?password=hunter2"') + REDIS + 'seal_key = "env:KEY"',
            "127.0.0.1:1/rotator: the ledger's",
        ),
        ('[[credentials]]\nmatch = {}\nconsumers = [{webhook = "http://hunter2@host/x"}]', "holds no password"),
        ('data_dir = "list.csv"', "data_dir"),
        ('data_dir = "list.csv/below"', "data_dir"),
    ],
)
def test_a_mistake_in_the_configuration_is_told_in_one_line(rotator, configured, said):
    (rotator.folder / "list.csv").write_text(LIST)
    (rotator.folder / "rotator.toml").write_text(configured)
    rotator.environment = {"KEY": KEY, "SHORT": "hunter2"}
    assert said in refused(rotator("respond", "list.csv", "--yes"))
    assert {path.name for path in rotator.folder.iterdir()} == {"list.csv", "rotator.toml"}


@pytest.mark.usefixtures("data_dir")
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ROTATOR_CONCURRENCY", "many", "concurrency"),
        ("ROTATOR_CONNECTIONS", "[{", "connections"),
        ("ROTATOR_CONFIG", "nowhere.toml", "nowhere.toml"),
        ("ROTATOR_DATABASE_URL", "nonsense", "in-memory"),
        ("ROTATOR_DATABASE_URL", "sqlite://host:port/x", "ROTATOR_DATABASE_URL"),
    ],
)
def test_a_mistake_in_the_environment_is_told_in_one_line(rotator, name, value, said):
    rotator.environment = {name: value}
    assert said in refused(rotator("respond", "list.csv", "--yes"))


def test_with_a_broker_of_its_own_everything_in_one_process_is_refused(rotator):
    rotator.environment = {"KEY": KEY}
    (rotator.folder / "rotator.toml").write_text(POSTGRES + REDIS + 'seal_key = "env:KEY"')
    assert "rotator worker, beat and serve" in refused(rotator("up"))
    assert "no lane is called fast" in refused(rotator("worker", "--lane", "fast"))


def test_without_a_place_for_its_data_no_runtime_starts(rotator):
    (rotator.folder / "file").touch()
    (rotator.folder / "rotator.toml").write_text('data_dir = "file"')
    assert "data_dir" in refused(rotator("up"))


@pytest.mark.parametrize("key", ["", "hunter2", KEY[:-8], "\udcff\udcfe"], ids=["empty", "a word", "short", "no text"])
def test_a_seal_key_that_cannot_be_used_is_refused_before_anything_is_written(rotator, data_dir, key):
    before = rows(data_dir)
    (data_dir / "seal.key").write_bytes(key.encode(errors="surrogateescape"))
    assert "seal key" in refused(rotator("respond", "list.csv", "--yes"))
    assert rows(data_dir) == before


def test_a_ledger_of_a_newer_rotator_is_left_alone(rotator, data_dir):
    with sqlite3.connect(data_dir / "ledger.db") as ledger:
        ledger.execute("UPDATE alembic_version SET version_num = '9999'")
    before = rows(data_dir)
    assert "newer rotator" in refused(rotator("respond", "list.csv", "--yes"))
    assert rows(data_dir) == before


def test_a_ledger_that_is_none_is_left_alone(rotator, data_dir):
    garbage = os.urandom(9000)
    (data_dir / "ledger.db").write_bytes(garbage)
    assert "ledger" in refused(rotator("incident", "list"))
    assert (data_dir / "ledger.db").read_bytes() == garbage


def test_a_damaged_ledger_is_told_without_quoting_it(rotator, data_dir):
    with sqlite3.connect(data_dir / "ledger.db") as ledger:
        ledger.execute("DROP TABLE run")
    assert rotator("report", "last").ended(1).one_line.startswith("rotator: the ledger failed (OperationalError)")
    assert "BAD the ledger is damaged" in rotator("doctor").ended(1).out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("respond", "list.csv", "--strategy", "foo", "--yes"), "--strategy"),
        (("respond", "list.csv", "--exposed-at", "yesterday", "--yes"), "--exposed-at"),
        (("respond", "list.csv", "--exposed-at", "2026-03-24T08:30:00", "--yes"), "no time zone"),
        (("respond", "list.csv", "--exposed-at", "9999-12-31T23:59:59-14:00", "--yes"), "is in the future"),
        (("respond", "list.csv", "--exposed-at", "0001-01-01T00:00:00+14:00", "--yes"), "is before 1970"),
        (("respond", "list.csv", "--title", os.fsdecode(b"\xff"), "--yes"), "not UTF-8"),
        (("respond", os.fsdecode(b"\xff.csv"), "--yes"), "not UTF-8"),
        (("run", "skip", "r", "s", "--reason", os.fsdecode(b"\xff")), "not UTF-8"),
        (("respond", "\x1b]0;owned\x07", "--yes"), "\N{REPLACEMENT CHARACTER}]0;owned\N{REPLACEMENT CHARACTER}"),
        (("report", "inc-none"), "no such incident"),
        (("plan", "inc-none"), "no such incident"),
        (("incident", "watch", "inc-none"), "no such incident"),
        (("approve", "inc-none", "--digest", "0"), "no such incident"),
        (("approve", "last", "--digest", "0123456789abcdef"), "the plan is"),
        (("run", "retry", "inc-none.r1", "issue", "--reason", "try"), "no such run in this ledger"),
        (("run", "skip", "last", "issue", "--reason", "try"), "no such run in this ledger"),
        (("run", "done", "inc-none.r1", "issue", "--reason", "try"), "no such run in this ledger"),
        (("run", "undo", "inc-none.r1", "issue", "--reason", "try"), "no such run"),
        (("hold", "release", "inc-none.r1", "issue", "--reason", "try"), "no such run in this ledger"),
        (("gate", "open", "inc-none", "host_isolated", "--reason", "try"), "no such incident"),
        (("gate", "open", "last", "host_isolate", "--reason", "try"), "did you mean `host_isolated`"),
        (("gate", "close", "last", "host_isolated", "--reason", "try"), "shut already"),
        (("gate", "open", "last", "host_isolated", "--reason", " "), "a reason is needed"),
        (("gate", "open", "last", "host_isolated"), "missing option '--reason'"),
        (("gate", "list", "inc-none"), "no such incident"),
        (("host", "isolate", "last", "web-1", "--reason", "try"), "none was named"),
        (("stop", "nobody", "--reason", "try"), "no incident or connection"),
        (("stop",), "missing option '--reason'"),
        (("continue", "--reason", "try"), "nothing is stopped"),
        (("playbook", "show", "aws"), "aws_iam_access_key"),
        (("playbook", "lint", "nowhere.yaml"), "nowhere.yaml"),
        (("provider", "check"), "no connection"),
        (("worker",), "in-memory broker"),
        (("beat",), "in-memory broker"),
        (("--config", "nowhere.toml", "doctor"), "nowhere.toml"),
    ],
)
def test_words_that_mean_nothing_here_are_told_in_one_line_and_start_nothing(rotator, data_dir, words, said):
    before = rows(data_dir)
    if words[-1] == "doctor":
        assert said in rotator(*words).ended(1).out
    else:
        assert said in refused(rotator(*words))
    assert rows(data_dir) == before
    assert not (data_dir / "up.log").exists()


def test_an_empty_ledger_has_no_last_incident(rotator):
    assert "no incident yet" in refused(rotator("report", "last"))
