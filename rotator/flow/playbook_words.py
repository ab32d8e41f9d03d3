"""The words of a playbook's steps: what is done, to what, in which order, what it waits for, what takes it back."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from enum import StrEnum


def meant(word: str, known: Iterable[str]) -> str:
    """Say which known word a mistyped one stands for, or list them all."""
    names = list(known)
    close = get_close_matches(word, names, n=1)
    return f"did you mean `{close[0]}`?" if close else f"one of {', '.join(names)}"


class Strategy(StrEnum):
    """In which order containment and replacement go."""

    CONTAIN_FIRST = "contain_first"
    REPLACE_FIRST = "replace_first"
    REVOKE_ONLY = "revoke_only"
    CUT_ONLY = "cut_only"


REPLACING = frozenset({Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST})
"""The strategies that bring users another credential."""


class Verb(StrEnum):
    """What a step does."""

    PRESERVE = "preserve"
    SUSPEND = "suspend"
    RESUME = "resume"
    END_SESSIONS = "end_sessions"
    VERIFY = "verify"
    ISSUE = "issue"
    GENERATE = "generate"
    INSTALL = "install"
    UNINSTALL = "uninstall"
    PROMOTE = "promote"
    DEMOTE = "demote"
    RELOAD = "reload"
    REVOKE = "revoke"
    COMPARE = "compare"
    WATCH = "watch"


class Subject(StrEnum):
    """What a step acts on."""

    EXPOSED = "exposed"
    REPLACEMENT = "replacement"
    CONSUMERS = "consumers"


ALLOWED: dict[Verb, frozenset[Subject]] = {
    Verb.PRESERVE: frozenset({Subject.EXPOSED}),
    Verb.SUSPEND: frozenset({Subject.EXPOSED}),
    Verb.RESUME: frozenset({Subject.EXPOSED}),
    Verb.END_SESSIONS: frozenset({Subject.EXPOSED}),
    Verb.VERIFY: frozenset({Subject.EXPOSED, Subject.REPLACEMENT, Subject.CONSUMERS}),
    Verb.ISSUE: frozenset({Subject.REPLACEMENT}),
    Verb.GENERATE: frozenset({Subject.REPLACEMENT}),
    Verb.INSTALL: frozenset({Subject.REPLACEMENT}),
    Verb.UNINSTALL: frozenset({Subject.EXPOSED, Subject.REPLACEMENT}),
    Verb.PROMOTE: frozenset({Subject.REPLACEMENT}),
    Verb.DEMOTE: frozenset({Subject.REPLACEMENT}),
    Verb.RELOAD: frozenset({Subject.CONSUMERS}),
    Verb.REVOKE: frozenset({Subject.EXPOSED, Subject.REPLACEMENT}),
}
"""What a playbook may ask for. The plan puts `compare` into every run that makes a replacement, hygiene `watch`."""


UNDO: dict[Verb, Verb] = {
    Verb.SUSPEND: Verb.RESUME,
    Verb.ISSUE: Verb.REVOKE,
    Verb.INSTALL: Verb.UNINSTALL,
    Verb.PROMOTE: Verb.DEMOTE,
}
"""What takes a step back. A verb that is not named here has no way back."""

MINTING = frozenset({Verb.ISSUE, Verb.GENERATE})
"""The verbs that make a replacement."""

BRINGING = frozenset({*MINTING, Verb.INSTALL, Verb.PROMOTE})
"""The verbs that make one, let it in or have it read."""

AT_TARGETS = frozenset({Verb.VERIFY, Verb.SUSPEND, Verb.RESUME, Verb.END_SESSIONS, Verb.INSTALL, Verb.UNINSTALL})
"""What can be done at one target alone."""

ONLY_AT_TARGETS = frozenset({Verb.UNINSTALL})
"""What nothing but a target can do; a new secret is installed at the issuer where there are no targets."""

BY_HAND = frozenset({Verb.SUSPEND, Verb.END_SESSIONS, Verb.REVOKE, Verb.VERIFY})
"""What a person can do to an exposed credential in place of a machine."""


class Expect(StrEnum):
    """What a verification must answer; none given means: record whatever it answers."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Until(StrEnum):
    """What ends a hold, beside its time."""

    CONVERGED = "converged"
    NO_LEGAL_HOLD = "no_legal_hold"
    HOST_ISOLATED = "host_isolated"


GATES = frozenset({Until.NO_LEGAL_HOLD, Until.HOST_ISOLATED})
"""What a person says of an incident, and its steps wait for."""

DESTRUCTION = "destruction "
"""How the gate of a plan's revision is called at which what it destroys waits to be approved; its digest follows."""
