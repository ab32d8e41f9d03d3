"""What hygiene looks ahead by, on both ledgers."""

from __future__ import annotations

from rotator.credential import CredentialRef
from rotator.flow.inventory import Said
from rotator.ledger import outlook
from rotator.ledger.inventory import Inventory
from rotator.ports.listing import Discovered


def test_a_mark_is_another_one_whenever_a_list_or_an_entry_says_something_else(database):
    moments = iter(range(1, 100))
    inventory = Inventory(database, lambda: float(next(moments)))
    ref = Discovered(ref=_ref("1"))
    marks = [outlook.mark(database)]
    for change in (
        lambda: inventory.keep("aws_iam_access_key", "aws", [ref]),
        lambda: inventory.keep("aws_iam_access_key", "aws", [ref]),
        lambda: inventory.keep("aws_iam_access_key", "aws", []),
        lambda: inventory.take([Said({"owner": "ci"}, {"canary": True}, "a test")], "ann"),
        lambda: inventory.take([Said({"owner": "ci"}, {"canary": False}, "a test")], "ann"),
    ):
        change()
        marks.append(outlook.mark(database))
    assert len(set(marks)) == len(marks)


def test_what_was_replaced_is_told_of_those_alone_that_are_asked_about(house):
    company, deployment = house
    [one, other] = [company.stolen("vault_token", owner=each)[0] for each in ("ci", "web")]
    deployment.start([one])
    deployment.rest(patience_s=600)
    assert outlook.replaced(deployment.database, [one.ref, other.ref, _ref("1")], 0.0) == {one.ref}
    assert outlook.replaced(deployment.database, [other.ref], 0.0) == set()
    assert outlook.replaced(deployment.database, [one.ref], deployment.world.now() + 1.0) == set()


def _ref(name):
    return CredentialRef("aws_iam_access_key", "aws", "ci", name)
