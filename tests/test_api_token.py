"""A token of ours is told from every other word by its form and its checksum, before anybody asks the ledger."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from rotator import api_token
from rotator.credential import REDACTED

TOKEN = api_token.minted().reveal()
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def test_a_token_is_known_by_its_form_and_shows_nothing_of_itself():
    made = api_token.minted()
    kept = api_token.read(made.reveal())
    assert re.fullmatch(r"rot_[0-9A-Za-z]{49}", made.reveal())
    assert kept.lookup in made.reveal()
    assert made.reveal() not in f"{made!r} {kept!r}"
    assert repr(made) == REDACTED
    assert api_token.minted() != made


@given(st.integers(4, len(TOKEN) - 1), st.sampled_from(LETTERS))
def test_one_wrong_letter_is_noticed_wherever_it_stands(place, letter):
    changed = TOKEN[:place] + letter + TOKEN[place + 1 :]
    assert (api_token.read(changed) is None) == (changed != TOKEN)


@given(st.one_of(st.text(max_size=80), st.text(LETTERS, min_size=49, max_size=49).map(lambda text: f"rot_{text}")))
def test_what_anybody_makes_up_is_no_token(text):
    assert api_token.read(text) is None


def test_what_stands_around_a_token_does_not_belong_to_it():
    for text in (f" {TOKEN}", f"{TOKEN}\n", TOKEN + "a", TOKEN.replace("rot_", "ROT_"), TOKEN[:-1]):
        assert api_token.read(text) is None


@given(st.text(), st.text())
def test_a_token_is_found_and_taken_out_wherever_it_stands(before, after):
    text = f"{before}{TOKEN}{after}"
    assert api_token.read(TOKEN) in api_token.all_in(text)
    assert api_token.redacted(text) == f"{before}{REDACTED}{after}"


def test_what_is_cut_off_before_a_token_hides_it_not():
    assert api_token.all_in(f"rot_{'0' * 46}{TOKEN}") == [api_token.read(TOKEN)]
    assert api_token.all_in(f"rot_{'0' * 49}") == []
