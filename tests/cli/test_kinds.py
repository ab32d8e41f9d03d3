"""Every kind that a playbook answers says which connections serve it: else no command that lists them works."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from rotator.outside import Outside
from rotator.playbook_file import load_all
from rotator.practice.token_server import token_server
from rotator.settings.configuration import Settings

pytestmark = pytest.mark.usefixtures("ready")

PLAYBOOKS = load_all()


@pytest.mark.parametrize("kind", sorted(PLAYBOOKS))
def test_a_kind_says_which_connections_serve_it(kind):
    assert Outside(Settings(), PLAYBOOKS).family(kind)


def test_all_kinds_are_listed_with_who_serves_them(rotator):
    entries = json.loads(rotator("provider", "list", "-o", "json").ended(0).out)
    assert {each["kind"] for each in entries} == set(PLAYBOOKS)


def test_the_table_says_of_each_kind_what_is_true_of_its_playbook(rotator):
    entries = {each["kind"]: each for each in json.loads(rotator("provider", "list", "-o", "json").ended(0).out)}
    key, token, person = entries["aws_iam_access_key"], entries["github_token"], entries["tls_private_key"]
    assert [key[can] for can in ("issue", "suspend", "sessions", "revoke", "batch")] == [True, True, True, True, False]
    assert (key["verify"], key["tested"]) == ("knock", "emulator")
    assert (token["issue"], token["batch"], token["verify"]) == (False, True, "knock")
    assert not any(person[can] for can in ("issue", "suspend", "sessions", "revoke", "batch"))
    assert (person["verify"], person["tested"]) == ("by_hand", None)
    assert [each["machine"] for each in (key, entries["stripe_api_key"], person)] == ["acts", "looks", "nothing"]
    assert "every device" in entries["azure_refresh_token"]["also_ends"]
    assert entries["rotator_api_token"]["also_ends"] == "the sessions that were opened with it"
    assert [kind for kind, each in entries.items() if each["practice"]] == ["acme_api_token"]
    assert entries["aws_console_password"]["verify"] == "stated"
    assert [entries[kind]["permissions"] for kind in ("ssh_krl_key", "sendgrid_api_key", "slack_token")] == [
        True,
        True,
        False,
    ]


def test_grades_are_counted_apart_and_nobody_claims_a_live_account(rotator):
    out = rotator("provider", "list").ended(0).out
    told = out.splitlines()[-1]
    real = [each for name, each in PLAYBOOKS.items() if name != "acme_api_token"]
    grades = Counter(each.tested.grade.value if each.tested else None for each in real)
    assert told.startswith(f"{len(real)} kinds: ")
    assert "by a person alone, and no machine proves anything" in told
    assert f"Tested: {grades['real_server']} against a real server, " in told
    assert "live account" not in told
    assert "azure_refresh_token: ending it also ends every other" in " ".join(out.split())


@pytest.mark.parametrize("kind", sorted(PLAYBOOKS))
def test_a_kind_that_ships_says_how_it_was_tested_unless_only_people_act(kind):
    playbook = PLAYBOOKS[kind]
    assert (playbook.tested is None) == (playbook.provider == "by_hand")


def test_what_an_issuer_lists_is_discovered_and_what_it_cannot_list_is_named(rotator, tmp_path):
    with token_server() as server:
        planted = server.plant("ci")
        (tmp_path / "own.token").write_text(server.admin.reveal())
        (tmp_path / "rotator.toml").write_text(
            f'[[connections]]\nname = "acme"\nfamily = "http"\nkinds = ["acme_api_token"]\n'
            f'endpoint_url = "{server.address}"\ncredential = "file:own.token"\n'
        )
        found = json.loads(rotator("inventory", "discover", "acme", "-o", "json").ended(0).out)
        unknown = rotator("inventory", "discover", "acne").ended(2).err
    assert (planted.id, "ci") in {(each["id"], each["owner"]) for each in found}
    assert planted.token.reveal() not in json.dumps(found)
    assert "did you mean `acme`?" in unknown
