"""A unit that is restarted: against a fake `systemctl` of ours on PATH, here and behind a real OpenSSH server."""

from __future__ import annotations

import os
import stat

import pytest

from rotator.consumers.systemd_unit import connect
from rotator.credential import CredentialRef
from rotator.errors import BadInput, Rejected, Unavailable
from rotator.ports.connection import Connection
from rotator.ports.consumer import Notice
from tests.fakes.systemctl import ACTIVE, Machine
from tests.servers.sshd import ACCOUNT, sshds

EXPOSED = CredentialRef("vault_token", "vault", "ci", "old-accessor")
NOTICE = Notice("inc-1", EXPOSED, EXPOSED.with_id("new-accessor"), ())


@pytest.fixture
def machine(tmp_path, monkeypatch):
    made = Machine(tmp_path)
    monkeypatch.setenv("PATH", f"{made.bin}{os.pathsep}{os.environ['PATH']}")
    return made


def test_a_restart_is_told_with_the_moment_from_which_it_is_active(machine):
    told = connect(None, ["", "shop.service"]).reload(NOTICE)
    assert (told.said, told.using) == ("active since Sun 2026-11-22 09:00:01 UTC", None)
    assert machine.asked[0] == "restart shop.service"


def test_asking_restarts_nothing_and_does_not_pretend_to_know_the_credential(machine):
    told = connect(None, ["", "shop.service"]).holding(NOTICE)
    assert (told.said, told.using) == ("active since Sun 2026-11-22 08:00:00 UTC", None)
    assert [each.split()[0] for each in machine.asked] == ["show"]


@pytest.mark.parametrize(
    ("state", "error", "reason"),
    [
        ("activating", Unavailable, "starting"),
        ("reloading", Unavailable, "starting"),
        ("failed", Rejected, "not_running"),
        ("inactive", Rejected, "not_running"),
    ],
)
def test_a_unit_that_is_not_up_is_not_called_so(machine, state, error, reason):
    machine.tell(ACTIVE.replace("=active", f"={state}"))
    with pytest.raises(error) as raised:
        connect(None, ["", "shop.service"]).holding(NOTICE)
    assert raised.value.reason == reason


def test_a_restart_that_fails_is_a_refusal_and_one_that_takes_long_is_told(machine):
    machine.tell(ACTIVE.replace("=active", "=activating"))
    assert connect(None, ["", "shop.service"]).reload(NOTICE).said == "restarted; starting"
    machine.tell(ACTIVE.replace("=active", "=failed"))
    with pytest.raises(Rejected) as refusal:
        connect(None, ["", "shop.service"]).reload(NOTICE)
    assert refusal.value.reason == "consumer_refused"


def test_a_unit_that_is_not_there_is_a_refusal(machine):
    unit = connect(None, ["", "other.service"])
    for call, reason in ((unit.reload, "consumer_refused"), (unit.holding, "no_such_consumer")):
        with pytest.raises(Rejected) as refusal:
            call(NOTICE)
        assert refusal.value.reason == reason
    assert len(machine.asked) == 2


@pytest.mark.parametrize("unit", ["", "--all", "a b", "a;b", "$(x)"])
def test_what_is_no_unit_is_one_clear_line(unit):
    with pytest.raises(BadInput, match="is no unit"):
        connect(None, ["", unit])


def test_on_a_host_it_is_done_as_the_administrator():
    with sshds(1, extra="SetEnv PATH={folder}/bin:/usr/bin:/bin") as servers:
        machine = Machine(servers.folder)
        for each in (machine.state, machine.asked_file):
            each.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IROTH | stat.S_IWOTH)
        servers.folder.chmod(0o777)  # the fake's `sed` writes beside its file
        settings = {**servers.settings, "administrator": ACCOUNT}
        connection = Connection("web", "ssh", credential=lambda: servers.own_key, settings=settings)
        unit = connect(connection, ["web1", "shop.service"])
        assert unit.name == f"{ACCOUNT}@web1: shop.service"
        assert unit.reload(NOTICE).said == "active since Sun 2026-11-22 09:00:01 UTC"
        assert machine.asked[0] == "restart shop.service"
