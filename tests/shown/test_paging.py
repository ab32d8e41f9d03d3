"""A page of a picture costs what it shows, however many credentials the incident has."""

from __future__ import annotations

import pytest

from rotator.flow.standing import CredentialState
from rotator.shown.picture import Picture, Sort
from rotator.shown.row import Row

MANY = 4096


def row(number: int) -> Row:
    return Row(
        run=f"inc-1.r{number}",
        incident="inc-1",
        place=0,
        provider="a kind",
        connection="aws",
        owner=f"owner-{number % 7}",
        id=f"key-{number}",
        strategy="revoke_only",
        wave=0,
        priority=float(number % 5),
        revision=1,
        state=CredentialState.PENDING,
        evidence="none",
        detected_at=1.0,
    )


@pytest.mark.parametrize("sort", [Sort.REPORT, Sort.OWNER, Sort.ID])
@pytest.mark.parametrize("descending", [False, True])
def test_no_page_makes_a_key_of_every_row(sort, descending, monkeypatch):
    picture = Picture("inc-1", 1.0, "", [row(number) for number in range(MANY)])
    assert len(picture.told) == MANY
    made, rank = [], Row.rank.fget
    monkeypatch.setattr(Row, "rank", property(lambda each: made.append(each.run) or rank(each)))
    first = picture.page(sort=sort, descending=descending, limit=10)
    second = picture.page(sort=sort, descending=descending, after=first.next, limit=10)
    assert not {each.run for each in first.rows} & {each.run for each in second.rows}
    assert len(made) < 60
