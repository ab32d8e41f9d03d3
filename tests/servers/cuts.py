"""Cut the connection to a server at each of the pieces that a call sends: what is then said must be true."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

from rotator.credential import CredentialRef, Secret
from rotator.errors import Unavailable, Uncertain
from rotator.ports.provider import Answer, Provider, State
from tests.fakes.tcp_proxy import Cut, tcp_proxy

PIECES = 40


def told_at_each_cut(
    port: int,
    through: Callable[[int], Provider],
    direct: Provider,
    plant: Callable[[], tuple[CredentialRef, Secret]],
    act: Callable[[Provider, CredentialRef], object],
) -> Iterator[tuple[str, State]]:
    """Yield what a call said at each cut, and what the server then knew of its subject, until no piece is left.

    Whatever became of it, the same call over a whole connection must succeed afterwards.
    """
    for cut in Cut:
        for wanted in range(1, PIECES):
            ref, secret = plant()
            numbers = count(1)
            with tcp_proxy(
                "127.0.0.1", port, lambda n=numbers, at=wanted, how=cut: how if next(n) == at else None
            ) as at:
                said, shown = "done", ""
                try:
                    act(through(at), ref)
                except (Unavailable, Uncertain) as error:
                    said = type(error).__name__
                    shown = str(error)
                pieces = next(numbers) - 1
            assert secret.reveal() not in shown
            state = direct.inspect(ref).state
            yield said, state
            act(direct, ref)
            if pieces < wanted:
                break


def assert_a_revocation_is_told_truly(
    port: int,
    through: Callable[[int], Provider],
    direct: Provider,
    plant: Callable[[], tuple[CredentialRef, Secret]],
) -> None:
    """Look that Unavailable means not done, done means done, and what was lost can be repeated."""
    gone: list[CredentialRef] = []

    def act(provider: Provider, ref: CredentialRef) -> None:
        gone.append(ref)
        provider.revoke(ref)

    seen = list(told_at_each_cut(port, through, direct, plant, act))
    assert not [state for said, state in seen if said == "Unavailable" and state is not State.ACTIVE]
    assert not [state for said, state in seen if said == "done" and state is not State.ABSENT]
    assert {said for said, _ in seen} == {"Unavailable", "Uncertain", "done"}
    assert {direct.inspect(ref).state for ref in gone} == {State.ABSENT}


def assert_a_lost_login_proves_nothing(
    port: int,
    through: Callable[[int], Provider],
    direct: Provider,
    plant: Callable[[], tuple[CredentialRef, Secret]],
) -> None:
    """Look that a knock whose answer was lost is no refusal, and no acceptance."""
    ref, secret = plant()
    answers = []

    def act(provider: Provider, _: CredentialRef) -> None:
        answers.append(provider.verify(ref, secret).answer)

    seen = list(told_at_each_cut(port, through, direct, lambda: (ref, secret), act))
    assert {said for said, _ in seen} == {"Unavailable", "done"}
    assert set(answers) == {Answer.ACCEPTED}
