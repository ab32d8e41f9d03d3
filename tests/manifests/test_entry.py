"""Every name that a file system allows can be told on one line, and read back as it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rotator.manifests.entry import Entry, Kind, decoded, encoded, entry_of

NAMES = st.one_of(
    st.binary(min_size=1, max_size=40),
    st.text(min_size=1, max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
)


@given(NAMES)
def test_a_name_of_any_bytes_comes_back(name):
    assert decoded(encoded(name)) == name


@given(NAMES, NAMES)
def test_two_names_are_never_written_alike(one, other):
    assert (encoded(one) == encoded(other)) == (one == other)


@given(NAMES, st.sampled_from(Kind), st.none() | st.integers(0, 2**63), NAMES)
def test_an_entry_is_one_line_that_reads_back(name, kind, size, value):
    entry = Entry(encoded(name), kind, size, encoded(value))
    assert entry.line.endswith("\n")
    assert len(entry.line.splitlines()) == 1
    assert entry_of(entry.line.removesuffix("\n")) == entry


def test_what_people_read_stays_readable():
    assert encoded("Käse, 100 %\n.txt".encode()) == "Käse, 100 %25%0A.txt"
    assert encoded(b"\xff\t") == "%FF%09"
