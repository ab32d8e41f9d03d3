"""What triage leaves to a person: why, and how to mend it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rotator.credential import Leaked
from rotator.flow.exposure import Suspect, misspelt
from rotator.flow.playbook_words import meant
from rotator.flow.scope import Unresolved
from rotator.own_secrets import OwnSecret
from rotator.ports.connection import Connection

ASK_AGAIN = "nobody was told whose it is: see `rotator provider check`, then declare this report again"


def task(suspect: Suspect, reason: str, mend: str) -> Unresolved:
    return Unresolved(suspect.kind, suspect.key, suspect.exposures, reason, mend)


def unrecognised(suspect: Suspect, kinds: Collection[str]) -> Unresolved:
    """Leave to a person what no playbook answers; of one that a list misspells, say which kind was meant."""
    rules = ", ".join(sorted({f"{each.source}:{each.rule}" for each in suspect.exposures}))
    close = misspelt(suspect, kinds)
    first = f"did you mean `{close}`? If not, " if close else ""
    return task(
        suspect, f"no playbook recognises {rules}", f"{first}revoke it at its issuer, or write a playbook for it"
    )


def rotators_own(suspect: Suspect, found: Sequence[OwnSecret]) -> Unresolved:
    """Leave to a person what the rotator itself uses, and no playbook may cut: what it is, and how it gets another."""
    mends = "; ".join(dict.fromkeys(each.mend for each in found))
    return task(suspect, f"the rotator's own leaked: {', '.join(dict.fromkeys(each.what for each in found))}", mends)


def misnamed(
    suspect: Suspect, named: str, serving: Sequence[Connection], connections: Sequence[Connection]
) -> Unresolved:
    """Leave to a person what is said to be of a connection that is not there, or serves no such kind."""
    there = any(each.name == named for each in connections)
    what = f"the connection {named} serves no {suspect.kind}" if there else f"no connection is called {named}"
    return task(suspect, what, f"mend it and declare again: {meant(named, [each.name for each in serving])}")


def mend(leaked: Leaked, *, silent: bool) -> str:
    if silent:
        return ASK_AGAIN
    if leaked.id is None and leaked.secret is None:
        whose = f" of {leaked.owner}" if leaked.owner else ""
        return f"no id{whose} is known: `rotator inventory discover --save` keeps what its issuer lists; declare again"
    return "is it another account's, already dead, or cut short in the report?"
