"""What the rotator's user may do on a Redis server: ACL DRYRUN from 7 on, its own rules before that; nothing is tried.

ACL DRYRUN answers OK, or says in words that it would be refused (redis.io, "ACL DRYRUN"; seen on 7.0). Redis 6 does not
know it; there ACL GETUSER gives the rules in the order in which they count, and ACL CAT what a category holds. Asking
needs +acl|dryrun, or +acl|getuser; what is refused to the question itself leaves an entry in ACL LOG.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from rotator.errors import Rejected
from rotator.families.redis import Session
from rotator.permissions import LOOK, Permission

Said = tuple[bool | None, str]

_CHANGES = ("install", "uninstall", "revoke")
_CONFIG = ("CONFIG", "GET", "aclfile")
_NEEDED: dict[tuple[str, ...], tuple[str, ...]] = {
    ("ACL", "LIST"): (LOOK, *_CHANGES),
    ("INFO", "replication"): (LOOK,),
    _CONFIG: (LOOK, *_CHANGES),
    ("ACL", "SETUSER", "rotator-provider-check"): _CHANGES,
    ("ACL", "SAVE"): _CHANGES,
    ("CLIENT", "KILL", "USER", "rotator-provider-check"): ("end_sessions",),
}
"""What is sent; it makes no difference about whom, since commands are allowed and not users."""
_SUBCOMMANDS = {"ACL", "CONFIG", "CLIENT"}
_NO_DRYRUN = "asking needs +acl|dryrun"
_NO_QUESTION = "asking needs +acl|getuser"


def permissions(session: Session, own: str) -> Sequence[Permission]:
    """Return which commands the rotator's user is allowed; they hold for every user of the server."""
    ask = _question(session, own)
    said = {words: ask(words) for words in _NEEDED}
    if said[_CONFIG][0] is not False:
        # Read, as before every change: it is the one that many a server has renamed, and ACL SAVE hangs on it.
        try:
            found = session.read(*_CONFIG)
        except Rejected as error:
            said[_CONFIG] = (False, error.reason)
        else:
            said[_CONFIG] = (True, "")
            if not (found and found[1]):
                del said["ACL", "SAVE"]
    return [Permission(_NEEDED[words], _rule(words), *answer) for words, answer in said.items()]


def _rule(words: Sequence[str]) -> str:
    return "+" + "|".join(words[: 2 if words[0] in _SUBCOMMANDS else 1]).lower()


def _question(session: Session, own: str) -> Callable[[Sequence[str]], Said]:
    """Return the question that this server and our rights allow."""
    try:
        session.read("ACL", "DRYRUN", own, "ACL", "WHOAMI")
    except Rejected as error:
        if error.reason not in {"permission_denied", "refused"}:
            raise
        return _by_rules(session, own, _NO_DRYRUN if error.reason == "permission_denied" else _NO_QUESTION)
    return lambda words: _tried_dry(session, own, words)


def _tried_dry(session: Session, own: str, words: Sequence[str]) -> Said:
    try:
        return session.read("ACL", "DRYRUN", own, *words) == "OK", ""
    except Rejected as error:
        if error.reason != "refused":
            raise
        return False, "the server has no such command: was it renamed?"


def _by_rules(session: Session, own: str, unasked: str) -> Callable[[Sequence[str]], Said]:
    try:
        told = session.read("ACL", "GETUSER", own)
    except Rejected as error:
        if error.reason != "permission_denied":
            raise
        return lambda _: (None, unasked)
    fields = dict(zip(told[::2], told[1::2], strict=True)) if told else {}
    if not isinstance(fields.get("commands"), str) or "selectors" in fields:
        return lambda _: (None, _NO_DRYRUN)  # from 7 on a user may have several sets of rules
    rules = fields["commands"].split()
    held = {rule[1:]: _held(session, rule[2:]) for rule in rules if rule[1:2] == "@" and rule[1:] != "@all"}
    return lambda words: _allowed(rules, held, words)


def _held(session: Session, category: str) -> Iterable[str] | None:
    """Return the commands of a category; None where that is not told."""
    try:
        return frozenset(session.read("ACL", "CAT", category))
    except Rejected:
        return None


def _allowed(rules: Iterable[str], held: Mapping[str, Iterable[str] | None], words: Sequence[str]) -> Said:
    """Apply the rules in their order, the last one that is about the command counts."""
    command, names = words[0].lower(), {"@all", words[0].lower(), _rule(words)[1:]}
    allowed: bool | None = False
    for rule in rules:
        sign, name = rule[0] == "+", rule[1:]
        commands = held.get(name, ())
        if commands is None:
            allowed = allowed if allowed is sign else None
        elif name in names or command in commands:
            allowed = sign
    return allowed, "what a category holds is told with +acl|cat" if allowed is None else ""
