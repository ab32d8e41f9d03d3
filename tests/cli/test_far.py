"""A command done by a service far away says and ends as it does here: one script, on the same ledger, both ways."""

from __future__ import annotations

import json

import pytest

from rotator.cli import watching
from rotator.flow.playbook_words import Strategy
from tests.cli.far import alike, copied, environment, prepared, service

KEY = "aws_iam_access_key"
WHY = ("--reason", "because")
LIST = "provider,id\nacme_api_token,one\nacme_api_token,two\n"
SCRIPTS = {
    "look": [
        ("incident", "list"),
        ("incident", "list", "-o", "jsonl"),
        ("report", "last"),
        ("report", "last", "-o", "json"),
        ("report", "last", "-o", "csv"),
        ("report", "lst"),
        ("report", "inc-20990101-abcdef"),
        ("plan", "last"),
        ("plan", "last", "-o", "json"),
        ("incident", "watch", "last"),
        ("gate", "list", "last"),
        ("exposure", "list", "last"),
        ("inventory", "list", "-o", "json"),
        ("provider", "list"),
        ("playbook", "list"),
        ("playbook", "show", KEY),
        ("playbook", "show", "aws_iam_acces_key"),
    ],
    "steer": [
        ("stop", "last", *WHY),
        ("stop", "last", *WHY),
        ("run", "skip", "inc-1.r1", "revoke", *WHY),
        ("continue", "inc-1", *WHY),
        ("continue", *WHY),
        ("stop", "aws", *WHY),
        ("hold", "release", "inc-1.r1", "revoke", *WHY),
        ("continue", "aws", *WHY),
        ("gate", "close", "last", "no_legal_hold", *WHY),
        ("gate", "close", "last", "no_legal_hold", *WHY),
        ("gate", "open", "last", "no_legal_hold", *WHY),
        ("gate", "open", "last", "no_legal_hld", *WHY),
        ("host", "isolate", "last", "ci-7", *WHY),
        ("run", "retry", "inc-1.r1", "contain", *WHY),
        ("run", "done", "inc-1.r1", "contain", *WHY),
        ("run", "undo", "inc-1.r1", "contain", *WHY),
        ("run", "undo", "inc-1.r1", "contain", "--yes", *WHY),
        ("run", "retry", "inc-9.r1", "contain", *WHY),
        ("report", "last", "-o", "json"),
    ],
    "decide": [
        ("approve", "last", "--digest", "0123456789abcdef"),
        ("review", "last", "--note", "right"),
        ("incident", "close", "last", *WHY),
        ("exposure", "dismiss", "last", "inc-2.r1", "--as", "canary", *WHY),
        ("exposure", "dismiss", "last", "inc-2.r1", "--as", "canary", *WHY),
        ("exposure", "reopen", "last", "inc-2.r1", *WHY),
        ("exposure", "dismiss", "last", "inc-2.r1", "--as", "bait", *WHY),
        ("incident", "close", "last", "--accept-open", *WHY),
        ("approve", "last", "--digest", "0123456789abcdef"),
        ("incident", "reopen", "last", *WHY),
        ("report", "last"),
    ],
    "declare": [
        ("incident", "declare", "list.csv", "--title", "Second"),
        ("incident", "declare", "list.csv", "--title", "Third", "-o", "json"),
        ("incident", "declare", "nothing.csv", "--title", "Third"),
        ("incident", "add", "last", "list.csv"),
        ("incident", "add", "last", "more.csv"),
        ("respond", "list.csv"),
        ("incident", "list", "-o", "json"),
    ],
}


def fill(company, deployment):
    """Leave one incident whose destruction is scheduled, and one that nobody approved."""
    deployment.start([company.stolen(KEY)[0]], wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=3600)
    deployment.declare([company.stolen(KEY)[0]], incident="inc-2")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    folder = prepared(tmp_path_factory.mktemp("far") / "kept", fill)
    (folder / "list.csv").write_text(LIST)
    (folder / "more.csv").write_text(LIST + "acme_api_token,three\n")
    return folder


@pytest.fixture
def here(kept, tmp_path, called, monkeypatch):
    """Return the command line on a ledger of its own."""
    monkeypatch.setattr(watching, "start_workers", lambda *_: None)
    copied(kept, tmp_path / "here")
    return called


@pytest.fixture
def there(kept, tmp_path):
    with service(copied(kept, tmp_path / "there")) as served:
        yield served


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_command_says_and_ends_the_same_here_and_far_away(here, there, tmp_path, monkeypatch, script):
    (tmp_path / "away").mkdir()
    for name in ("list.csv", "more.csv"):
        (tmp_path / "away" / name).write_bytes((tmp_path / "here" / name).read_bytes())
    for words in SCRIPTS[script]:
        monkeypatch.chdir(tmp_path / "here")
        at_home = here(*words)
        monkeypatch.chdir(tmp_path / "away")
        with environment(ROTATOR_URL=there.url, ROTATOR_TOKEN=there.token()):
            far = here(*words)
        told = [(each.code, alike(each.out), alike(each.err)) for each in (at_home, far)]
        assert told[0] == told[1], words


def test_who_one_is(here, there):
    with environment(ROTATOR_URL=there.url, ROTATOR_TOKEN=there.token()):
        found = json.loads(here("whoami", "-o", "json").ended(0).out)
    assert (found["role"], found["token"]) == ("admin", "admin-0")
