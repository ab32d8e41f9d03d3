"""A channel to a SIEM is configured in words that are checked, tried, looked at and replayed from the command line."""

from __future__ import annotations

import json

import pytest

from rotator.api import gauges
from rotator.bootstrap import Rotator
from rotator.cli.doctor import examine
from rotator.cli.options import Context
from rotator.errors import BadInput, Unavailable
from rotator.ledger import service
from rotator.ledger.siem import SiemPlaces
from rotator.own_secrets import read
from rotator.settings.file import load
from tests.siem import receivers

CONFIGURED = 'data_dir = "data"\n[[siem]]\nname = "disk"\nfile = "events.jsonl"\n'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "needs `file`, `url` or `syslog`, one of them"),
        ('file = "x"\nsyslog = "tcp://h:1"', "needs `file`, `url` or `syslog`, one of them"),
        ('url = "ftp://h/x"', "must be an http or https address"),
        ('url = "https://ann:canary@h/x"', "no login stands in an address"),
        ('url = "https://h/x"\ntoken = "canary"', "not a reference to a secret"),
        ('url = "http://h/x"\ntoken = "env:A"', "a token is not sent in the clear"),
        ('file = "x"\ntoken = "env:A"', "a `token` goes with a `url`"),
        ('syslog = "h:514"', "must be tcp://HOST:PORT or tls://HOST:PORT; over udp://HOST:PORT losses are unseen"),
        ('syslog = "tcp://h"', "must be tcp://HOST:PORT"),
        ('syslog = "tcp://h:70000"', "must be tcp://HOST:PORT"),
        ('file = "x"\nformat = "leef"', "must be one of ocsf, cef, not leef"),
        ('file = "x"\n[[siem]]\nname = "sec"\nfile = "y"', "two channels of [[siem]] are called sec"),
    ],
)
def test_a_channel_that_cannot_be_used_so_is_refused_in_one_line(tmp_path, text, line):
    (tmp_path / "rotator.toml").write_text(f'[[siem]]\nname = "sec"\n{text}\n')
    with pytest.raises(BadInput) as refused:
        load(tmp_path / "rotator.toml")
    assert line in str(refused.value)
    assert "canary" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_channel_is_tried_looked_at_and_replayed(called, tmp_path):
    (tmp_path / "rotator.toml").write_text(CONFIGURED)
    said = called("siem", "test", "disk").ended(0).out
    [line] = (tmp_path / "events.jsonl").read_text().splitlines()
    assert said == f"disk took it (written); look there for {json.loads(line)['metadata']['uid']}\n"
    [row] = json.loads(called("siem", "status", "-o", "json").ended(0).out)
    assert (row["name"], row["begun"], row["waiting"]) == ("disk", False, 0)
    assert "not begun" in called("siem", "status").ended(0).out
    assert "from 2026-11-01 on" in called("siem", "replay", "disk", "--from", "2026-11-01").ended(0).out
    [row] = json.loads(called("siem", "status", "-o", "json").ended(0).out)
    assert (row["begun"], row["trouble"]) == (True, None)


def test_what_is_mistaken_is_said_in_one_line(called, tmp_path):
    assert "docs/siem.md" in called("siem", "status").ended(0).err
    assert "no channel is called disk (there is none: docs/siem.md" in called("siem", "test", "disk").ended(2).err
    (tmp_path / "rotator.toml").write_text(CONFIGURED)
    assert "did you mean `disk`?" in called("siem", "replay", "dsk", "--from", "2026-11-01").ended(2).err
    assert "is not a time" in called("siem", "replay", "disk", "--from", "yesterday").ended(2).err
    assert "is in the future" in called("siem", "replay", "disk", "--from", "2126-11-01").ended(2).err
    (tmp_path / "events.jsonl").mkdir()
    said = called("siem", "test", "disk").ended(1).err
    assert "disk took no event: file_not_written" in said
    assert "is its folder there" in said


def test_the_doctor_and_the_metrics_tell_of_a_channel_that_does_not_get_on(tmp_path):
    (tmp_path / "rotator.toml").write_text(f'{CONFIGURED}[[siem]]\nname = "gone"\nfile = "missing/events.jsonl"\n')
    parts = Rotator(load(tmp_path / "rotator.toml"))
    places = SiemPlaces(parts.database)
    places.begin("gone")
    with parts.database.write() as connection:
        service.note(connection, {"at": 5.0, "act": "called", "by": "ann"})
    places.failed(places.take(places.find("gone")), str(Unavailable("file_not_written", "No such file")))
    found = {
        each.what: each
        for each in examine(Context(config=tmp_path / "rotator.toml", quiet=True))
        if "SIEM" in each.what
    }
    [waits] = [each for each in found if each.startswith("SIEM gone: 1 records wait, the first for")]
    assert waits.endswith("file_not_written: No such file")
    assert "is its folder there" in found[waits].mend
    assert found["SIEM disk: can be written"].well
    lines = gauges.lines(parts)
    assert 'rotator_siem_waiting{channel="gone"} 1' in lines
    [lag] = [each for each in lines if each.startswith('rotator_siem_lag_seconds{channel="gone"}')]
    assert float(lag.split()[-1]) > 1_000_000
    assert 'rotator_siem_waiting{channel="disk"} 0' in lines
    parts.database.close()


def test_its_token_is_known_as_our_own_when_it_leaks_and_read_by_its_owner_alone(tmp_path):
    (tmp_path / "token").write_text("canary-token-of-the-siem")
    (tmp_path / "token").chmod(0o644)
    with receivers.endpoint() as taken:
        said = f'name = "sec"\nurl = "{taken.address}"\ntoken = "file:token"\n'
        (tmp_path / "rotator.toml").write_text(f'data_dir = "data"\n[[siem]]\n{said}')
        found = [each.what for each in examine(Context(config=tmp_path / "rotator.toml", quiet=True))]
    assert f"everybody can read the secret in {tmp_path / 'token'}" in found
    assert "the SIEM channel sec" in {
        own.what for own, _ in read(load(tmp_path / "rotator.toml"), lambda _: None).known
    }


def test_the_doctor_warns_of_a_channel_over_udp_that_nobody_hears_what_is_lost(called, tmp_path):
    (tmp_path / "rotator.toml").write_text(
        'data_dir = "data"\n[[siem]]\nname = "old"\nsyslog = "udp://127.0.0.1:514"\n'
    )
    found = json.loads(called("doctor", "-o", "json").out)
    [warned] = [each for each in found if "over UDP" in each["what"] and each["mend"]]
    assert (warned["state"], warned["mend"]) == ("warn", "write tcp:// or tls:// in `syslog` of old")
