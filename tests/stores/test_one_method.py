"""All calls of one method of a store end within one deadline, however slow the other side is."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import requests

from rotator.credential import Secret
from rotator.errors import Unavailable, Uncertain
from rotator.families import one_method
from rotator.families.http_wire import Wire
from rotator.ports.connection import CALL_DEADLINE_S, Connection
from rotator.stores import github_actions_secret
from tests.fakes.github_secrets import github_secrets
from tests.stores.store_contract import opener

NEW = Secret('{"id": "new", "token": "t"}')
SLOW_S = 8.0


class Slowly:
    """A clock of the test's own, by which each call lasts; and until when each that was sent might have lasted."""

    def __init__(self) -> None:
        self.now, self.lasts_s = 0.0, SLOW_S
        self.until: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sent(self, given_s: float) -> None:
        self.until.append(self.now + given_s)
        self.now += self.lasts_s


@pytest.fixture
def slowly(monkeypatch):
    clock = Slowly()
    monkeypatch.setattr(one_method, "time", SimpleNamespace(monotonic=clock.monotonic))
    send, request = Wire.send, requests.Session.request

    def over_a_wire(self, *args, within_s, **named):
        clock.sent(within_s)
        return send(self, *args, **named)

    def by_requests(self, *args, timeout, **named):
        if isinstance(timeout, tuple):  # else it is the test itself that asks
            clock.sent(sum(timeout))
        return request(self, *args, timeout=timeout, **named)

    monkeypatch.setattr(Wire, "send", over_a_wire)
    monkeypatch.setattr(requests.Session, "request", by_requests)
    return clock


@pytest.mark.parametrize("store", ["vault_kv", "kubernetes_secret", "gitlab_variable"])
def test_a_promotion_ends_in_time_and_repeating_it_goes_on(store, slowly, tmp_path):
    with opener(store)(tmp_path) as case:
        name = case.fresh_name()
        slowly.lasts_s = 0.0
        staged = case.store.stage(name, NEW, "token")
        slowly.now, slowly.lasts_s, slowly.until = 0.0, SLOW_S, []
        with pytest.raises((Unavailable, Uncertain), match="out_of_time"):
            case.store.promote(name, staged, None)
        assert len(slowly.until) > 1
        assert max(slowly.until) <= CALL_DEADLINE_S
        slowly.lasts_s = 0.0
        assert case.store.promote(name, staged, None) == case.store.current(name)
        assert case.consumer_reads(name) is not None


def test_a_secret_that_nobody_can_read_is_written_in_time(slowly):
    with github_secrets() as fake:
        fake.repositories.add("acme/shop")
        own = Connection("gh", "github", endpoint_url=fake.address, credential=lambda: Secret(fake.own))
        assert github_actions_secret.connect(own).write("acme/shop:DEPLOY", NEW)
    assert len(slowly.until) > 1
    assert max(slowly.until) <= CALL_DEADLINE_S
