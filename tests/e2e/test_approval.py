"""At 2 am a standing order contains what it covers of an alarm, two approve the rest, and one looks at it later."""

from __future__ import annotations

import http.client
import json
import secrets
import time
from urllib.parse import urlsplit

import pytest

from rotator.bootstrap import Rotator
from rotator.flow.approval import Scope
from rotator.practice.process import free_port
from rotator.practice.token_server import token_server
from rotator.settings.file import load
from tests.e2e.commands import CommandLine, at_work, until
from tests.triggers.signing import WHSEC, generic

CONFIGURATION = """
data_dir = "data"
[[triggers]]
sender = "generic"
name = "siem"
secret = "file:whsec"
[[connections]]
name = "acme"
family = "http"
kinds = ["acme_api_token"]
endpoint_url = "{address}"
credential = "file:admin"
settle_s = 0.1
[[credentials]]
match = {{owner = "ci"}}
environment = "staging"
[[credentials]]
match = {{owner = "shop"}}
environment = "production"
[approval]
approvals = 2
confirm = ["environment:production"]
[[people]]
name = "ann"
roles = ["approver"]
[[people]]
name = "bob"
roles = ["responder", "approver"]
[[people]]
name = "rex"
roles = ["responder"]
[[standing_orders]]
name = "staging-at-once"
triggers = ["generic/siem"]
environments = ["staging"]
approved_by = "bob"
expires = 2099-12-31
"""


@pytest.fixture
def acme():
    with token_server() as server:
        yield server


@pytest.fixture
def house(acme, tmp_path):
    """Return a function that gives the command line as somebody's, and what reads the ledger beside it."""
    (tmp_path / "rotator.toml").write_text(CONFIGURATION.format(address=acme.address))
    for name, secret in {"whsec": WHSEC, "admin": acme.admin.reveal()}.items():
        (tmp_path / name).write_text(secret)
        (tmp_path / name).chmod(0o600)
    parts = Rotator(load(tmp_path / "rotator.toml"))
    yield lambda who: CommandLine(tmp_path, environment={"LOGNAME": who}, is_ready=True), parts
    parts.database.close()


def sends(port, *tokens):
    """Send a signed alarm that names stolen tokens."""
    told = [{"kind": "acme_api_token", "secret": each.token.reveal(), "path": "s3://public/env"} for each in tokens]
    body = json.dumps({"title": "Tokens in a bucket", "credentials": told}).encode()
    delivery = generic(time.time(), body, f"msg_{secrets.token_hex(8)}")
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    line.request("POST", delivery.path, delivery.body, delivery.headers)
    assert line.getresponse().status == 200


def test_an_order_contains_at_once_two_approve_the_rest_and_one_reviews(acme, house):
    as_, parts = house
    staging, shop = acme.plant("ci"), acme.plant("shop")
    port = free_port()
    with at_work(as_("root").start("up", "--port", str(port))) as up:
        up.until_said("rotator is up")
        sends(port, staging, shop)
        until(lambda: staging.id not in acme.alive())
        assert acme.alive() == {shop.id}
        [listed] = parts.reading.incidents()
        incident, digest = listed.incident.id, parts.approvals.newest(listed.incident.id)
        ordered, rest = parts.reading.incident(incident).approvals
        assert ([each.said.order for each in ordered.given], rest.given) == (["staging-at-once"], ())

        approve = ("approve", incident, "--digest", digest)
        typed = ("--confirm", "revoke 1 production")
        assert 'give --confirm "revoke 1 production"' in as_("ann")(*approve).ended(4).one_line
        assert "containment wants 1 more approval by bob" in as_("ann")(*approve, *typed).ended(3).out
        assert acme.alive() == {shop.id}
        assert "approved\ndestruction wants 2 more approvals" in as_("bob")(*approve, *typed).ended(0).out
        until(lambda: acme.alive() == frozenset())

        until(lambda: parts.reading.scheduled()[0] == 2)
        for run in ("r1", "r2"):
            parts.hands.release(f"{incident}.{run}", "destroy", "ann", "the forensic copy is made")
        until(lambda: held(parts, incident) == 2)
        assert known(acme) == {staging.id, shop.id}
        for each in (ordered.revision.digest, digest):
            for who in ("ann", "bob"):
                parts.approvals.approve(incident, each, who, frozenset({Scope.DESTRUCTION}))
        until(lambda: known(acme) == set())
        until(lambda: not parts.reading.progress(incident, time.time()).busy)

        assert [each.reviews for each in parts.reading.incidents()] == [1]
        as_("ann")("review", incident, "--note", "it was right: seen in a public bucket").ended(0)
        shown = as_("ann")("report", incident).ended(0).out
    for words in ("standing order staging-at-once", "bob (approver)", "reviewed by ann: it was right"):
        assert words in shown


def test_who_declares_a_plan_leaves_it_to_another_to_begin(acme, house):
    as_, parts = house
    stolen = acme.plant("shop")
    listed = f"provider,id,owner\nacme_api_token,{stolen.id},shop\n"
    refused = as_("ann")("respond", "-", "--yes", "-q", given=listed).ended(4).one_line
    [incident] = [each.incident.id for each in parts.reading.incidents()]
    for words in (
        "ann made this plan, and four eyes are asked for",
        "by bob (ann may not: made this plan; too few: name another approver in [[people]])",
        f"they start it with: rotator approve {incident}",
    ):
        assert words in refused
    assert acme.alive() == {stolen.id}


def known(acme):
    """Return the ids of all tokens that the issuer has, suspended ones too."""
    address = urlsplit(acme.address)
    line = http.client.HTTPConnection(address.netloc, timeout=60)
    line.request("GET", "/tokens", headers={"Authorization": f"Bearer {acme.admin.reveal()}"})
    return {each["id"] for each in json.loads(line.getresponse().read())["data"]}


def held(parts, incident):
    """Count the runs that wait for their destruction to be approved."""
    return sum(each.waiting for each in parts.gates.of(incident) if each.name.startswith("destruction"))
