"""The doctor reaches out to what the rotator works with: it calls well what answers, and nothing that does not."""

from __future__ import annotations

import socket
import sys
import threading

import pytest

from rotator.cli.doctor import examine
from rotator.cli.options import Context
from rotator.errors import Rejected, Unavailable
from rotator.examining.doctor import _told
from rotator.examining.reaching import Asked, reach
from rotator.flow.incident import Incident, Severity
from rotator.ledger.reading import Reading
from rotator.ledger.records import Listed
from rotator.practice.process import free_port
from tests.fakes.vendor_server import Vendor, serving, shape_of

VAULT = (
    '[[connections]]\nname = "safe"\nfamily = "vault"\nendpoint_url = "http://127.0.0.1:{port}"\ncredential = "env:T"\n'
)
OWNER = '[[credentials]]\nmatch = {{owner = "{owner}"}}\n'


@pytest.fixture
def examined(tmp_path, monkeypatch):
    """Return what the doctor says of a configuration: what is well, and what is not."""
    monkeypatch.setenv("T", "hvs.none")

    def found(text):
        (tmp_path / "rotator.toml").write_text(f'data_dir = "data"\n{text}')
        (tmp_path / "data").mkdir(mode=0o700, exist_ok=True)
        context = Context(config=tmp_path / "rotator.toml", quiet=True)
        findings = list(examine(context))
        return context, [each.what for each in findings if each.well], [each.what for each in findings if not each.well]

    return found


def test_a_server_that_is_gone_is_not_called_well(examined):
    place = 'deliver = [{store = "vault_kv", connection = "safe", name = "kv/x"}]\n'
    _, well, bad = examined(VAULT.format(port=free_port()) + OWNER.format(owner="ci") + place)
    assert {line.partition(": ")[0] for line in bad} == {"safe", "vault_kv:safe:kv/x"}
    assert [line for line in bad if "unreachable" not in line] == []
    assert [line for line in well if line.startswith(("safe", "vault_kv"))] == []


def test_the_limit_that_an_issuer_publishes_is_told(examined, monkeypatch):
    vendor = Vendor(shape_of("linode_token"))
    monkeypatch.setenv("T", vendor.values["admin"])
    with serving(vendor) as address:
        served = f'family = "http"\nkinds = ["linode_token"]\nendpoint_url = "{address}"\ncredential = "env:T"\n'
        _, well, bad = examined(f'[[connections]]\nname = "li"\n{served}')
    assert "li: answers for linode_token" in well
    assert "account http:li: 3 calls a second, 20 at once, as published for linode_token" in well
    assert bad == []


def test_a_webhook_is_knocked_at_and_told_nothing(examined):
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)

        def listen():
            caller, _ = listening.accept()
            with caller:
                heard.append(caller.recv(100))

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        port, gone = listening.getsockname()[1], free_port()
        hooks = f'{{webhook = "http://127.0.0.1:{port}/a?key=canary"}}, {{webhook = "http://127.0.0.1:{gone}/b"}}'
        _, well, bad = examined(f"{OWNER.format(owner='ci')}consumers = [{hooks}]\n")
        listener.join(timeout=10)
    assert heard == [b""]
    assert f"http://127.0.0.1:{port}/a: somebody listens; it was told nothing" in well
    assert any(line.startswith(f"http://127.0.0.1:{gone}/b: consumer_unreachable") for line in bad)
    assert "canary" not in str(well + bad)


def test_a_command_is_looked_for_and_not_run(examined, tmp_path):
    script = [sys.executable, "-c", f"open({str(tmp_path / 'ran')!r}, 'w')"]
    words = ", ".join(f"'''{word}'''" for word in script)
    hooks = f"consumers = [{{command = [{words}]}}, {{command = ['no-such-command']}}]\n"
    _, well, bad = examined(OWNER.format(owner="ci") + hooks)
    assert any(line.endswith("the command is there; it was not run") for line in well)
    assert "no-such-command: there is no such command here" in bad
    assert not (tmp_path / "ran").exists()


def test_what_is_stopped_is_said_and_is_not_well(examined):
    context, _, bad = examined("")
    assert not any("stopped" in line for line in bad)
    parts = context.parts()
    parts.stops.stop(None, "ann", "the auditors are here", [])
    parts.database.close()
    _, _, bad = examined("")
    assert "everything is stopped by ann: the auditors are here" in bad


def test_a_stolen_credential_that_lives_again_is_not_well(examined, monkeypatch):
    told = Incident("inc-7", "stolen", Severity.HIGH, 1.0, 1.0)
    monkeypatch.setattr(Reading, "incidents", lambda _: [Listed(told, "alive again", 1, 0)])
    _, _, bad = examined("")
    assert "inc-7: a stolen credential was resumed: whoever has it can use it" in bad


def test_a_connection_that_is_wrong_hides_nothing_else(examined):
    hook = f'{OWNER.format(owner="ci")}consumers = [{{command = ["no-such-command"]}}]\n'
    _, well, bad = examined(f'[[connections]]\nname = "a"\nfamily = "asw"\n{hook}')
    assert "connection a: there is no family called asw" in bad[0]
    assert "no-such-command: there is no such command here" in bad
    assert any("ledger answers" in line for line in well)


def test_who_does_not_answer_in_time_is_told_and_waited_for_no_longer():
    gone = threading.Event()

    def refuse():
        raise Rejected("access_denied")

    asked = [
        Asked("slow", lambda: str(gone.wait())),
        Asked("quick", lambda: "answers"),
        Asked("strict", refuse),
    ]
    found = {each.what: (each.well, each.answer) for each in reach(asked, deadline_s=1.0)}
    gone.set()
    assert found == {
        "slow": (False, "no answer within 1 s"),
        "quick": (True, "answers"),
        "strict": (False, "access_denied"),
    }


@pytest.mark.parametrize(("whole", "well"), [(False, True), (True, False)])
def test_who_answers_for_some_kinds_is_well_unless_all_were_named(whole, well):
    asked = Asked("safe", str, "vault_token").answered("answers (absent)", well=True)
    refused = Asked("safe", str, "vault_transit_key").answered("denied", well=False, error=Rejected("access_denied"))
    found = list(_told([asked, refused], whole=whole))
    assert all(each.well is well for each in found)
    assert "vault_transit_key" in found[-1].what


def test_who_only_knows_without_asking_is_not_well():
    offline = Asked("safe", str, "vault_database_lease").answered("answers", well=True)
    gone = Asked("safe", str, "vault_token").answered("gone", well=False, error=Unavailable("unreachable"))
    assert [each.well for each in _told([offline, gone], whole=False)] == [False]
