"""The practice range is what the demo says it is: live credentials, a real report, doors that tell the truth."""

from __future__ import annotations

import json
import stat
import tomllib
from http import HTTPStatus

import asyncssh
import pytest

from rotator.practice import doors
from rotator.practice.doors import Answer
from rotator.practice.laptop import plant, scan
from rotator.practice.range import practice_range


@pytest.fixture(scope="module")
def practice(tmp_path_factory):
    with practice_range(tmp_path_factory.mktemp("range")) as up:
        yield up


@pytest.fixture(scope="module")
def findings(practice, tmp_path_factory):
    """Return what kingfisher really says of the laptop, and the token that no connection knows."""
    folder = tmp_path_factory.mktemp("laptop")
    stray = plant(folder / "home", practice.loot)
    report = scan(folder / "home", folder / "report.json", folder / "rules")
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    return [*json.loads(report.read_text())["findings"]], stray


def answers(stolen):
    return {knock.answer for knock in stolen.knock()}


def by_kind(practice, provider):
    return next(each for each in practice.stolen if each.provider == provider)


def test_every_credential_on_the_laptop_opens_its_doors_before_the_response(practice):
    assert len(practice.stolen) == 6
    assert [each.label for each in practice.stolen if answers(each) != {Answer.OPENED}] == []


def test_the_scanner_finds_every_credential_that_was_planted(practice, findings):
    found, stray = findings
    snippets = {each["finding"]["snippet"].strip() for each in found}
    loot = practice.loot
    material = {each.reveal().strip() for each in (loot.ssh_key, loot.vault_token, loot.acme_token, stray)}
    assert snippets == {loot.ci.id, loot.data.id, loot.backup.id} | material


def test_one_key_is_found_in_every_place_where_it_lies(practice, findings):
    places = {
        each["finding"]["path"].rpartition("home/")[2]
        for each in findings[0]
        if each["finding"]["snippet"] == practice.loot.ci.id
    }
    assert places == {".aws/credentials", ".bash_history", "code/payments/.env"}


def test_the_scanner_gives_the_cut_off_key_the_secret_of_another(practice, findings):
    [backup] = [each["finding"] for each in findings[0] if each["finding"]["snippet"] == practice.loot.backup.id]
    assert backup["dependent_captures"]["AWS_SECRET_ACCESS_KEY"] == practice.loot.data.secret.reveal()


def test_the_ids_are_those_by_which_the_issuers_name_them(practice):
    key = asyncssh.import_private_key(practice.loot.ssh_key.reveal())
    assert by_kind(practice, "ssh_authorized_key").id == key.get_fingerprint()
    looked_up = practice.servers.vault.call("POST", "auth/token/lookup", {"token": practice.loot.vault_token.reveal()})[
        "data"
    ]
    assert by_kind(practice, "vault_token").id == looked_up["accessor"]


def test_the_rotators_own_credentials_are_not_among_the_stolen_and_only_its_owner_reads_them(practice):
    config = tomllib.loads(practice.config.read_text())
    for connection in config["connections"]:
        path = practice.config.parent / connection["credential"].removeprefix("file:")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        kept = path.read_text()
        assert not any(
            secret in kept for secret in (practice.loot.ci.secret.reveal(), practice.loot.vault_token.reveal())
        )


def test_the_stolen_vault_token_reads_where_the_new_acme_token_will_go(practice):
    token = practice.loot.vault_token.reveal()
    address = practice.servers.vault.address
    for path, status in {"payments/acme": HTTPStatus.OK, "warehouse/aws": HTTPStatus.FORBIDDEN}.items():
        assert doors.http("GET", f"{address}/v1/secret/data/{path}", {"X-Vault-Token": token})[0] == status


def test_a_consumer_takes_a_new_credential_that_works_and_keeps_the_old_one_otherwise(practice):
    acme = by_kind(practice, "acme_api_token")
    consumer = practice.consumers[acme.id]
    webhook = next(
        each["consumers"][0]["webhook"]
        for each in tomllib.loads(practice.config.read_text())["credentials"]
        if each["match"]["provider"] == acme.provider
    )

    def tell(event):
        status, body = doors.http("POST", webhook, {}, json.dumps({"event": event}).encode())
        assert status == HTTPStatus.OK
        return json.loads(body)["using"]

    assert tell("holding") == acme.id
    fresh = practice.servers.acme.plant("billing")
    practice.servers.vault.put("payments/acme", {"id": fresh.id, "token": fresh.token.reveal()})
    assert tell("holding") == acme.id
    assert tell("reload") == fresh.id
    practice.servers.vault.put("payments/acme", {"id": "tok_bad", "token": "acme_bad"})
    assert tell("reload") == fresh.id
    assert {knock.answer for knock in consumer.log_in()} == {Answer.OPENED}


def test_an_ssh_door_that_is_shut_by_hand_is_refused_and_the_others_stay_open(practice):
    stolen = by_kind(practice, "ssh_authorized_key")
    listed = practice.servers.ssh.keys_file("web-2")
    before = listed.read_text()
    listed.write_text("")
    answered = {knock.door: knock.answer for knock in stolen.knock()}
    listed.write_text(before)
    assert answered == {"ssh web-1": Answer.OPENED, "ssh web-2": Answer.REFUSED, "ssh db-1": Answer.OPENED}


def test_an_acme_token_that_is_suspended_by_hand_is_refused(practice):
    fresh = practice.servers.acme.plant("someone")
    address, admin = practice.servers.acme.address, practice.servers.acme.admin.reveal()
    assert doors.acme(address, fresh.token.reveal()).answer is Answer.OPENED
    doors.http("POST", f"{address}/tokens/{fresh.id}/suspend", {"Authorization": f"Bearer {admin}"})
    assert doors.acme(address, fresh.token.reveal()).answer is Answer.REFUSED


def test_without_the_systems_ssh_asyncssh_tells_the_same(practice, monkeypatch):
    monkeypatch.setenv("PATH", "")
    servers, account = practice.servers.ssh, practice.servers.ssh.user
    name, address, port = servers.doors()[0]
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    assert doors.ssh(name, address, port, (account, servers.own_key.reveal())).answer is Answer.OPENED
    assert doors.ssh(name, address, port, (account, stranger)).answer is Answer.REFUSED
