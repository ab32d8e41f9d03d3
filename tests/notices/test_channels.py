"""What a channel is handed, and what becomes of every answer: real servers, and no word of theirs in our errors."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from rotator.credential import Secret
from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.notices.event import Event
from rotator.notices.mail import Mail, MailServer, PartlyTold, _ended_in_time
from rotator.notices.slack import Slack
from rotator.notices.wording import Happened, Letter, word
from rotator.practice.process import free_port
from tests.fakes.channels import PASSWORD, USER

NASTY = "<!channel> @here *x* https://evil.example & \r\nBcc: thief@evil.example"


def letter(title="a laptop", *happened, attempt=1):
    told = happened or (Happened(Event.APPROVAL_WANTED, 3.0, {"credentials": 12, "by": "alarm"}),)
    return Letter("msg-1", "sec", "inc-1", title, "high", "0123456789abcdef", 5.0, attempt, told)


def mail(post, password=PASSWORD, security="starttls", port=None):
    given = (lambda: Secret(password)) if password else None
    user = USER if password else None
    at, to = port or post.port, ("oncall@example.com", "ciso@example.com")
    return Mail(MailServer("127.0.0.1", at, security, user, given, str(post.ca_file), "rotator@example.com", to))


def test_a_webhook_gets_what_happened_what_is_wanted_of_whom_and_the_command(hook):
    assert Slack(lambda: Secret(hook.url)).send(word(letter())) == "http 200"
    assert hook.texts == [
        (
            "*[HIGH] inc-1: a laptop*\n"
            "• 1970-01-01 00:00:03Z  approval is wanted: 12 credentials; one yes is there, by alarm\n"
            "→ Wanted: an approver. Look at the plan (rotator plan inc-1), then: "
            "`rotator approve inc-1 --digest 0123456789abcdef`\n"
            "rotator, message msg-1"
        )
    ]


def test_no_text_of_others_commands_a_webhook_or_a_mails_head(hook, post):
    told = word(letter(NASTY, Happened(Event.BREAK_GLASS, 3.0, {"by": NASTY, "owners": [NASTY]})))
    Slack(lambda: Secret(hook.url)).send(told)
    [text] = hook.texts
    for living in ("<!", "@here", "*x*", "https://evil"):
        assert living not in text
    assert "&lt;!channel&gt;" in text
    assert "&amp;" in text
    mail(post).send(told)
    [(to, taken)] = post.taken
    assert to == ["oncall@example.com", "ciso@example.com"]
    assert "evil" not in str(dict(taken.items()))
    assert taken["Bcc"] is None
    assert "evil.example" in taken.get_content()


def test_a_mail_is_a_machines_one_of_its_incidents_thread_and_the_same_however_often_it_is_sent(post):
    told = word(letter())
    assert [mail(post).send(told) for _ in range(2)] == ["to 2 of 2"] * 2
    heads = [{name: each[name] for name in ("Message-ID", "References", "Date")} for _, each in post.taken]
    assert heads[0] == heads[1]
    [(_, first), _] = post.taken
    assert (first["Message-ID"], first["References"]) == ("<msg-1@example.com>", "<inc-1@example.com>")
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["Subject"] == "rotator [HIGH] inc-1: approval is wanted"
    assert "rotator approve inc-1 --digest 0123456789abcdef" in first.get_content().splitlines()[-3]
    assert post.logins == [True, True]


@pytest.mark.parametrize(
    ("answer", "raised", "reason", "after"),
    [
        ((429, {"Retry-After": "30"}), Unavailable, "webhook_says_later: http 429", 30.0),
        ((503, {}), Unavailable, "webhook_says_later: http 503", None),
        ((503, {"Retry-After": "\xb2"}), Unavailable, "webhook_says_later: http 503", None),
        ((404, {}), Unavailable, "webhook_refused: http 404", None),
        ((500, {}), Unavailable, "webhook_refused: http 500", None),
        ((302, {"Location": "http://127.0.0.1:1/"}), Unavailable, "webhook_refused: http 302", None),
        ((400, {}), Rejected, "message_refused: http 400", None),
    ],
)
def test_every_answer_of_a_webhook_that_is_no_yes_is_told_by_its_number(hook, answer, raised, reason, after):
    hook.answers.append(answer)
    with pytest.raises(raised) as refused:
        Slack(lambda: Secret(hook.url)).send(word(letter()))
    assert (str(refused.value), getattr(refused.value, "retry_after", None)) == (reason, after)


def test_to_look_whether_a_channel_answers_tells_nobody_anything(hook, post):
    assert Slack(lambda: Secret(hook.url)).reach() == "answers"
    with pytest.raises(Unavailable, match="webhook_refused: http 404"):
        Slack(lambda: Secret(f"{hook.url}x")).reach()
    assert mail(post).reach() == "answers"
    with pytest.raises(Unavailable, match="mail_login_refused: smtp 535"):
        mail(post, "canary-wrong").reach()
    assert (hook.posted, post.taken) == ([], [])


@pytest.mark.parametrize(
    ("said", "raised"), [("550 not this", Rejected), ("451 later", Unavailable), ("554 spam", Rejected)]
)
def test_a_mail_that_is_refused_for_good_is_told_from_one_that_may_come_later(post, said, raised):
    post.refuses.append(said)
    with pytest.raises(raised) as refused:
        mail(post).send(word(letter()))
    assert str(refused.value) == f"mail_refused: smtp {said[:3]}"


@pytest.mark.parametrize("leave", ["421 closing", "250 ok", "502 what"])
def test_a_mail_that_was_taken_is_no_failure_whatever_is_said_to_the_goodbye(post, leave):
    post.leave = leave
    assert mail(post).send(word(letter())) == "to 2 of 2"
    assert mail(post).reach() == "answers"


def test_a_mail_that_some_recipients_were_refused_of_says_so(post):
    post.full.append("oncall@example.com")
    with pytest.raises(PartlyTold) as told:
        mail(post).send(word(letter()))
    assert str(told.value) == "mail_partly_refused: smtp 450, told 1 of 2 recipients"
    assert [to for to, _ in post.taken] == [["ciso@example.com"]]
    with pytest.raises(Unavailable, match="mail_recipients_refused: smtp 450"):
        told.value.rest()
    post.full.clear()
    assert told.value.rest() == "to 2 of 2"
    assert [to for to, _ in post.taken[1:]] == [["oncall@example.com"]]
    assert len({taken["Message-ID"] for _, taken in post.taken}) == 1


def test_who_was_refused_for_good_is_not_tried_again(post):
    post.gone.append("oncall@example.com")
    with pytest.raises(PartlyTold, match="smtp 550, told 1 of 2 recipients") as told:
        mail(post).send(word(letter()))
    assert told.value.rest is None


def test_a_mail_server_that_answers_drop_by_drop_is_left(monkeypatch):
    monkeypatch.setattr("rotator.notices.mail.WHOLE_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip():
            wire, _ = server.accept()
            with wire, contextlib.suppress(OSError):
                while True:
                    wire.sendall(b"220-and more\r\n")

        dripping = threading.Thread(target=drip, daemon=True)
        dripping.start()
        with pytest.raises(Unavailable, match="mail_server_unreachable"):
            Mail(
                MailServer(
                    "127.0.0.1", server.getsockname()[1], "none", None, None, None, "a@x.example", ("b@x.example",)
                )
            ).reach()
        dripping.join(30)
    assert not dripping.is_alive()


def test_a_link_that_shows_no_wire_when_its_time_is_over_is_cut_once_it_does(monkeypatch):
    monkeypatch.setattr("rotator.notices.mail.WHOLE_S", 0.01)
    monkeypatch.setattr("rotator.notices.mail._CUT_AGAIN_S", 0.01)
    ours, theirs = socket.socketpair()

    class Agreeing:
        looked = 0

        @property
        def sock(self):
            self.looked += 1
            return ours if self.looked > 2 else None

    with ours, theirs, _ended_in_time(Agreeing()):
        ours.settimeout(30)
        assert ours.recv(1) == b""


def test_no_password_goes_to_a_server_that_is_not_trusted_or_not_there(post, tmp_path):
    gone = free_port()
    with pytest.raises(Unavailable, match="mail_server_unreachable"):
        mail(post, port=gone).send(word(letter()))
    with pytest.raises(Unavailable, match="webhook_unreachable"):
        Slack(lambda: Secret(f"http://127.0.0.1:{gone}/x")).send(word(letter()))
    (tmp_path / "ca.pem").write_bytes((tmp_path / "ca.pem").read_bytes()[:0])
    with pytest.raises(Unavailable):
        mail(post).send(word(letter()))
    with pytest.raises(Unavailable, match="mail_refused: smtp 530"):
        mail(post, password=None, security="none").send(word(letter()))
    assert (post.logins, post.taken) == ([], [])


def test_a_webhook_that_goes_silent_may_have_heard(hook, monkeypatch):
    hook.goes_on.clear()
    monkeypatch.setattr("rotator.notices.slack.CALL_DEADLINE_S", 0.2)
    with pytest.raises(Uncertain, match="webhook_timed_out"):
        Slack(lambda: Secret(hook.url)).send(word(letter()))
