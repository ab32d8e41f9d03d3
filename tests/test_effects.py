"""What a verb asks of the world is answered by each for itself."""

from __future__ import annotations

from types import SimpleNamespace

from rotator.credential import CredentialRef
from rotator.effects import perform
from rotator.flow.playbook_words import Subject, Verb
from rotator.flow.scope import ConsumerAddress
from rotator.ports.consumer import Told


def test_two_consumers_whose_shown_names_are_one_answer_for_themselves():
    addresses = tuple(ConsumerAddress("webhook", f"http://ci/reload?app={app}") for app in ("a", "b"))
    held = {addresses[0]: "old", addresses[1]: "new"}
    world = SimpleNamespace(
        provider=lambda _ref: None,
        consumer=lambda address: SimpleNamespace(holding=lambda _notice: Told("200", held[address])),
    )
    run = SimpleNamespace(
        incident="inc", ref=CredentialRef("vault_token", "vault", "ci", "old"), deliver=(), consumers=addresses
    )
    work = SimpleNamespace(run=run, minted={"replacement": "new"}, facts_of=lambda _verb: {})
    step = SimpleNamespace(verb=Verb.VERIFY, subject=Subject.CONSUMERS)
    outcome = perform(world, work, step, None)
    assert outcome.using == {"http://ci/reload": "old", "http://ci/reload (2)": "new"}
