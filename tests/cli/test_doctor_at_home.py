"""The doctor finds the usual mistakes in what the rotator itself stands on, and says how each is mended."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace

import pytest

from rotator import clock
from rotator.canary import Canary
from rotator.cli.doctor import examine
from rotator.cli.options import Context
from rotator.credential import CredentialRef, Secret
from rotator.errors import Rejected
from rotator.examining import evidence
from rotator.examining.at_home import at_work
from rotator.examining.doctor import _told
from rotator.examining.reaching import Asked
from rotator.flow.approval import Role
from rotator.ledger import health, tables
from rotator.ledger.certificates import Certificates
from rotator.ledger.health import Beat
from rotator.ports.listing import Discovered
from rotator.report.clocks import moment
from tests.e2e.commands import until
from tests.servers.redis import redis_server
from workers.app import EmbeddedWorker, broker_trouble, make, serving

LANES = {"contain": 2, "replace": 1, "hygiene": 1}
AWS = '[[connections]]\nname = "{name}"\nfamily = "aws"\ncredential = "file:none"\n{more}'


@pytest.fixture
def examined(tmp_path, monkeypatch):
    """Return what the doctor finds of a configuration that is no more than its own folder and this text."""
    monkeypatch.setenv("HOME", str(tmp_path))

    def found(text=""):
        (tmp_path / "rotator.toml").write_text(f'data_dir = "data"\n{text}')
        (tmp_path / "data").mkdir(mode=0o700, exist_ok=True)
        context = Context(config=tmp_path / "rotator.toml", quiet=True)
        return context, list(examine(context))

    return found


def told(findings, words):
    """Return the one finding that has these words."""
    [finding] = [each for each in findings if words in each.what]
    return finding


def test_a_variable_that_is_nearly_one_of_ours_is_told(examined, monkeypatch):
    monkeypatch.setenv("ROTATOR_DATABSE_URL", "postgresql://u:canary@h/d")
    monkeypatch.setenv("ROTATOR_SEAL_KEYS", "what a reference names is meant")
    monkeypatch.setenv("ROTATOR_ELSEWHERE", "is nobody's slip")
    _, findings = examined('[[triggers]]\nsender = "github"\nsecret = "env:ROTATOR_SEAL_KEYS"\n')
    found = told(findings, "ROTATOR_DATABSE_URL")
    assert (found.well, found.mend) == (False, "did you mean `ROTATOR_DATABASE_URL`?")
    assert not any("canary" in each.what for each in findings)
    assert not any("ROTATOR_SEAL_KEYS" in each.what and "nothing reads" in each.what for each in findings)
    assert not any("ROTATOR_ELSEWHERE" in each.what for each in findings)


def test_a_canary_that_a_killed_certification_left_is_told_with_what_takes_it_away(examined):
    context, _ = examined()
    kept = Certificates(context.parts().database)
    kept.intend(Canary("k", "gone", "ci", "m-1", 5.0, credential="K1"))
    kept.intend(Canary("k", "prod", "", "m-2", 6.0))
    kept.intend(Canary("k", "prod", "ci", "m-3", clock.now()))  # it may still go on
    _, findings = examined(AWS.format(name="prod", more=""))
    gone, left = (each for each in findings if "a canary was left" in each.what)
    assert (gone.well, gone.what.partition(": ")[2]) == (False, "k K1 of ci")
    assert gone.mend.startswith("no connection is called gone any more")
    assert left.what.endswith(": k without a known id of the account")
    assert left.mend.endswith(" provider certify prod takes it away first")


def test_what_ends_by_itself_under_no_policy_is_told_with_the_first_of_it(examined):
    context, _ = examined()
    refs = [CredentialRef("tls_certificate", "prod", "web", name) for name in ("late", "soon")]
    ends = {each: {"expires_at": moment(clock.now() + days * 86400)} for each, days in zip(refs, (9, 8), strict=True)}
    context.parts().inventory.keep("tls_certificate", "prod", [Discovered(*each) for each in ends.items()])
    found = told(examined()[1], "before long under no policy")
    assert (found.well, found.warns) == (True, True)
    assert found.what.startswith("2 credentials end before long under no policy: tls_certificate/prod/web/soon is")


def test_another_seal_key_than_the_ledgers_is_told(examined, tmp_path):
    context, _ = examined()
    parts = context.parts()
    with parts.database.write() as connection:
        incident = {"id": "inc-1", "title": "", "severity": "low", "detected_at": 1, "declared_at": 1}
        connection.execute(tables.incident.insert().values(**incident, plan_digest="0"))
        run = {"provider": "k", "connection": "c", "owner": "o", "credential": "i", "kind": "k", "priority": 1.0}
        run |= {"id": "inc-1.r1", "incident": "inc-1", "strategy": "s", "why": "", "deliver": "[]", "consumers": "[]"}
        connection.execute(tables.run.insert().values(run))
        blob = parts.seal.close(Secret("canary"), "inc-1.r1")
        connection.execute(tables.sealed.insert().values(run="inc-1.r1", blob=blob, expires_at=9e9))
    assert health.sealed_by_another(parts.database, parts.seal) == 0
    parts.database.close()
    (tmp_path / "data" / "seal.key").write_text("A" * 43 + "=\n")
    found = told(examined()[1], "not the one under which 1 secrets")
    assert not found.well
    assert "machine that sealed them" in found.mend


def test_a_clock_that_was_set_is_told(examined, monkeypatch):
    examined()
    monkeypatch.setattr(health, "clock_ahead_s", lambda _: -90.4)
    found = told(examined()[1], "90 s behind")
    assert found.mark == "WARN"
    assert "NTP" in found.mend


def test_a_ledger_that_the_lock_does_not_stand_beside_is_told(examined, tmp_path):
    (tmp_path / "shared").mkdir()
    found = told(examined(f'database_url = "sqlite:///{tmp_path}/shared/ledger.db"\n')[1], "where its lock is")
    assert found.mark == "WARN"
    assert "data_dir" in found.mend


@pytest.mark.parametrize(
    ("workers", "before", "after", "bad"),
    [
        (LANES, Beat("a", 1), Beat("a", 2), []),
        (LANES, Beat("a", 1), Beat("b", 1), []),
        (LANES, None, Beat("a", 1), []),
        (LANES, Beat("a", 1), Beat("a", 1), ["start `rotator beat`"]),
        (LANES, None, None, ["start `rotator beat`"]),
        ({"contain": 1}, Beat("a", 1), Beat("a", 2), ["start `rotator worker`, with --lane for some alone"]),
        ({}, None, None, ["start `rotator worker`, with --lane for some alone", "start `rotator beat`"]),
    ],
)
def test_a_lane_without_a_worker_and_a_dispatcher_that_does_not_beat_are_told(workers, before, after, bad):
    assert [each.mend for each in at_work(workers, before, after) if not each.well] == bad


def test_the_broker_is_asked_who_works(tmp_path):
    with redis_server(tmp_path) as redis:
        settings = SimpleNamespace(embedded=False, broker_url=redis.url, concurrency=1)
        parts = SimpleNamespace(settings=settings, engine=SimpleNamespace(leave=lambda: None))
        assert broker_trouble(parts) is None
        assert serving(parts, within_s=0.2) == {}
        worker = EmbeddedWorker(make(parts))
        worker.start()
        try:
            found = until(lambda: serving(parts, within_s=0.2))
        finally:
            worker.stop()
    assert found == {"contain": 1, "replace": 1, "hygiene": 1}
    assert broker_trouble(parts) is not None


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ('account = "1"\n', 'account = "1"\n', "BAD"),
        ("", "", "WARN"),
        ('account = "1"\n', 'account = "2"\n', None),
        ('account = "1"\n', 'account = "1"\nkinds = ["aws_secret"]\n', "BAD"),
        ('account = "1"\nkinds = ["aws_iam_access_key"]\n', 'account = "1"\nkinds = ["aws_secret"]\n', None),
        ('account = "1"\nrecovery = "b"\n', 'account = "1"\n', None),
    ],
)
def test_two_connections_that_nothing_tells_apart_are_told(examined, monkeypatch, one, other, said):
    monkeypatch.setattr("rotator.examining.doctor.reach", lambda _: [])
    _, findings = examined(AWS.format(name="a", more=one) + AWS.format(name="b", more=other))
    assert [each.mark for each in findings if "a and b are both of" in each.what] == ([said] if said else [])


def test_what_an_issuer_does_not_answer_well_has_a_mend(examined, tmp_path):
    (tmp_path / "none").write_text("hvs.canary")
    gone = '[[connections]]\nname = "safe"\nfamily = "vault"\nendpoint_url = "http://127.0.0.1:9"\n'
    gone += 'credential = "file:none"\n'
    place = (
        '[[credentials]]\nmatch = {owner = "ci"}\ndeliver = [{store = "vault_kv", connection = "safe", name = "x"}]\n'
    )
    (tmp_path / "none").chmod(0o600)
    _, findings = examined(gone + place)
    bad = [each for each in findings if not each.well]
    assert bad
    assert [each for each in bad if not each.mend] == []


@pytest.mark.parametrize(
    ("reason", "mend"),
    [
        ("own_credential_refused", "put a new one where `credential` points"),
        ("not_permitted", "grant what is named"),
        ("not_this_account", "`account`"),
        ("unreachable", "`endpoint_url`"),
        ("consumer_unreachable", "`consumers`"),
        ("webhook_unreachable", "is its address right"),
        ("never_heard_of", "docs/configuration.md"),
    ],
)
def test_what_is_answered_is_mended_by_its_reason(reason, mend):
    answer = Asked("aws-prod", str).answered(reason, well=False, error=Rejected(reason))
    [finding] = _told([answer], whole=True)
    assert not finding.well
    assert mend in finding.mend


def test_the_findings_are_data_for_programs(called):
    done = called("doctor", "-o", "jsonl")
    found = [json.loads(line) for line in done.ended(1).out.splitlines()]
    assert {each["state"] for each in found} <= {"ok", "warn", "aside", "bad"}
    assert any(each["state"] == "bad" and "docs/configuration.md" in each["mend"] for each in found)


def test_what_nothing_signs_or_was_altered_is_told(examined, tmp_path, monkeypatch):
    context, findings = examined()
    assert not [each for each in findings if "evidence" in each.what]  # nothing is there yet, and no key is made
    assert not (tmp_path / "data" / "signing.key").exists()
    parts = context.parts()
    parts.tokens.create("pager", Role.VIEWER, "", 3600.0, "ana")
    key = parts.settings.signing_key()
    found = told(examined()[1], "nothing of the evidence was signed ever")
    assert (found.well, found.warns) == (True, True)
    parts.checkpoints.sign(key)
    assert told(examined()[1], "evidence is signed until").well
    monkeypatch.setattr(evidence, "clock", SimpleNamespace(now=lambda: clock.now() + 3600))
    assert told(examined()[1], "all of the evidence is signed").well
    parts.tokens.create("other", Role.VIEWER, "", 3600.0, "ana")
    assert told(examined()[1], "nothing of the evidence was signed since").warns

    with parts.database.write() as connection:
        connection.execute(tables.evidence.delete().where(tables.evidence.c.seq == 1))
    assert not told(examined()[1], "record 1 of service is not the one").well
    path = tmp_path / "data" / "signing.key"
    path.chmod(0o644)
    assert f"chmod 600 {path}" in {each.mend for each in examined()[1]}
    path.unlink()
    assert not told(examined()[1], "the key that signs the evidence is gone").well
    (tmp_path / "other").write_text(base64.b64encode(bytes(32)).decode())
    assert not told(examined('[evidence]\nsigning_key = "file:other"\n')[1], "checkpoints are signed by the key").well
    assert not told(examined('[evidence]\nsigning_key = "file:nowhere"\n')[1], "nowhere").well
