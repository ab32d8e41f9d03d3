"""Whoever answers may mean harm: what he sends is bounded, and nothing is followed anywhere."""

from __future__ import annotations

import contextlib
import gzip

import pytest

from rotator.errors import Uncertain
from rotator.families.http_wire import Wire
from tests.fakes.http_server import Request, listening


@contextlib.contextmanager
def answering(status, content, **headers):
    """Run a server that says this to everybody; yield its address and the paths that it was asked."""
    asked = []

    class Asked(Request):
        def answered(self, _sent):
            asked.append(self.path)
            self.reply(status, content, {name.replace("_", "-"): value for name, value in headers.items()})

    with listening(Asked) as address:
        yield address, asked


def asked_once(address):
    with contextlib.closing(Wire(address)) as wire:
        return wire.send("GET", f"{address}/a", {})


@pytest.mark.parametrize(
    ("content", "packed", "reason"),
    [
        (gzip.compress(bytes(1 << 25)), "gzip", "answer_too_long"),
        (gzip.compress(gzip.compress(b"{}")), "gzip, gzip", "answer_unreadable"),
        (b"no archive", "gzip", "connection_lost"),
    ],
    ids=["long when unpacked", "packed twice", "no archive"],
)
def test_what_is_packed_too_tight_is_not_unpacked(content, packed, reason):
    with answering(200, content, Content_Encoding=packed) as (address, _), pytest.raises(Uncertain) as refused:
        asked_once(address)
    assert refused.value.reason == reason


def test_what_is_packed_once_is_read_and_no_redirect_is_followed():
    with answering(200, gzip.compress(b'{"a": 1}'), Content_Encoding="gzip") as (address, _):
        assert asked_once(address).content == {"a": 1}
    with (
        answering(200, b"{}") as (elsewhere, never),
        answering(302, Location=elsewhere, content=b"") as (address, once),
    ):
        assert asked_once(address).status == 302
    assert (never, once) == ([], ["/a"])
