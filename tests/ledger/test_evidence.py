"""Evidence is written as RFC 8785 says, whichever way it is written."""

from __future__ import annotations

import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from rotator.ledger.evidence import canonical

texts = st.text(st.characters(exclude_categories=["Cs"]))
whole = st.integers(-(2**53) + 1, 2**53 - 1)
numbers = whole | whole.map(float) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(texts, values, max_size=4))
@example(
    {"at": 1700000000.0, "b": 1700000000.123, "c": 1e-7, "x": 2e-5, "d": -0.0, "e": 1e21, "f": 123456789012345680.0}
)
@example({"c": 1e-7})
@example({"x": 2e-5})
@example({'\x7f\x1f\u2028"\\/\b': "\x00\x7f\x85\u2028\t\n\x0b"})
@example({"\ufb33": 1, "\U0001f600": 2})
def test_every_record_is_written_canonically(record):
    assert canonical(record) == rfc8785.dumps(record).decode()
