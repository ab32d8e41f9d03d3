"""The checklist by which a vendor is let in again: read as it is meant, refused where it finds nothing out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.errors import BadInput
from rotator.flow.approval import Role
from rotator.flow.checklist import CUT, DEFAULT, Asks, Gate, frozen, gates_of
from rotator.settings.file import load

REPORT = '[[vendors.gates]]\nname = "forensics"\nasks = "document"\n'
PAPERS = '[[vendors.gates]]\nname = "papers"\nasks = "attestations"\n'
YES = '[[vendors.gates]]\nname = "yes"\nasks = "approval"\n'


def checklist(folder, text):
    (folder / "rotator.toml").write_text(text)
    return load(folder / "rotator.toml").vendors.checklist


def test_without_a_checklist_there_is_a_gate_of_each_sort_and_cut_is_the_first(tmp_path):
    found = checklist(tmp_path, "")
    assert found == (CUT, *DEFAULT)
    assert [each.asks for each in found] == list(Asks)


def test_a_checklist_is_taken_as_it_is_written_behind_the_gate_that_is_always_there(tmp_path):
    text = REPORT + PAPERS + 'kinds = ["soc2"]\nfresh = true\n' + YES + 'count = 2\nrole = "admin"\n'
    assert checklist(tmp_path, text) == (
        CUT,
        Gate("forensics", Asks.DOCUMENT),
        Gate("papers", Asks.ATTESTATIONS, kinds=("soc2",), fresh=True),
        Gate("yes", Asks.APPROVAL, count=2, role=Role.ADMIN),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (PAPERS, "by attestations and a yes alone"),
        (YES, "by attestations and a yes alone"),
        (PAPERS + YES, "by attestations and a yes alone"),
        (REPORT + REPORT, "two gates are called forensics"),
        (REPORT + "count = 2\n", "`count` belongs to a gate that asks for approval"),
        (REPORT + YES + "fresh = true\n", "`fresh` belongs to a gate that asks for attestations"),
        (REPORT.replace("forensics", "cut"), "the gate `cut` is always there"),
        (REPORT.replace("document", "provenance"), "must be one of document"),
        (REPORT.replace('"document"', '"cut"'), "must be one of document"),
        (REPORT + YES + "count = 0\n", "count"),
    ],
)
def test_a_checklist_that_would_let_in_whom_nobody_looked_at_is_refused_in_one_line(tmp_path, text, says):
    with pytest.raises(BadInput) as refused:
        checklist(tmp_path, text)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


GATES = st.lists(
    st.builds(
        Gate,
        st.from_regex(r"[a-z][a-z0-9_-]{0,9}", fullmatch=True),
        st.sampled_from(Asks),
        st.lists(st.text(max_size=5), max_size=3).map(tuple),
        st.booleans(),
        st.integers(1, 5),
        st.sampled_from([Role.APPROVER, Role.ADMIN]),
    ),
    max_size=6,
).map(tuple)


@given(GATES)
def test_a_checklist_is_read_again_as_it_was_frozen(gates):
    assert gates_of(frozen(gates)) == gates
