"""People are told beside the dispatcher: a channel that hangs holds up no branch, no other channel and no end."""

from __future__ import annotations

import threading

import pytest

from rotator import clock
from rotator.dispatcher import Dispatcher
from rotator.errors import Unavailable
from rotator.flow.playbook_words import Strategy
from rotator.ledger.notices import tell
from rotator.notices.mail import PartlyTold
from rotator.notices.rest import Rests
from rotator.notifying import END_S, Notifying, channel_of
from rotator.settings.notices import NoticeSettings
from tests.fakes import channels
from tests.fakes.company import founded

RUNS = 12


@pytest.fixture
def house(tmp_path):
    """Give a deployment with started runs, of which something was told."""
    company, deployment = founded(tmp_path)
    found = [company.stolen("aws_iam_access_key", owner=f"owner-{number}")[0] for number in range(RUNS)]
    deployment.start(found, wanted=Strategy.REVOKE_ONLY)
    with deployment.database.write() as connection:
        tell(connection, "inc-1", "break_glass", {"by": "ann"}, clock.now() - 60)
    yield deployment
    deployment.database.close()


def entries(folder, **hooks):
    for name, hook in hooks.items():
        (folder / name).write_text(hook.url)
    return [NoticeSettings(name=name, slack=f"file:{name}", events=["break_glass"]) for name in hooks]


def test_a_channel_that_hangs_delays_no_branch_and_no_other_channel(house, tmp_path):
    with channels.slack() as silent, channels.slack() as well:
        silent.goes_on.clear()
        notifying = Notifying(
            lambda: house.database, entries(tmp_path, silent=silent, well=well), tmp_path, lambda: True
        )
        notifying.start()
        assert silent.came.wait(30)
        sent, worker = [], house.engine()
        dispatcher = Dispatcher(house.due, lambda branch, _lane: sent.append(branch), "ann")
        while dispatcher.tick():
            while sent:
                worker.advance(sent.pop())
        assert well.took.wait(30)
        # All were sent once at least, and the channel has not said a word.
        assert len({each["run"] for each in house.rows("step") if each["attempts"]}) == RUNS
        assert (silent.posted, len(well.posted)) == ([], 1)
        silent.goes_on.set()
        assert silent.took.wait(30)
        notifying.stop()
        states = {(each["channel"], each["state"]) for each in house.rows("message")}
        assert states == {("silent", "sent"), ("well", "sent")}


def test_only_who_leads_tells_anybody_and_where_no_channel_is_there_is_nothing_to_do(house, tmp_path):
    with channels.slack() as hook:
        leads = threading.Event()
        asked = threading.Event()

        def lead():
            asked.set()
            return leads.is_set()

        notifying = Notifying(lambda: house.database, entries(tmp_path, sec=hook), tmp_path, lead)
        notifying.start()
        assert asked.wait(30)
        assert hook.posted == []
        leads.set()
        assert hook.took.wait(30)
        notifying.stop()
        assert len(hook.posted) == 1
    nobody = Notifying(lambda: pytest.fail("the ledger was asked"), [], tmp_path, lambda: True)
    nobody.start()
    assert nobody.settled()
    nobody.stop()


def test_all_channels_that_hang_are_waited_for_no_longer_than_one(monkeypatch, tmp_path):
    now, waited = [100.0], []

    class Hanging:
        def join(self, timeout):
            waited.append(timeout)
            now[0] += timeout

    monkeypatch.setattr("time.monotonic", lambda: now[0])
    notifying = Notifying(lambda: pytest.fail("the ledger was asked"), [], tmp_path, lambda: True)
    notifying._threads = [Hanging() for _ in range(5)]
    notifying.stop()
    assert waited == [END_S, 0.0, 0.0, 0.0, 0.0]


def test_a_process_that_ends_when_idle_tells_all_first_but_waits_for_no_channel_that_is_down(house, tmp_path):
    with channels.slack() as hook:
        notifying = Notifying(lambda: house.database, entries(tmp_path, sec=hook), tmp_path, lambda: True)
        [entry] = notifying._entries
        hook.answers += [(500, {})]
        assert not notifying.settled()
        notifying.send_due(entry, channel_of(entry, tmp_path))
        assert notifying.settled()
        [kept] = house.rows("message")
        assert (kept["state"], kept["attempts"], kept["reason"]) == ("waiting", 1, "webhook_refused: http 500")
        (tmp_path / "sec").unlink()
        with house.database.write() as connection:
            connection.exec_driver_sql("UPDATE message SET due_at = 0")
        notifying.send_due(entry, channel_of(entry, tmp_path))
        assert house.rows("message")[0]["reason"] == "its secret cannot be read"


def test_who_was_refused_for_now_is_told_later_alone_and_nobody_waits_for_him(house, tmp_path):
    with channels.mail_server(tmp_path) as post:
        (tmp_path / "word").write_text(channels.PASSWORD)
        smtp = {"host": "127.0.0.1", "port": post.port, "user": channels.USER, "password": "file:word"}
        smtp |= {"ca_file": str(post.ca_file), "sender": "r@example.com", "to": ["a@example.com", "b@example.com"]}
        entry = NoticeSettings.model_validate({"name": "mail", "smtp": smtp, "events": ["break_glass"]})
        now = [clock.now()]
        notifying = Notifying(lambda: house.database, [entry], tmp_path, lambda: True, lambda: now[0])
        channel = channel_of(entry, tmp_path)
        post.full.append("b@example.com")
        notifying.look()
        notifying.send_due(entry, channel)
        assert given(house) == ("given_up", "mail_partly_refused: smtp 450, told 1 of 2 recipients")
        now[0] += 60
        notifying.send_due(entry, channel)
        with house.database.write() as connection:
            tell(connection, "inc-1", "break_glass", {"by": "bob"}, now[0] - 60)
        notifying.look()
        notifying.send_due(entry, channel)
        assert [to for to, _ in post.taken] == [["a@example.com"]] * 2
        post.full.clear()
        now[0] += 3600
        for _ in range(3):
            notifying.send_due(entry, channel)
        assert [to for to, _ in post.taken[2:]] == [["b@example.com"]] * 2
        assert {each["state"] for each in house.rows("message")} == {"sent"}
        assert [each["act"] for each in house.evidence("inc-1") if "channel" in each].count("told") == 2


def test_nobody_is_tried_for_ever():
    now, error, tried = [0.0], PartlyTold("mail_partly_refused", "told 1 of 2"), []

    def refused():
        tried.append(now[0])
        raise Unavailable("mail_recipients_refused")

    error.rest = refused
    rests = Rests(lambda: now[0])
    rests.keep(None, error)
    for _ in range(24 * 60):
        now[0] += 60.0
        assert rests.try_one() is None
    assert (len(tried), tried[0], tried[-1] <= 3780.0) == (6, 60.0, True)


def given(house):
    [kept] = house.rows("message")
    return kept["state"], kept["reason"]
