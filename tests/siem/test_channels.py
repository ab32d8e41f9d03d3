"""What a channel says was taken was taken: a file's lines are on the disk, a server answered, a receiver read all."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import stat
import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.forwarding import channel_of
from rotator.settings.siem import SiemSettings
from rotator.siem.channel import Line
from rotator.siem.to_syslog import framed, message
from tests.fakes.kubernetes_authority import Authority
from tests.servers.rsyslog import rsyslog
from tests.siem import receivers

LINES = [Line(f'{{"number":{number}}}', 1700000000.25, 1 + number % 5, "entity_management") for number in range(700)]
TEXTS = [each.text for each in LINES]
TOKEN = "canary-token-7"


@pytest.fixture
def channel(tmp_path, monkeypatch):
    monkeypatch.setenv("SIEM_TOKEN", TOKEN)

    def made(**said):
        return channel_of(SiemSettings(name="siem", **said), tmp_path)

    return made


@pytest.fixture
def trusted(tmp_path):
    """Give a server's TLS, and write the authority that signed it."""
    authority = Authority()
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    (tmp_path / "server.pem").write_bytes(authority.server("127.0.0.1"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    return context


def test_a_file_has_each_line_once_in_order_and_is_for_its_owner_alone(channel, tmp_path):
    to = channel(file="events.jsonl")
    assert (to.reach(), to.send(LINES[:3]), to.send(LINES[3:])) == ("can be written", "written", "written")
    assert (tmp_path / "events.jsonl").read_text().splitlines() == TEXTS
    assert stat.S_IMODE((tmp_path / "events.jsonl").stat().st_mode) == 0o600


def test_a_file_that_was_moved_away_is_begun_anew(channel, tmp_path):
    to, path = channel(file="events.jsonl"), tmp_path / "events.jsonl"
    to.send(LINES[:1])
    path.rename(tmp_path / "events.1")
    to.send(LINES[1:2])
    assert path.read_text().splitlines() == TEXTS[1:2]


def test_a_line_that_a_crash_cut_short_is_closed_and_the_next_ones_are_whole(channel, tmp_path):
    (tmp_path / "events.jsonl").write_text(f"{TEXTS[0]}\n{TEXTS[1][:4]}")
    channel(file="events.jsonl").send(LINES[1:3])
    assert (tmp_path / "events.jsonl").read_text().splitlines() == [TEXTS[0], TEXTS[1][:4], TEXTS[1], TEXTS[2]]


@pytest.mark.parametrize("which", ["events.jsonl", "."])
def test_a_file_whose_lines_or_name_are_not_on_the_disk_was_not_taken(channel, tmp_path, monkeypatch, which):
    def full(opened):
        if os.path.samestat(os.fstat(opened), (tmp_path / which).stat()):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="No space left"):
        channel(file="events.jsonl").send(LINES[:1])


@pytest.mark.parametrize("file", ["missing/events.jsonl", "."])
def test_a_file_that_cannot_be_is_said_to_be_so(channel, file):
    to = channel(file=file)
    for ask in (to.reach, lambda: to.send(LINES[:1])):
        with pytest.raises(Unavailable, match="file_not_written"):
            ask()


@pytest.mark.parametrize(("word", "header"), [("Bearer", f"Bearer {TOKEN}"), ("Splunk", f"Splunk {TOKEN}")])
def test_an_endpoint_gets_many_lines_in_one_request_with_its_token(channel, word, header):
    with receivers.endpoint() as taken:
        to = channel(url=taken.address, token="env:SIEM_TOKEN", authorization=word)
        assert (to.reach(), to.send(LINES)) == ("somebody listens; nothing was sent", "http 200")
    assert (taken.lines, len(taken.bodies)) == (TEXTS, 1)
    assert (taken.headers[0]["Authorization"], taken.headers[0]["Content-Type"]) == (header, "application/x-ndjson")


@pytest.mark.parametrize(
    ("status", "headers", "error", "retry_after"),
    [
        (500, {}, Unavailable, None),
        (302, {"Location": "/elsewhere"}, Unavailable, None),
        (401, {}, Unavailable, None),
        (429, {"Retry-After": "7"}, Unavailable, 7.0),
        (503, {"Retry-After": "soon"}, Unavailable, None),
        (413, {}, Rejected, None),
    ],
)
def test_what_is_not_2xx_was_not_taken(channel, status, headers, error, retry_after):
    with receivers.endpoint() as taken:
        taken.answers.append((status, headers))
        with pytest.raises(error) as refused:
            channel(url=taken.address, token="env:SIEM_TOKEN").send(LINES[:1])
    assert getattr(refused.value, "retry_after", None) == retry_after
    assert (taken.bodies, TOKEN in str(refused.value)) == ([], False)


def test_https_goes_to_whom_the_authority_vouches_for_and_to_nobody_else(channel, trusted):
    with receivers.endpoint(trusted) as taken:
        assert channel(url=taken.address, ca_file="ca.pem").send(LINES[:2]) == "http 200"
        with pytest.raises(Unavailable, match="siem_not_trusted"):
            channel(url=taken.address).send(LINES[2:3])
    assert taken.lines == TEXTS[:2]


def _answers_endlessly(taken):
    taken.recv(65536)
    taken.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            taken.sendall(b"10000\r\n" + bytes(0x10000) + b"\r\n")


def _answers_first_and_takes_no_more(taken):
    taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@contextlib.contextmanager
def one_connection(does):
    """Take one connection, do that with it, and close it, whatever is unread."""
    with socket.socket() as listening:
        # Small, so that no more than that is ever under way.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def take():
            taken, _ = listening.accept()
            with taken:
                does(taken)

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/raw"
        thread.join(60)


def test_an_answer_without_an_end_is_not_read_into_memory(channel):
    with one_connection(_answers_endlessly) as address:
        assert channel(url=address).send(LINES[:1]) == "http 200"


def test_an_endpoint_that_says_yes_before_all_was_sent_and_closes_has_not_taken_it(channel):
    with one_connection(_answers_first_and_takes_no_more) as address, pytest.raises(Uncertain):
        channel(url=address).send([Line("x" * (16 << 20), 1.0, 1, "long")])


def test_syslog_is_read_whole_in_order_and_as_the_standard_has_it(channel):
    with receivers.syslog() as taken:
        to = channel(syslog=taken.address)
        assert (to.reach(), to.send(LINES[:5]), to.send(LINES[5:])) == (
            "somebody listens; nothing was sent",
            "read by the receiver",
            "read by the receiver",
        )
        assert (taken.bodies, taken.faults) == (TEXTS, [])


def test_rsyslog_writes_what_is_sent_as_it_is_meant(channel):
    with rsyslog() as server:
        assert channel(syslog=server.address).send(LINES) == "read by the receiver"
    priority = {1: 110, 2: 109, 3: 108, 4: 107, 5: 106}
    assert server.lines == [f"1 {priority[each.severity_id]} rotator {each.name} {each.text}" for each in LINES]


def test_syslog_over_tls_goes_to_whom_the_authority_vouches_for_and_to_nobody_else(channel, trusted):
    with receivers.syslog(trusted) as taken:
        assert channel(syslog=taken.address, ca_file="ca.pem").send(LINES) == "read by the receiver"
        with pytest.raises(Unavailable, match="siem_not_trusted"):
            channel(syslog=taken.address).send(LINES)
    assert (taken.bodies, taken.faults) == (TEXTS, [])


def test_syslog_that_dies_with_lines_unread_has_not_taken_them(channel):
    with receivers.syslog() as taken:
        taken.reads = 100
        with pytest.raises(Uncertain):
            channel(syslog=taken.address).send(LINES)


@pytest.mark.parametrize("said", [{"syslog": "tcp://127.0.0.1:{port}"}, {"url": "http://127.0.0.1:{port}/x"}])
def test_where_nobody_listens_nothing_was_sent(channel, said):
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # and nobody listens there
        to = channel(**{key: value.format(port=reserved.getsockname()[1]) for key, value in said.items()})
        for ask in (to.reach, lambda: to.send(LINES[:1])):
            with pytest.raises(Unavailable, match="siem_unreachable"):
                ask()


def test_over_udp_each_message_has_a_datagram_of_its_own_and_nothing_is_said_of_its_coming(channel):
    with socket.socket(type=socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        to = channel(syslog=f"udp://127.0.0.1:{receiver.getsockname()[1]}")
        assert to.reach() == "UDP: whether somebody listens, nobody says; nothing was sent"
        assert to.send(LINES[:30]) == "sent over UDP: whether it came, nobody says"
        receiver.settimeout(30.0)
        assert [receivers.read(receiver.recv(65535)) for _ in LINES[:30]] == [(each, None) for each in TEXTS[:30]]
        with pytest.raises(Rejected, match="longer than a datagram"):
            to.send([LINES[0], replace(LINES[0], text="x" * 65_500)])
        receiver.setblocking(False)
        with pytest.raises(BlockingIOError):  # of them all or none: the first was not sent alone
            receiver.recv(65535)


def test_over_udp_it_is_heard_where_this_machine_knows_that_nobody_has_the_port_or_the_name(channel):
    with socket.socket(type=socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        port = gone.getsockname()[1]
    with pytest.raises(Unavailable, match="siem_unreachable"):
        channel(syslog=f"udp://127.0.0.1:{port}").send(LINES[:1])
    with pytest.raises(Unavailable, match="siem_unreachable"):
        channel(syslog="udp://no-such-host.invalid:514").reach()


@given(
    text=st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=200),
    at=st.floats(0, 2**33),
    severity=st.integers(0, 6),
    name=st.text(max_size=60),
)
def test_any_line_is_a_message_of_the_standard(text, at, severity, name):
    [found] = receivers.unframed(framed(message(Line(text, at, severity, name))))
    assert receivers.read(found) == (text, None)


def test_severity_and_facility_are_syslogs_own():
    told = [message(Line("x", 0.0, severity, "x"))[:5] for severity in range(1, 6)]
    assert told == [b"<110>", b"<109>", b"<108>", b"<107>", b"<106>"]
