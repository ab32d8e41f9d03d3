"""A command done by a service far away says and ends as it does here: one script, on the same ledger, both ways."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import httpx2
import pytest

from rotator import __version__, clock
from rotator.api_token import minted
from rotator.cli import compliance, watching
from rotator.credential import CredentialRef
from rotator.errors import Rejected
from rotator.far import service as far_service
from rotator.flow.approval import Role
from rotator.flow.inventory import Said
from rotator.flow.playbook_words import Strategy
from rotator.flow.registry import Said as Registered
from rotator.flow.registry import Sort
from rotator.ledger import segmentation
from rotator.ledger.datasets import Source
from rotator.ledger.inventory import Inventory
from rotator.ledger.manifests import Manifests
from rotator.ledger.vendors import Vendors
from rotator.manifests import reading
from rotator.manifests.entry import Entry, Kind
from rotator.manifests.reading import Reading
from rotator.ports.listing import Discovered
from rotator.practice.token_server import token_server
from rotator.report.clocks import moment
from rotator.shown import compliance as shown
from tests.cli.far import alike, copied, environment, prepared, service

KEY = "aws_iam_access_key"
WHY = ("--reason", "because")
PAPER = ("--issuer", "EY", "--document", "freeze.txt")
READ = Entry("a", Kind.FILE, 1, "0" * 64)
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
        ("approve", "last", "--digest", "0123456789abcdef", "--scope", "all"),
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
    "standing": [
        ("hygiene", "due"),
        ("hygiene", "due", "--all", "-o", "json"),
        ("schedule", "list"),
        ("schedule", "list", "-o", "json"),
        ("trigger", "list"),
        ("trigger", "list", "-o", "jsonl"),
        ("manifest", "verify", "set", "--reading", "set.reading", "--incident", "last", "-o", "json"),
        ("manifest", "verify", "set", "--reading", "list.csv"),
        ("segmentation", "show"),
        ("segmentation", "show", "repository:org/web"),
        ("segmentation", "show", "repository:org/web", "-o", "json"),
        ("segmentation", "show", "host:nobody"),
        ("segmentation", "edges"),
        ("segmentation", "edges", "-o", "json"),
        ("segmentation", "trend", "-o", "json"),
        ("segmentation", "short-lived"),
        ("segmentation", "short-lived", "-o", "jsonl"),
    ],
    "vendors": [
        ("vendor", "list"),
        ("vendor", "list", "-o", "csv"),
        ("vendor", "risk"),
        ("vendor", "risk", "-o", "csv"),
        ("vendor", "show", "acme"),
        ("vendor", "show", "acme", "-o", "json"),
        ("vendor", "show", "acm"),
        ("vendor", "sbom", "acme", "freeze.txt"),
        ("vendor", "sbom", "acme", "freeze.txt", "-o", "json"),
        ("vendor", "sbom", "acm", "freeze.txt"),
        ("vendor", "sbom", "acme", "freeze.txt", "nothing.txt"),
        ("vendor", "attest", "acme", "SOC 2", "--from", "2026-01-01", "--to", "2099-12-31", *PAPER, "-o", "json"),
        ("vendor", "attest", "acme", "ISO", "--from", "2025-01-01", "--to", "2025-12-31", "--scope", "EU", *PAPER),
        ("vendor", "attest", "acm", "ISO", "--from", "2025-01-01", "--to", "2025-12-31", *PAPER),
        ("vendor", "show", "acme"),
        ("vendor", "triage", "--breached", "acme"),
        ("vendor", "triage", "--breached", "acm"),
        ("vendor", "assess", "acme", "likelihood", "0.2", *WHY),
        ("vendor", "assess", "acme", "likely", "0.2", *WHY),
        ("vendor", "triage", "--breached", "acme", "-o", "csv"),
        ("vendor", "memo", "acme", "--breached", "acme"),
        ("vendor", "memo", "acme", "--breached", "acme", "-o", "html"),
        ("vendor", "memo", "nobody", "-o", "json"),
    ],
    "too long": [
        ("stop", "last", "--reason", "x" * 2001),
        ("incident", "close", "last", "--reason", "x" * 2001),
        ("exposure", "dismiss", "last", "inc-2.r1", "--as", "canary", "--reason", "x" * 2001),
        ("review", "last", "--note", "x" * 2001),
        ("approve", "last", "--digest", "0123456789abcdef", "--break-glass", "--reason", "x" * 2001),
        ("incident", "close", "last", "--accept-open", "--reason", "x" * 2000),
    ],
    "declare": [
        ("incident", "declare", "list.csv", "--title", "Second"),
        ("incident", "declare", "list.csv", "--title", "Third", "-o", "json"),
        ("incident", "declare", "nothing.csv", "--title", "Third"),
        ("incident", "add", "last", "list.csv"),
        ("incident", "add", "last", "more.csv"),
        ("incident", "merge", "inc-2", "last"),
        ("incident", "merge", "inc-2", "last"),
        ("incident", "list", "-o", "json"),
    ],
}


def fill(company, deployment):
    """Leave one incident whose destruction is scheduled, and one that nobody approved."""
    deployment.start([company.stolen(KEY)[0]], wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=3600)
    deployment.declare([company.stolen(KEY)[0]], incident="inc-2")
    ends = Discovered(CredentialRef(KEY, "aws", "ends", "AKIAENDS"), {"expires_at": moment(clock.now() + 10 * 86400)})
    Inventory(deployment.database, deployment.world.now).keep(KEY, "aws", [ends])
    at = {"reachable_from": ["repository:org/web"], "datasets": ["cards"], "criticality": "high"}
    said = Said({"provider": KEY, "owner": "ends"}, at, "team.yaml:1")
    Inventory(deployment.database, deployment.world.now).take([said], "ana")
    Vendors(deployment.database, deployment.world.now).take([Registered(Sort.VENDOR, "acme", {}, "v.yaml:1")], "ana")
    manifests = Manifests(deployment.database, deployment.world.now)
    recording = manifests.begin("set", Source("/data/set", "lab-1"), "ana")
    manifests.end("set", recording, manifests.keep(recording, [READ]))
    segmentation.note(deployment.database, deployment.world.now(), {"reach": 9.0, "widest_places": []})


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    folder = prepared(tmp_path_factory.mktemp("far") / "kept", fill)
    (folder / "list.csv").write_text(LIST)
    (folder / "freeze.txt").write_text("litellm==1.82.7\nrequests==2.32.0\n")
    with (folder / "set.reading").open("w") as file:
        reading.write(file, Reading("dora", "/data/set", "lab-1", "", 5.0), [replace(READ, value="1" * 64)])
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
    for name in ("list.csv", "more.csv", "freeze.txt", "set.reading"):
        (tmp_path / "away" / name).write_bytes((tmp_path / "here" / name).read_bytes())
    for words in SCRIPTS[script]:
        monkeypatch.chdir(tmp_path / "here")
        at_home = here(*words)
        monkeypatch.chdir(tmp_path / "away")
        with environment(ROTATOR_URL=there.url, ROTATOR_TOKEN=there.token()):
            far = here(*words)
        told = [(each.code, alike(each.out), alike(each.err)) for each in (at_home, far)]
        assert told[0] == told[1], words
        assert (far.code == 2) == ("2,001 letters" in far.err) or script != "too long"


def test_a_periods_report_is_the_same_bytes_here_far_away_and_on_the_board(here, there, tmp_path, monkeypatch):
    printed, at = [], clock.now()
    monkeypatch.setattr(compliance, "printed", lambda file: printed.append(b"".join(file)))
    monkeypatch.setattr(shown, "clock", SimpleNamespace(now=lambda: at))
    (tmp_path / "away").mkdir()
    token = there.token(Role.VIEWER)
    period = ("report", "compliance", "--from", "2023-11-01", "--to", "2023-12-01", "-o")
    query, known = {"from": "2023-11-01", "to": "2023-12-01"}, {"Authorization": f"Bearer {token}"}
    for form in ("table", "jsonl", "json", "csv", "html", "pdf"):
        monkeypatch.chdir(tmp_path / "here")
        at_home = here(*period, form).ended(0)
        monkeypatch.chdir(tmp_path / "away")
        with environment(ROTATOR_URL=there.url, ROTATOR_TOKEN=token):
            far = here(*period, form).ended(0)
        assert (far.out, far.err) == (at_home.out, at_home.err)
        if form in {"table", "jsonl"}:
            assert "aws" in far.out or "2 of 2 incidents" in far.out
            continue
        for path in ("/reports/compliance", "/api/v1/compliance"):
            answer = httpx2.get(f"{there.url}{path}.{form}", params=query, headers=known)
            assert answer.headers["content-disposition"] == f'attachment; filename="compliance.{form}"'
            assert len(answer.content) > 200
            assert printed == [answer.content, answer.content]
        printed.clear()
    with environment(ROTATOR_URL=there.url, ROTATOR_TOKEN=token):
        refused = here("report", "compliance", "--from", "2023-12-01", "--to", "2023-11-01").ended(2)
    assert "ends before it begins" in refused.err


def test_the_whole_way_of_a_report_is_gone_far_away(here, there, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "here")
    with environment(ROTATOR_URL=there.url, ROTATOR_TOKEN=there.token()):
        asked = here("respond", "list.csv").ended(4)
        assert "not approved; nothing of it was begun (nobody is there to ask: give --yes" in asked.err
        found = here("respond", "list.csv", "--yes", "-o", "json").ended(3)
    assert found.report["totals"]["manual"] == 2
    assert "settling" in found.err  # the count, as it was watched over the stream


RULE = """
data_dir = "data"
[[connections]]
name = "acme"
family = "http"
kinds = ["acme_api_token"]
endpoint_url = "{address}"
credential = "file:admin"
[[credentials]]
match = {{owner = "shop"}}
environment = "production"
[approval]
four_eyes = false
confirm = ["environment:production"]
[[people]]
name = "ann"
roles = ["approver"]
"""


@pytest.mark.parametrize("words", [(), ("--confirm", "revoke 2 production")])
def test_who_does_not_type_the_words_far_away_reads_what_was_declared_all_the_same(called, kept, tmp_path, words):
    folder = copied(kept, tmp_path / "there")
    with token_server() as acme, pytest.MonkeyPatch.context() as patch:
        (folder / "admin").write_text(acme.admin.reveal())
        (folder / "rotator.toml").write_text(RULE.format(address=acme.address))
        (folder / "list.csv").write_text(f"provider,id,owner\nacme_api_token,{acme.plant('shop').id},shop\n")
        with service(folder) as there:
            patch.setenv("ROTATOR_URL", there.url)
            patch.setenv("ROTATOR_TOKEN", there.token(Role.APPROVER, "ann"))
            refused = called("-q", "respond", str(folder / "list.csv"), "--yes", *words).ended(4)
            declared = there.parts.reading.named("last")
            digest = there.parts.approvals.newest(declared)
    assert "revoke 1 production" in refused.one_line
    assert f"nothing of it was begun; {declared} declared; " in refused.one_line
    assert f"approve {declared} --digest {digest}" in refused.one_line
    assert "nothing was changed" not in refused.one_line


def test_where_the_stream_does_not_come_through_it_is_asked_how_it_stands(here, there, monkeypatch):
    def broken(*_):
        raise Rejected("no_stream", "a proxy")
        yield

    monkeypatch.setattr(far_service, "streamed", broken)
    with environment(ROTATOR_URL=there.url, ROTATOR_TOKEN=there.token()):
        found = here("incident", "watch", "last").ended(3)
    assert found.err.splitlines()[0] == "not live (no_stream): asked each 2 s how it stands"
    assert found.err.splitlines()[1].startswith("inc-2: 0 dead")


@pytest.mark.parametrize("words", [("up",), ("worker",), ("serve",), ("ledger", "backup", "x"), ("token", "list")])
def test_what_is_not_done_far_away_says_so_in_one_line(here, words):
    with environment(ROTATOR_URL="https://rotator.example.com", ROTATOR_TOKEN="env:NOBODY"):
        found = here(*words).ended(2)
    assert "this command works where the ledger is" in found.one_line


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("http://rotator.example.com", 2, "in the clear"),
        ("https://ana:secret@rotator.example.com", 2, "no login belongs there"),
        ("ftp://rotator.example.com", 2, "ROTATOR_URL: url: not an address"),
        ("http://127.0.0.1:9", 1, "service_unreachable: http://127.0.0.1:9"),
    ],
)
def test_an_address_that_will_not_do_is_one_line(here, url, code, said):
    with environment(ROTATOR_URL=url, ROTATOR_TOKEN=minted().reveal()):
        assert said in here("incident", "list").ended(code).one_line


def test_a_token_is_never_said_and_one_that_is_not_taken_is_one_line(here, there):
    unknown = minted().reveal()
    with environment(ROTATOR_URL=there.url, ROTATOR_TOKEN=unknown):
        found = here("incident", "list").ended(4)
        shown = here("config", "show", "-o", "json")
        bad = here("doctor", "-o", "jsonl").ended(1)
    assert found.one_line.startswith("rotator: ROTATOR_TOKEN: no such token")
    assert unknown not in found.err + shown.out + shown.err + bad.out
    with environment(ROTATOR_URL=there.url):
        assert "no token is given for it" in here("incident", "list").ended(2).one_line


def test_who_may_not_is_told_by_the_service(here, there):
    with environment(ROTATOR_URL=there.url, ROTATOR_TOKEN=there.token(Role.VIEWER)):
        assert "needs the role responder" in here("stop", *WHY).ended(4).one_line


def test_the_doctor_looks_at_the_way_there(here, there):
    with environment(ROTATOR_URL=there.url, ROTATOR_TOKEN=there.token()):
        found = here("doctor", "-o", "json").ended(0)
    said = [each["what"] for each in json.loads(found.out)]
    assert [f"it answers, version {__version__}", "the clocks agree"] == said[3:1:-1]
    assert "its token admin-0 is taken" in said[-1]


def test_who_one_is(here, there):
    with environment(ROTATOR_URL=there.url, ROTATOR_TOKEN=there.token()):
        found = json.loads(here("whoami", "-o", "json").ended(0).out)
    assert (found["role"], found["token"]) == ("admin", "admin-0")
