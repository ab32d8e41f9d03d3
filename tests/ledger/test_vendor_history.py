"""What was done of vendors, on each ledger: a mark that moves with it, the newest records, the times of vendors."""

from __future__ import annotations

from rotator.flow.registry import Said, Sort
from rotator.ledger import responses, vendor_history
from rotator.ledger.vendors import Vendors


def test_the_mark_moves_with_what_is_done_and_the_newest_stands_first(database):
    vendors, marks = Vendors(database), [vendor_history.mark(database)]
    for said in (
        Said(Sort.VENDOR, "acme", {"criticality": "low"}, "v.yaml, line 1"),
        Said(Sort.VENDOR, "acme", {"criticality": "high"}, "v.yaml, line 1"),
        Said(Sort.DATASET, "logs", {"sensitivity": "low"}, "v.yaml, line 2"),
    ):
        vendors.take([said], "ana")
        marks.append(vendor_history.mark(database))
        assert vendor_history.mark(database) == marks[-1]
    assert len(set(marks)) == len(marks)
    assert [each["seq"] for each in vendor_history.newest(database, "vendor.acme", 9)] == [2, 1]
    assert [each["seq"] for each in vendor_history.newest(database, "vendor.acme", 1)] == [2]
    assert responses.of_vendors(database, 0.0, 1e12) == ([], [])
    assert responses.of_vendors(database, 0.0, 1e12, "acme") == ([], [])
