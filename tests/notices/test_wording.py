"""What a message says: every event in words that name what is wanted of whom; no secret, and nothing twice."""

from __future__ import annotations

import pytest

from rotator import api_token
from rotator.notices import slack
from rotator.notices.event import Event
from rotator.notices.phrases import FACTS, WITHHELD
from rotator.notices.wording import Happened, Letter, word
from rotator.report.plain import plain

CANARIES = {
    "a token": "ghp_canary0000000000000000000000000000000",
    "a login": "postgres://ci:canaryword@db.example/x",
    "a webhook": "https://hooks.slack.com/services/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",
    "a key": "-----BEGIN PRIVATE KEY-----\ncanarycanarycanarycanarycanarycanarycanarycanary\n-----END PRIVATE KEY-----",
}


def words(*happened, title="a laptop", attempt=1):
    told = word(Letter("msg-1", "sec", "inc-1", title, "low", "0123456789abcdef", 5.0, attempt, happened))
    return told.subject, slack.text_of(told)


@pytest.mark.parametrize("event", Event)
def test_every_event_is_told_in_words_with_a_command_to_type(event):
    subject, text = words(Happened(event, 3.0, {}))
    assert subject.startswith("[LOW] inc-1: ")
    assert "`rotator " in text
    assert "{" not in text
    assert event.value not in text.splitlines()[1] or "_" not in event.value


@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES)
@pytest.mark.parametrize("event", Event)
def test_no_material_comes_through_any_fact_of_any_event_or_its_title(event, canary):
    facts = {**dict.fromkeys([*FACTS, "secret", "nobody_knows_this"], canary), "command": f"rotator {canary}"}
    lists = {**{key: ["ann", canary] for key in FACTS}}
    for told in words(Happened(event, 3.0, facts), Happened(event, 4.0, lists), title=f"found {canary}"):
        assert "canary" not in told
    assert WITHHELD in told


@pytest.mark.parametrize(
    "secret",
    ["GITHUB_TOKEN_ghp_" + "A1b2C3d4" * 4 + "E5f6", "x-glpat-A1b2C3d4E5f6G7h8I9j0", "ghp_" + "A1b2C3d4" * 4 + "E5f6_x"],
)
def test_a_secret_that_a_name_is_joined_to_is_withheld(secret):
    assert WITHHELD in words(Happened(Event.DONE, 3.0, {}), title=f"found {secret} there")[1]


def test_what_turns_a_line_or_stands_unseen_is_shown_as_a_terminal_shows_it():
    unseen = "\x1b\x07\u202e\u2067\u061c"
    told = word(
        Letter("msg-1", "sec", "inc-1", f"a\tlap\n{unseen}top", "low", "", 5.0, 1, (Happened(Event.DONE, 3.0, {}),))
    )
    assert told.lines[0].text == f"[LOW] inc-1: a lap {plain(unseen)}top"
    assert told.lines[0].text.count("\ufffd") == len(unseen)


@pytest.mark.parametrize(
    "link", ["[sign in](evil.example/login)", "![x](evil.example/p.png)", "www.evil.example", "x]("]
)
def test_no_text_of_others_is_a_link_or_an_image_to_mattermost(link):
    text = words(Happened(Event.BREAK_GLASS, 3.0, {"by": link}), title=f"#a {link}")[1]
    assert text.startswith("*[LOW] inc-1: ")
    for living in ("](", "evil.", "www.", "#a", " [", "!["):
        assert living not in text


def test_a_message_about_many_events_says_once_what_is_wanted_and_of_what_is_counted_the_last():
    many = [Happened(Event.NEEDS_PERSON, float(each), {"asking": each}) for each in range(1, 40)]
    subject, text = words(Happened(Event.REVISED, 0.0, {"revision": 2, "added": 5000}), *many)
    assert subject == "[LOW] inc-1: it waits for a person (and 1 more)"
    assert text.splitlines()[1:] == [
        (
            "• 1970-01-01 00:00:00Z  its plan grew; what is new waits for approval, the rest goes on: "
            "revision 2; 5,000 credentials added"
        ),
        "• 1970-01-01 00:00:39Z  it waits for a person: 39 steps wait",
        (
            "→ Wanted: an approver. Look at what is new (rotator plan inc-1), then: "
            "`rotator approve inc-1 --digest 0123456789abcdef`"
        ),
        "→ Wanted: whoever is on call. What each waits for, and what to type: `rotator report inc-1`",
        "rotator, message msg-1",
    ]


def test_who_is_asked_for_the_destruction_reads_of_what_by_whom_and_the_command_of_that_plan():
    command = "rotator approve inc-1 --digest fedcba9876543210 --scope destruction"
    facts = {"scope": "destruction", "of": ["ann", "bob"], "command": command}
    _, text = words(Happened(Event.APPROVAL_WANTED, 3.0, facts))
    assert "approval is wanted: of its destruction; from ann, bob" in text
    assert f"`{command}`" in text


def test_five_hundred_events_are_one_short_message_and_one_that_was_tried_says_so():
    _, text = words(*(Happened(Event.DISMISSED, float(each), {}) for each in range(500)), attempt=2)
    assert len(text) < 3000
    assert "480 earlier events are left out here" in text
    assert text.endswith("message msg-1; tried before, so you may have it twice")


def test_a_token_of_our_own_is_withheld_whatever_stands_beside_it():
    token = api_token.minted().reveal()
    for title in (token, f"leaked:{token}", f"ROTATOR_TOKEN_{token}x"):
        for told in words(Happened(Event.DECLARED, 3.0, {"by": title}), title=title):
            assert token[4:20] not in told
            assert WITHHELD.strip("()") in told or told.startswith("[")
