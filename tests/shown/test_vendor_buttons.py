"""The forms of a vendor ask for no more than the service does."""

from __future__ import annotations

import pytest

from rotator.flow.approval import Role
from rotator.shown import vendor_buttons


def test_a_vendor_may_be_let_in_again_without_the_grants_that_were_suspended():
    button = vendor_buttons.restore("acme", {"is_open": True, "grants": ["role/feed"]}, Role.ADMIN)
    [grants] = [each for each in button.fields if each["name"] == "resume_grants"]
    assert grants.get("optional") is True


@pytest.mark.parametrize(
    ("source", "connection", "typed"),
    [
        ("/data/of us", "", "rotator manifest read '/data/of us' --to set.reading"),
        ("s3://b/x;y", "aws", "rotator manifest read 's3://b/x;y' --connection aws --to set.reading"),
        ("-", "", "find . -type f -print0 | xargs -0 sha256sum | rotator manifest read - --to set.reading"),
    ],
)
def test_what_is_typed_elsewhere_reads_the_place_that_was_recorded_and_nothing_else(source, connection, typed):
    told = {"name": "set", "source": source, "connection": connection}
    button = vendor_buttons.reading(told, "inc-9", Role.RESPONDER)
    assert button.elsewhere == typed
    assert {each["name"]: each.get("value") for each in button.fields} == {"file": None, "incident": "inc-9"}
    assert vendor_buttons.reading(told, "", Role.VIEWER).refused
