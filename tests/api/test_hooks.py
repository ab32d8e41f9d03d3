"""Each door opens to what its sender has signed: kept before it is answered, once; all else is refused and counted."""

from __future__ import annotations

import json
import logging
import socket
import time

import pytest
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner

from rotator.api import hooks
from rotator.api.bodies import LIMIT_BYTES
from rotator.api.heads import PromptLine
from rotator.cli.main import app as commands
from rotator.ledger.triggers import Triggers
from tests.api.deployment import configured, web
from tests.e2e.commands import until
from tests.triggers import signing
from tests.triggers.signing import DELIVERIES, TIMED, places, replace

senders = pytest.mark.parametrize("sender", DELIVERIES)


@pytest.fixture(scope="module")
def outside():
    with places() as found:
        yield found


@pytest.fixture(scope="module")
def server(tmp_path_factory, outside):
    folder = tmp_path_factory.mktemp("served")
    with web(configured(folder, outside.address)) as found:
        found.folder = folder
        yield found


@pytest.fixture
def signed(outside):
    """Sign as a sender does, now or at another time."""

    def found(sender, body=None, ago=0.0, **named):
        more = {"address": outside.address} if sender == "aws-health" else {}
        return DELIVERIES[sender](time.time() - ago, body, **named, **more)

    return found


def title(sender):
    return "generic/siem" if sender == "generic" else sender


def refused(server, delivery, status, reason):
    """Send what is to be refused: it is told why in problem details, counted, and not kept."""
    kept, counted = len(server.parts.triggers.listed()), server.counted(title(delivery.sender), reason)
    answered, said, headers = server.sends(delivery)
    assert (answered, said["status"], said["reason"]) == (status, status, reason)
    assert headers["content-type"] == "application/problem+json"
    assert "canary" not in json.dumps(said)
    assert server.counted(title(delivery.sender), reason) == counted + 1
    assert len(server.parts.triggers.listed()) == kept


@senders
def test_an_alarm_is_kept_and_declared_once_and_a_retry_is_answered_as_before(server, signed, sender):
    delivery = signed(sender)
    first, again = server.sends(delivery), server.sends(delivery)
    assert first[:2] == again[:2]
    assert first[0] == (204 if sender == "gitlab" else 200)
    assert server.counted(title(sender), "again") >= 1
    listed = server.parts.triggers.listed
    mine = [each for each in listed() if each.sender == title(sender) and "alert 43" not in each.title]
    assert len(mine) == 1
    declared = until(
        lambda: [each for each in server.parts.triggers.listed() if each.id == mine[0].id and each.incident]
    )
    record = server.parts.reading.incident(declared[0].incident)
    assert record.incident.title == declared[0].title
    assert record.approved_at is None
    assert len(record.manual) + len(record.runs) == (2 if sender in {"github-partner", "gitlab", "generic"} else 1)


@senders
def test_what_is_not_signed_so_is_refused(server, signed, sender):
    delivery = signed(sender)
    if sender == "gitlab":
        delivery = delivery.with_headers(Authorization="canary")
    else:
        # What SNS has not signed, such as a space behind it, changes nothing that is read.
        delivery = replace(delivery, body=delivery.body.replace(b"AKIAQ4R7", b"AKIAX4R7") + b" ")
    refused(server, delivery, 401, "wrong_signature")


@pytest.mark.parametrize("sender", TIMED)
def test_what_is_stale_is_refused_though_it_is_signed(server, signed, sender):
    refused(server, signed(sender, ago=TIMED[sender] + 5), 401, "stale")


@senders
def test_what_is_too_long_is_refused(server, signed, sender):
    long = replace(signed(sender), body=b"[" + b" " * LIMIT_BYTES)
    refused(server, long, 413, "too_large")


@senders
def test_what_is_cut_off_is_refused_though_it_is_signed_so(server, signed, sender):
    refused(server, signed(sender, signing.sample(sender.replace("-", "_"))[:-9]), 400, "unreadable")


@senders
def test_what_is_of_another_type_is_refused(server, signed, sender):
    form = signed(sender).with_headers(Content_Type="application/x-www-form-urlencoded")
    refused(server, form, 415, "content_type")


def test_the_same_alarm_under_another_id_is_the_same_incident(server, signed):
    body = signing.sample("github").replace(b'"number": 42', b'"number": 43')
    server.sends(signed("github", body, name="d-1"))
    news = body.replace(b'"created"', b'"publicly_leaked"')
    server.sends(signed("github", news, name="d-2"))
    found = until(
        lambda: [each for each in server.parts.triggers.listed() if "alert 43" in each.title and each.incident][1:]
    )
    assert server.counted("github", "same") >= 1
    assert len({each.incident for each in server.parts.triggers.listed() if "alert 43" in each.title}) == 1
    assert found


def test_a_ping_is_answered_and_is_no_alarm(server, signed):
    kept = len(server.parts.triggers.listed())
    ping = signed("github", b'{"zen": "Keep it logically awesome."}').with_headers(X_GitHub_Event="ping")
    assert server.sends(ping)[:2] == (200, {"state": "ignored"})
    assert len(server.parts.triggers.listed()) == kept


def test_gitlab_is_told_which_types_it_may_send_and_a_stranger_is_not(server, signed):
    asks = replace(signed("gitlab"), path="/v1/revocable_token_types")
    types = ["gitleaks_rule_id_acme", "gitleaks_rule_id_gitlab_personal_access_token"]
    assert server.sends(asks, "GET")[:2] == (200, {"types": types})
    assert server.sends(asks.with_headers(Authorization="x"), "GET")[0] == 401


def test_a_stranger_cannot_make_us_fetch_keys_in_a_loop(server, signed, outside):
    server.sends(signed("github-partner"))
    asked = outside.asked.count("/keys")
    assert asked >= 1
    for number in range(5):
        status, _, _ = server.sends(signed("github-partner", name=f"{number:064}"))
        assert status in {401, 503}
    assert outside.asked.count("/keys") <= asked + 1
    assert server.sends(signed("github-partner"))[0] == 200


def test_a_subscription_is_confirmed_of_the_topic_alone_and_by_a_visit(server, outside):
    told = {
        "Type": "SubscriptionConfirmation",
        "Message": "m",
        "Token": "t",
        "SubscribeURL": f"{outside.address}/confirm",
    }
    other = signing.sns(time.time(), {**told, "TopicArn": f"{signing.TOPIC}x"}, outside.address)
    refused(server, other, 403, "other_topic")
    assert outside.asked.count("/confirm") == 0
    assert server.sends(signing.sns(time.time(), told, outside.address))[:2] == (200, {"state": "confirmed"})
    assert outside.asked.count("/confirm") == 1


def raw(port, *parts):
    """Send pieces as they are; return how the answer begins."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        for part in parts:
            line.sendall(part)
        return line.recv(12)


HEAD = b"POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def test_a_body_is_measured_as_it_comes_whatever_its_headers_say(server):
    part = b"%x\r\n" % 65536 + b" " * 65536 + b"\r\n"
    count = LIMIT_BYTES // 65536 + 1
    assert (
        raw(server.port, HEAD, b"Transfer-Encoding: chunked\r\n\r\n", *[part] * count, b"0\r\n\r\n") == b"HTTP/1.1 413"
    )


def test_a_body_that_does_not_come_is_not_waited_for(tmp_path, outside):
    with web(configured(tmp_path, outside.address), body_within_s=0.05) as hasty:
        assert raw(hasty.port, HEAD, b"Content-Length: 1000\r\n\r\n[") == b"HTTP/1.1 408"
        assert hasty.counted("github", "too_slow") == 1


def test_a_line_on_which_no_request_comes_is_closed(server, monkeypatch):
    """Neither the first nor, behind an answer, the next."""
    monkeypatch.setattr(PromptLine, "within_s", 0.05)
    assert raw(server.port) == raw(server.port, HEAD) == b""
    asks = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
        line.sendall(asks + b"\r\n")
        answer = line.makefile("rb")
        assert answer.readline() == b"HTTP/1.1 200 OK\r\n"
        while answer.readline() != b"\r\n":
            pass
        assert answer.read(15) == b'{"status":"ok"}'
        line.sendall(asks)
        assert answer.read() == b""


def test_nothing_is_open_where_nobody_is_expected(tmp_path, outside, signed):
    with web(configured(tmp_path, outside.address, 'data_dir = "data"\n')) as closed:
        for sender in DELIVERIES:
            assert closed.sends(signed(sender))[0] == 404


def test_no_secret_is_in_the_ledger_the_metrics_the_list_or_the_log(server, signed, caplog):
    with caplog.at_level(logging.DEBUG, "rotator"):
        for sender in DELIVERIES:
            server.sends(signed(sender))
    ledger = b"".join(path.read_bytes() for path in sorted((server.folder / "data").glob("ledger.db*")))
    listed = CliRunner().invoke(
        commands, ["--config", str(server.folder / "rotator.toml"), "trigger", "list", "-o", "json"]
    )
    assert listed.exit_code == 0
    assert len(json.loads(listed.output)) >= len(DELIVERIES)
    for word in signing.CANARIES:
        assert word.encode() not in ledger
        assert word not in server.metrics + listed.output + caplog.text


@pytest.fixture
def broken(server, monkeypatch):
    """Let nothing be written down: it fails with the error."""

    def found(error):
        def keep(*_given):
            raise error

        monkeypatch.setattr(Triggers, "keep", keep)
        return server

    return found


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        (OperationalError("canary", {}, Exception("canary")), (503, "not_ready")),
        (KeyError("canary"), (500, "internal")),
    ],
    ids=["ledger", "defect"],
)
def test_what_cannot_be_written_down_is_to_be_sent_again(broken, signed, caplog, error, refusal):
    refused(broken(error), signed("gitlab"), *refusal)
    assert [each.levelname for each in caplog.records if each.name == "rotator"]
    assert "canary" not in caplog.text


def test_a_sender_whose_secret_cannot_be_read_is_asked_to_come_again(tmp_path, outside, signed):
    config = configured(tmp_path, outside.address)
    (tmp_path / "shared").unlink()
    with web(config) as unready:
        status, said, headers = unready.sends(signed("github"))
        assert (status, said["reason"], headers["retry-after"]) == (503, "not_ready", "60")
        assert unready.parts.triggers.listed() == []


def test_who_is_not_believed_waits_in_the_end_and_a_true_alarm_is_taken(outside, signed, tmp_path, monkeypatch):
    monkeypatch.setattr(hooks, "UNBELIEVED_A_MINUTE", 3)
    with web(configured(tmp_path, outside.address)) as server:
        delivery = signed("github")
        forged = replace(delivery, body=delivery.body + b" ")
        assert [server.sends(forged)[0] for _ in range(5)] == [401, 401, 401, 429, 429]
        assert int(server.sends(forged)[2]["retry-after"]) >= 1
        assert server.sends(delivery)[0] == 200
        assert server.counted("github", "wrong_signature") == 6
