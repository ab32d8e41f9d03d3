"""The settings of an SSH connection: read whole, or refused with one line that says how to mend them."""

from __future__ import annotations

import pytest

from rotator.errors import BadInput
from rotator.families.ssh_settings import Host, read_settings
from rotator.ports.connection import Connection

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
KNOWN = f"[192.0.2.1]:2201 {HOST_KEY}\n"
WHOLE = {"hosts": ["web1=192.0.2.1:2201"], "user": "deploy", "known_hosts": KNOWN}


def read(**changed: object):
    given = {name: value for name, value in {**WHOLE, **changed}.items() if value is not None}
    return read_settings(Connection("fleet", "ssh", settings=given))


@pytest.mark.parametrize(
    ("entry", "host"),
    [
        ("web1=192.0.2.1:2201", Host("web1", "192.0.2.1", 2201)),
        ("192.0.2.1:2201", Host("192.0.2.1:2201", "192.0.2.1", 2201)),
        ("web1.example", Host("web1.example", "web1.example", 22)),
        ("six=[2001:db8::1]:2201", Host("six", "2001:db8::1", 2201)),
    ],
)
def test_a_host_is_an_address_with_or_without_a_name_and_a_port(entry, host):
    assert read(hosts=[entry]).hosts == {host.name: host}


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"hosts": None}, "`hosts` is missing"),
        ({"hosts": []}, "`hosts` is missing"),
        ({"hosts": "web1=192.0.2.1"}, "not a list"),
        ({"hosts": ["web 1"]}, "'web 1'"),
        ({"hosts": ["web1=192.0.2.1:99999"]}, "192.0.2.1:99999"),
        ({"hosts": ["2001:db8::1"]}, "2001:db8::1"),
        ({"hosts": [22]}, "22"),
        ({"hosts": ["a=192.0.2.1", "a=192.0.2.2"]}, "two hosts are called a"),
        ({"user": None}, "`user` is missing"),
        ({"user": ""}, "''"),
        ({"user": ["../root"]}, "'../root'"),
        ({"known_hosts": None}, "impostor"),
        ({"known_hosts": "  "}, "impostor"),
        ({"known_hosts": "/nowhere/known_hosts"}, "neither a file"),
        ({"known_hosts": "one two three"}, "neither a file"),
        ({"known_hosts": "# nothing\n# here\n"}, "neither a file"),
        ({"authorized_keys": ""}, "`authorized_keys`"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(changed, what):
    with pytest.raises(BadInput) as refusal:
        read(**changed)
    assert what in str(refusal.value)
    assert str(refusal.value).startswith("connection fleet: ")
    assert "\n" not in str(refusal.value)
    assert refusal.value.mend


def test_known_hosts_may_be_a_file_which_is_read_again(tmp_path):
    path = tmp_path / "known_hosts"
    path.write_text(KNOWN)
    settings = read(known_hosts=str(path))
    assert settings.known_hosts().match("192.0.2.1", "192.0.2.1", 2201)[0]
    path.write_text(KNOWN.replace("192.0.2.1", "192.0.2.9"))
    assert not settings.known_hosts().match("192.0.2.1", "192.0.2.1", 2201)[0]


def test_the_key_files_place_may_name_host_and_user():
    settings = read(authorized_keys="/keys/{host}/{user}")
    assert settings.path(settings.host("web1"), "deploy") == "/keys/web1/deploy"
    assert read().path(Host("a", "b", 1), "deploy") == ".ssh/authorized_keys"


def test_two_accounts_may_be_named():
    assert read(user=["deploy", "backup", "deploy"]).users == ("deploy", "backup")
