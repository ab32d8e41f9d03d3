"""Stores whose newest value is read: what another hand does in the moment of a promotion, and what a crash leaves."""

from __future__ import annotations

import secrets

import pytest

from rotator import clock
from rotator.credential import Secret
from rotator.errors import Rejected, RotatorError, Unavailable, Uncertain
from rotator.families import newest
from rotator.stores import aws_ssm_parameter
from rotator.stores.aws_ssm_parameter import connect
from tests.servers.moto import moto_server
from tests.stores.secrets_manager_case import connection

DOCUMENT = Secret('{"id": "new", "token": "canary-4d5e6f"}')


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with moto_server(tmp_path_factory.mktemp("aws")) as running:
        yield running


@pytest.fixture
def name():
    return f"/ci/{secrets.token_hex(6)}"


@pytest.fixture
def consumer(server, name):
    client = server.client("ssm")

    def put(text: str, **more):
        client.put_parameter(**{"Name": name, "Value": text, "Type": "SecureString", "Overwrite": True, **more})

    client.put = put
    client.read = lambda: client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    return client


def beside(consumer, name):
    wanted = [{"Key": "Name", "Option": "BeginsWith", "Values": [f"{name}."]}]
    return sorted(
        each["Name"].removeprefix(name) for each in consumer.describe_parameters(ParameterFilters=wanted)["Parameters"]
    )


def test_another_hand_in_the_moment_of_promotion_has_its_value_back(server, consumer, name, monkeypatch):
    consumer.put("by hand")
    at = connect(connection(server))
    version, before = at.stage(name, DOCUMENT, "step-1"), at.current(name)
    real = aws_ssm_parameter._Parameters.add

    def overtaken(self, *what):
        if consumer.read() == "by hand":
            consumer.put("another hand")
        return real(self, *what)

    monkeypatch.setattr(aws_ssm_parameter._Parameters, "add", overtaken)
    with pytest.raises(Rejected) as refusal:
        at.promote(name, version, before)
    assert refusal.value.reason == "store_changed"
    assert consumer.read() == "another hand"
    assert ".rotator-after-1" not in beside(consumer, name)


@pytest.mark.parametrize("dies_at", ["add", "write", "remove"])
def test_a_promotion_that_was_lost_is_finished_by_repeating_and_leaves_one_note(
    server, consumer, name, monkeypatch, dies_at
):
    consumer.put("by hand")
    at = connect(connection(server))
    version, before = at.stage(name, DOCUMENT, "step-1"), at.current(name)
    real = getattr(aws_ssm_parameter._Parameters, dies_at)

    def lost(self, *what):
        real(self, *what)
        raise Uncertain("answer_lost")

    monkeypatch.setattr(aws_ssm_parameter._Parameters, dies_at, lost)
    with pytest.raises(Uncertain):
        at.promote(name, version, before)
    monkeypatch.undo()
    assert at.promote(name, version, before) == at.current(name) == "2"
    assert consumer.read() == DOCUMENT.reveal()
    assert beside(consumer, name) == [".rotator-promoted"]


def test_a_claim_keeps_others_out_until_it_is_stale(server, consumer, name, monkeypatch):
    consumer.put("by hand")
    consumer.put_parameter(Name=f"{name}.rotator-after-1", Value="staged-of-another", Type="String")
    at = connect(connection(server))
    version, before = at.stage(name, DOCUMENT, "step-1"), at.current(name)
    with pytest.raises(Unavailable) as raised:
        at.promote(name, version, before)
    assert raised.value.reason == "being_promoted"
    later = clock.now() + newest.STALE_S + 60
    monkeypatch.setattr(newest.clock, "now", lambda: later)
    with pytest.raises(Unavailable):
        at.promote(name, version, before)
    assert at.promote(name, version, before) == "2"


def test_a_parameter_that_is_not_encrypted_is_refused_before_anything_is_written(server, consumer, name):
    consumer.put("by hand", Type="String")
    with pytest.raises(RotatorError) as refusal:
        connect(connection(server)).stage(name, DOCUMENT, "step-1")
    assert refusal.value.reason == "not_encrypted"
    assert beside(consumer, name) == []


def test_the_key_stays_the_one_that_its_owner_chose(server, consumer, name):
    consumer.put("by hand", KeyId="alias/shop")
    at = connect(connection(server))
    at.promote(name, at.stage(name, DOCUMENT, "step-1"), at.current(name))
    found = consumer.get_parameter_history(Name=name)["Parameters"]
    assert [each["KeyId"] for each in found] == ["alias/shop"] * 2
