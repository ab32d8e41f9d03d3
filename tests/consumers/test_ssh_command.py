"""A consumer on a host, told by a command over SSH, against a real OpenSSH server."""

from __future__ import annotations

import json

import asyncssh
import pytest

from rotator.consumers.ssh_command import connect
from rotator.credential import CredentialRef, Secret
from rotator.errors import BadInput, Rejected, Unavailable, Uncertain
from rotator.ports.connection import Connection
from rotator.ports.consumer import Notice
from rotator.ports.store import Place
from rotator.practice.process import free_port
from tests.servers.sshd import sshds

EXPOSED = CredentialRef("vault_token", "vault", "ci", "old-accessor")
NOTICE = Notice("inc-1", EXPOSED, EXPOSED.with_id("new-accessor"), (Place("vault_kv", "vault", "ci/token"),))


@pytest.fixture(scope="module")
def servers():
    with sshds(1) as running:
        yield running


def consumer(servers, script, host="web1", **changed):
    settings = {**servers.settings, **changed}
    own = changed.pop("own", servers.own_key)
    settings.pop("own", None)
    return connect(Connection("web", "ssh", credential=lambda: own, settings=settings), [host, "sh", "-c", script])


def test_it_reads_the_notice_from_its_standard_input_and_says_what_it_holds(servers):
    script = 'cat >&2; echo talk; echo \'{"using": "new-accessor"}\''
    told = consumer(servers, script).reload(NOTICE)
    assert (told.using, told.said.startswith("exit 0 in ")) == ("new-accessor", True)
    echoed = 'n=$(cat); case "$n" in *\'"event": "holding"\'*) echo \'{"using": "old-accessor"}\';; esac'
    assert consumer(servers, echoed).holding(NOTICE).using == "old-accessor"


def test_it_runs_as_the_connections_user_and_words_stay_words(servers):
    name = consumer(servers, "true").name
    assert name == f"{servers.accounts[0]}@web1: sh -c true"
    said = json.dumps({"using": "new-accessor"})
    script = f'test "$(id -un)" = "{servers.accounts[0]}" && printf %s "{said!s}"'.replace('"using"', '\\"using\\"')
    script = script.replace('"new-accessor"', '\\"new-accessor\\"')
    assert consumer(servers, script).reload(NOTICE).using == "new-accessor"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 3", "consumer_refused"),
        ("exec /no/such/command", "consumer_not_runnable"),
        ("echo canary; false", "consumer_refused"),
    ],
)
def test_a_failure_is_a_refusal_without_its_words(servers, script, reason):
    with pytest.raises(Rejected) as refusal:
        consumer(servers, script).reload(NOTICE)
    assert refusal.value.reason == reason
    assert "canary" not in refusal.value.detail.partition(" ended ")[2]


def test_a_command_that_was_ended_may_have_heard_and_a_question_can_be_asked_again(servers):
    with pytest.raises(Uncertain) as raised:
        consumer(servers, "kill -9 $$").reload(NOTICE)
    assert raised.value.reason == "consumer_killed"
    with pytest.raises(Unavailable):
        consumer(servers, "kill -9 $$").holding(NOTICE)


def test_a_host_whose_key_is_not_known_is_not_entered(servers):
    another = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    address, port = servers.addresses["web1"]
    with pytest.raises(Rejected) as refusal:
        consumer(servers, "true", known_hosts=f"[{address}]:{port} {another}\n").reload(NOTICE)
    assert refusal.value.reason == "host_key_not_verified"


def test_an_own_key_that_is_refused_is_named_as_the_trouble(servers):
    other = Secret(asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode())
    with pytest.raises(Rejected) as refusal:
        consumer(servers, "true", own=other).reload(NOTICE)
    assert refusal.value.reason == "own_key_refused"


def test_nobody_listening_is_unavailable(servers):
    nowhere = [f"web1=127.0.0.2:{free_port('127.0.0.2')}"]
    with pytest.raises(Unavailable):
        consumer(servers, "true", hosts=nowhere).reload(NOTICE)


def test_a_host_that_the_connection_does_not_name_is_one_clear_line(servers):
    with pytest.raises(BadInput, match="web has no host called web9"):
        consumer(servers, "true", host="web9")
