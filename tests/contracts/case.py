"""What a kind of credential brings so that the provider contract can be run on it, against a real target.

Each module in `cases/` has one function, `open_case(tmp_path)`, a context manager that starts what the kind needs
and yields a `Case`. A new module is found by being there; a vendor's kind by its shape, one for people by its playbook.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.playbook_file import load_all
from rotator.ports.provider import Provider
from tests.contracts import cases
from tests.fakes.vendor_server import shape_names


class Plant(Protocol):
    """Make a new live credential through the target's own admin API, never through the provider."""

    def __call__(self, owner: str | None = None) -> tuple[CredentialRef, Secret]:
        """Return it with its material; for a fresh owner, unless told which."""
        ...


@dataclass(frozen=True)
class Case:
    """One kind of credential, ready to be tried.

    `leaked` is what a report would say of a planted credential. `garbled` truncates material the way a bad report
    does. `unreachable` is the same provider, connected to a port where nothing listens. `unknown` names a
    well-formed credential that the issuer never knew, of the given one's owner. `wrong_account` names one that
    belongs to another account, where the kind can tell. `own` is the material by which the provider itself is let in.
    `by_hand` is what a person does at the issuer where no machine can. `lists`: the issuer knows which credentials an
    owner has. `views`: it shows how one stands. `alone`: what ends one leaves the owner's others alone; where it
    cannot, it must spare other owners. `several`: an owner may have more than one.
    `session` opens one with the credential, as an application would, and returns who tells whether it still lives.
    `beside` names what an owner has besides what was planted for him. `elsewhere` is the same provider at the address
    of an HTTP server that is not its issuer; `living` are the issuer's own answers, as published, to a living
    credential that it refuses for another reason. `misplaced` is the same provider, connected to an account that is not
    the credential's and that the issuer does not let it into; `names_account`: what ends one names the account too.
    `forgets`: of what was taken out of a list the issuer keeps no trace, and calls it absent.
    `marks`: the issuer keeps the marker of what is minted. `proves`: its refusal is its own, and said to no living one.
    `narrow` is the same provider let in by a credential that may look and no more, where the issuer tells what one may.
    `makes` makes something that lasts as whoever stole it would, and returns by what the issuer's answer names it; None
    where the issuer shows nothing of that.
    """

    provider: Provider
    unreachable: Provider
    plant: Plant
    leaked: Callable[[CredentialRef, Secret], Leaked]
    garbled: Callable[[Secret], Secret]
    unknown: Callable[[CredentialRef], CredentialRef]
    wrong_account: Callable[[], CredentialRef] | None = None
    own: Secret | None = None
    by_hand: Callable[[CredentialRef], None] | None = None
    lists: bool = True
    views: bool = True
    alone: bool = True
    several: bool = True
    session: Callable[[CredentialRef, Secret], Callable[[], bool]] | None = None
    beside: Callable[[CredentialRef], frozenset[CredentialRef]] = lambda _ref: frozenset()
    elsewhere: Callable[[str], Provider] | None = None
    living: tuple[tuple[int, object], ...] = ()
    misplaced: Provider | None = None
    names_account: bool = False
    forgets: bool = False
    marks: bool = False
    proves: bool = True
    narrow: Provider | None = None
    makes: Callable[[CredentialRef, Secret], str] | None = None


OpenCase = Callable[[Path], AbstractContextManager[Case]]
BY_HAND = frozenset(name for name, playbook in load_all().items() if playbook.provider == "by_hand")


def case_names() -> list[str]:
    """Return the kinds that have a case, in order: a module, the shapes of a vendor, or people alone."""
    return sorted([*(module.name for module in pkgutil.iter_modules(cases.__path__)), *shape_names(), *BY_HAND])


def opener(name: str) -> OpenCase:
    """Return the `open_case` of one kind."""
    if name in shape_names():
        vendors = importlib.import_module("tests.contracts.vendors")
        return lambda _tmp_path: vendors.vendor_case(name)
    if name in BY_HAND:
        people = importlib.import_module("tests.contracts.by_hand")
        return lambda _tmp_path: people.by_hand_case(name)
    return importlib.import_module(f"{cases.__name__}.{name}").open_case
