"""What the rotator may do to the passwords of an LDAP entry, asked with the No-Op control; nothing is changed.

LDAP has no question for one's rights. OpenLDAP knows the No-Op control (draft-zeilenga-ldap-noop, ldapmodify(1)): all
is done to find out how a change would be answered, and nothing is changed. It is sent as critical, so that a server
that does not know it refuses; and it only ever asks to add a value that is there, and to take away one that is not:
what would change nothing anywhere. Rights are looked at before that is noticed (seen on OpenLDAP 2.5: 20 and 16 with
the right, 50 without it, 19 where a password policy refuses hashes). The control's number is OpenLDAP's own; of
another server nobody can tell.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import ldap3

from rotator.families.ldap import (
    ALREADY,
    CONSTRAINT,
    INSUFFICIENT,
    NO_SUCH_ATTRIBUTE,
    PASSWORD,
    REFERRAL,
    SALT_BYTES,
    UNKNOWN_CONTROL,
    Session,
    stored,
)
from rotator.families.server_login import new_password
from rotator.permissions import LOOK, Permission

_ADDS, _TAKES = ("install",), ("uninstall", "revoke")
_REFUSED = {
    INSUFFICIENT: "result 50",
    CONSTRAINT: "result 19: a password policy refuses it, as it does hashes with pwdCheckQuality 2",
    REFERRAL: "result 10: another server takes the changes",
}
_UNASKED = "the server does not know the No-Op control"


def permissions(session: Session, base: str, dn: str | None) -> Sequence[Permission]:
    """Return what the rotator may do to the passwords of one entry; of all, no more than whether it sees any."""
    entries = session.entries(dn, "(objectClass=*)", below=False) if dn else []
    values = entries[0].values if entries else ()
    if dn and values:
        nobodys = stored(new_password(), secrets.token_hex(SALT_BYTES))
        return [
            Permission((LOOK,), f"read {PASSWORD} of {dn}", granted=True),
            _asked(session, dn, (ldap3.MODIFY_ADD, values[0]), ALREADY, _ADDS),
            _asked(session, dn, (ldap3.MODIFY_DELETE, nobodys), NO_SUCH_ATTRIBUTE, _TAKES),
        ]
    below = f"read {PASSWORD} below {base or '``'}"
    if not session.sees_passwords(base):
        looks = Permission((LOOK,), below, granted=False, why="none is shown to us")
    elif dn:
        looks = Permission((LOOK,), f"read {PASSWORD} of {dn}", None, "it has none, or only others' are shown to us")
    else:
        looks = Permission((LOOK,), below, granted=True)
    why = "asked of a password that is shown to us" if dn else "granted for each entry: name an owner"
    return [looks, Permission((*_ADDS, *_TAKES), f"write {PASSWORD}{f' of {dn}' if dn else ''}", None, why)]


def _asked(session: Session, dn: str, change: tuple[str, bytes], harmless: int, verbs: tuple[str, ...]) -> Permission:
    needs = f"write ({'add' if change[0] == ldap3.MODIFY_ADD else 'delete'}) {PASSWORD} of {dn}"
    code = session.answer_to(dn, change)
    if code == harmless:
        return Permission(verbs, needs, granted=True)
    if code in _REFUSED:
        return Permission(verbs, needs, granted=False, why=_REFUSED[code])
    return Permission(
        verbs, needs, None, _UNASKED if code == UNKNOWN_CONTROL else f"it was answered with result {code}"
    )
