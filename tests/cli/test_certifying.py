"""`rotator provider certify` in earnest, against the practice range's own server, and what stands of a certificate."""

from __future__ import annotations

import hashlib
import json
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from rotator import __version__, certifying, clock
from rotator.canary import Canary
from rotator.evidence import certificate
from rotator.flow.playbook import Playbook
from rotator.ledger import tables
from rotator.ledger.certificates import Certificates
from rotator.ledger.database import Database
from rotator.practice.token_server import token_server
from rotator.settings.configuration import Settings
from rotator.shown import certificates
from tests.servers.redis_users import OWN_USER, redis_users

KIND = "acme_api_token"
DAY_S = 86400.0


@pytest.fixture
def server(tmp_path):
    with token_server() as found:
        (tmp_path / "own.token").write_text(found.admin.reveal())
        (tmp_path / "rotator.toml").write_text(
            f'data_dir = "data"\n[[connections]]\nname = "acme"\nfamily = "http"\nkinds = ["{KIND}"]\n'
            f'endpoint_url = "{found.address}"\ncredential = "file:own.token"\n'
        )
        yield found


@pytest.fixture
def ledger(tmp_path):
    """Open the ledger that the commands have made."""
    found = []

    def open_():
        found.append(Database(f"sqlite:///{tmp_path}/data/ledger.db"))
        return found[-1]

    yield open_
    for each in found:
        each.close()


def rows(database, table):
    with database.read() as connection:
        return [dict(each) for each in connection.execute(select(table)).mappings()]


def listed(called):
    return json.loads(called("provider", "certificates", "-o", "json").ended(0).out)


def grade(called):
    [found] = [
        each for each in json.loads(called("provider", "list", "-o", "json").ended(0).out) if each["kind"] == KIND
    ]
    return found["tested"]


def test_a_kind_is_certified_with_a_canary_and_the_certificate_is_checked_offline(called, server, tmp_path, ledger):
    planted = server.plant("ci")
    before = server.alive()
    done = called("provider", "certify", "acme", "--subject", "ci", "--to", "kept").ended(0)
    assert "proven dead" in done.out
    assert "on this machine, which is no live account" in done.out
    assert server.alive() == before
    [kept] = listed(called)
    told = kept["document"]["certificate"]
    assert (kept["outcome"], kept["grade"], kept["stands"], told["rotator"]) == ("certified", "", "", __version__)
    assert [each["name"] for each in told["calls"] if each["name"] in {"issue", "suspend", "revoke"}] == [
        "issue",
        "suspend",
        "revoke",
    ]
    assert planted.token.reveal() not in json.dumps(kept)
    database = ledger()
    assert rows(database, tables.trial) == []
    bodies = [each["body"] for each in rows(database, tables.evidence)]
    assert [word for word in ("canary_intended", "canary_gone", '"certified"') if any(word in each for each in bodies)]
    file = tmp_path / "kept" / f"{KIND}.certificate.json"
    assert called("provider", "verify", str(file)).ended(0).out.startswith(f"it holds: {KIND} on acme")
    assert "another key" in called("provider", "verify", str(file), "--key", "AAAA").ended(1).out
    file.write_text(file.read_text().replace('"proven"', '"Proven"'))
    assert "it was altered" in called("provider", "verify", str(file)).ended(1).out
    file.write_text("[]")
    assert "this is no certificate" in called("provider", "verify", str(file)).ended(2).err
    assert grade(called) == "fake"  # what stands on this machine is no account of a vendor


def test_only_a_certificate_that_is_believed_today_makes_a_kind_one_of_a_live_account(
    called, server, monkeypatch, ledger
):
    server.plant("ci")
    monkeypatch.setattr(certifying, "place_of", lambda _: certifying.ACCOUNT)
    called("provider", "certify", "acme", "--subject", f"{KIND}=ci", "--kind", KIND).ended(0)
    assert grade(called) == "live_account"
    now = clock.now()
    monkeypatch.setattr(certificates, "clock", SimpleNamespace(now=lambda: now + 91 * DAY_S))
    assert (listed(called)[0]["stands"], grade(called)) == ("it is older than 90 days", "fake")
    monkeypatch.setattr(certificates, "clock", clock)
    monkeypatch.setattr(certificates, "__version__", "9.9")
    assert (listed(called)[0]["stands"], grade(called)) == (f"it is of rotator {__version__}", "fake")
    monkeypatch.setattr(certificates, "__version__", __version__)
    assert grade(called) == "live_account"
    database = ledger()
    with database.write() as connection:
        [row] = rows(database, tables.certificate)
        connection.execute(update(tables.certificate).values(body=row["body"].replace('"acme"', '"Acme"')))
    assert "altered" in listed(called)[0]["stands"]
    assert grade(called) == "fake"


def test_a_certificate_is_believed_of_the_key_the_account_and_the_playbook_that_are_here(
    called, server, tmp_path, monkeypatch
):
    server.plant("ci")
    monkeypatch.setattr(certifying, "place_of", lambda _: certifying.ACCOUNT)
    called("provider", "certify", "acme", "--subject", "ci").ended(0)
    config = tmp_path / "rotator.toml"
    written = config.read_text()
    config.write_text(written.replace('family = "http"', 'family = "http"\naccount = "42"'))
    assert (listed(called)[0]["stands"], grade(called)) == ("acme leads to another account, or is gone", "fake")
    config.write_text(written.replace('name = "acme"', 'name = "other"'))
    assert (listed(called)[0]["stands"], grade(called)) == ("acme leads to another account, or is gone", "fake")
    config.write_text(written)
    with monkeypatch.context() as changed:
        changed.setattr(Playbook, "digest", "another")
        assert (listed(called)[0]["stands"], grade(called)) == ("its playbook is another by now", "fake")
    assert grade(called) == "live_account"
    monkeypatch.setattr(Settings, "signing_key", lambda _: None)
    assert (listed(called)[0]["stands"], grade(called)) == (
        "no key signs evidence here: nobody can tell whose it is",
        "fake",
    )


def test_one_that_failed_since_takes_the_earlier_ones_word_back(called, server, monkeypatch):
    server.plant("ci")
    monkeypatch.setattr(certifying, "place_of", lambda _: certifying.ACCOUNT)
    called("provider", "certify", "acme", "--subject", "ci").ended(0)
    assert grade(called) == "live_account"
    live = certifying.Trial.live

    def fails(trial, like, marker):
        live(trial, like, marker)
        raise certifying.RotatorError("not_proven_dead")

    monkeypatch.setattr(certifying.Trial, "live", fails)
    assert "FAILED: not_proven_dead" in called("provider", "certify", "acme", "--subject", "ci").ended(1).out
    assert grade(called) == "fake"
    assert [each["outcome"] for each in listed(called)] == ["failed", "certified"]


def test_what_a_killed_run_left_is_taken_away_first(called, server, monkeypatch, ledger):
    server.plant("ci")
    before = server.alive()

    class Killed(BaseException):
        pass

    def killed(trial, like, marker):
        canary = certifying.Certificates(trial.keeping._database)
        canary.intend(_canary(like, marker))
        trial.provider.issue(like, marker, trial.provider.preserve(like))
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(certifying.Trial, "live", killed)
        with pytest.raises(Killed):
            called("provider", "certify", "acme", "--subject", "ci")
    assert len(server.alive()) == len(before) + 1
    done = called("provider", "certify", "acme", "--subject", "ci").ended(0)
    assert "was left by an earlier run, and is gone" in done.err
    assert server.alive() == before
    assert rows(ledger(), tables.trial) == []


def test_what_is_left_of_another_kind_than_is_asked_for_is_told(called, server, ledger):
    server.plant("ci")
    listed(called)
    Certificates(ledger()).intend(Canary("acme_of_old", "acme", "ci", "m", clock.now()))
    done = called("provider", "certify", "acme", "--kind", KIND, "--subject", "ci").ended(1)
    assert "acme_of_old: no canary: one of an earlier run is left; for ci, it may be alive: no kind" in done.out
    assert f"{KIND}: " in done.out


def _canary(like, marker):
    return Canary(like.provider, like.connection, like.owner, marker, clock.now(), (like.id,))


def test_it_says_why_no_canary_is_made_and_makes_none(called, server):
    server.plant("ci")
    before = server.alive()
    assert "--subject OWNER" in called("provider", "certify", "acme").ended(3).out
    assert "did you mean `acme`?" in called("provider", "certify", "acne").ended(2).err
    assert "two owners" in called("provider", "certify", "acme", "--subject", "a", "--subject", "b").ended(2).err
    called("stop", "acme", "--reason", "a look").ended(0)
    assert "is stopped" in called("provider", "certify", "acme", "--subject", "ci").ended(2).err
    assert server.alive() == before
    assert "nothing is certified" in called("provider", "certificates").ended(0).err


def test_a_certificate_of_another_form_is_none():
    with pytest.raises(Exception, match="no certificate"):
        certificate.read('{"certificate": {"format": "rotator certificate 1"}, "signature": 3}', "x")


def test_a_chosen_kind_is_certified_on_a_real_server_and_its_user_keeps_what_he_had(called, tmp_path):
    with redis_users(tmp_path / "redis") as users:
        (tmp_path / "own").write_text(users.own.reveal())
        (tmp_path / "rotator.toml").write_text(
            f'data_dir = "data"\n[[connections]]\nname = "cache"\nfamily = "redis"\nkinds = ["redis_acl_user"]\n'
            f'endpoint_url = "{users.url}"\nuser = "{OWN_USER}"\ncredential = "file:own"\n'
        )
        assert "could be like" in called("provider", "certify", "cache", "--subject", "nobody").ended(3).out
        password = users.plant("app")
        assert "proven dead" in called("provider", "certify", "cache", "--subject", "app").ended(0).out
        with users.client() as admin:
            [hashed] = admin.execute_command("ACL", "GETUSER", "app")["passwords"]
    assert hashed.lstrip("#") == hashlib.sha256(password.reveal().encode()).hexdigest()
