"""A document that is read piece by piece is what was written."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as some

from rotator.ledger import documents

VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(),
    lambda each: some.lists(each, max_size=4) | some.dictionaries(some.text(), each, max_size=4),
    max_leaves=8,
)
DOCUMENTS = some.dictionaries(some.text(), VALUES, max_size=4)


@given(DOCUMENTS, some.sampled_from([None, 1]), some.sampled_from([(",", ":"), None]))
def test_what_is_read_piece_by_piece_is_what_was_written(document, indent, separators):
    text = json.dumps(document, sort_keys=True, indent=indent, separators=separators)
    assert documents.read(text) == json.loads(text) == document
