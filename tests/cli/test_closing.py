"""Closing on the command line: what is open is told, a line each, and what was closed says how it is opened again."""

from __future__ import annotations


def test_what_is_open_is_told_and_nothing_is_closed_until_somebody_accepts_it(called, data_dir):
    assert data_dir
    refused = called("incident", "close", "last", "--reason", "over").ended(3)
    head, *lines = refused.err.splitlines()
    assert head.endswith("is not closed: this is open; to close it all the same: --accept-open")
    assert len(lines) == 1
    assert "AKIAQ4R7T2W9Z3K5M8N1" in lines[0]
    assert refused.out == ""
    assert (
        "is closed; 1 of it left open"
        in called("incident", "close", "last", "--reason", "a drill", "--accept-open").ended(0).out
    )
    [listed] = called("incident", "list", "-o", "json").ended(0).report
    assert (listed["state"], listed["closed_at"] is not None) == ("closed, not approved", True)
    shown = called("report", "last").ended(3).out
    assert ": a drill." in shown
    assert "NOT APPROVED" not in shown
    told = called("incident", "add", "last", "list.csv").ended(2).one_line
    assert "it is closed" in told
    assert "incident reopen" in told


def test_it_is_opened_again_and_only_once(called, data_dir):
    assert data_dir
    assert "it is not closed" in called("incident", "reopen", "last", "--reason", "more").ended(2).one_line
    called("incident", "close", "last", "--reason", "a drill", "--accept-open").ended(0)
    assert "is open again" in called("incident", "reopen", "last", "--reason", "more").ended(0).out
    assert "NOT APPROVED" in called("plan", "last").out or "nothing to approve" in called("plan", "last").out
    assert "a reason is needed" in called("incident", "close", "last", "--reason", " ").ended(2).one_line
