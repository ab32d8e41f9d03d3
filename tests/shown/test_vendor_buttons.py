"""The forms of a vendor ask for no more than the service does."""

from __future__ import annotations

from rotator.flow.approval import Role
from rotator.shown import vendor_buttons


def test_a_vendor_may_be_let_in_again_without_the_grants_that_were_suspended():
    button = vendor_buttons.restore("acme", {"is_open": True, "grants": ["role/feed"]}, Role.ADMIN)
    [grants] = [each for each in button.fields if each["name"] == "resume_grants"]
    assert grants.get("optional") is True
