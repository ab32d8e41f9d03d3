"""What the rotator's account may do on a MariaDB server: its own SHOW GRANTS, and one reading; nothing is tried.

SHOW GRANTS tells what was given to the account, to the roles that are on and to PUBLIC; anybody may ask it. Its lines
hold the hash of the rotator's own password: nothing but the names of privileges is taken from them.
Seen on MariaDB 10.11: ALTER USER is content with UPDATE on `mysql`; KILL without the right to it closes nothing *and
says nothing*; a read-only server refuses ALTER USER to SUPER too. Not confirmed: what SUPER is good for from 11.0 on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rotator.errors import Rejected
from rotator.families.mysql import Session
from rotator.permissions import LOOK, Permission

_READS = "select User, Host, Priv from mysql.global_priv limit 0"
_CHANGES = ("install", "uninstall", "revoke")
_LINE = re.compile(r"""GRANT ([A-Z_ ,]+) ON (\*|`(?:[^`]|``)*`|"(?:[^"]|"")*"|\w+)\.\* TO """)
"""A name stands in the quotes that the server's sql_mode and sql_quote_show_create give it."""
_VALIDATORS = """
select group_concat(plugin_name) as named from information_schema.plugins
where plugin_type = 'PASSWORD VALIDATION' and plugin_status = 'ACTIVE' and @@global.strict_password_validation
"""
_EVERYTHING = "ALL PRIVILEGES"
_SUPER_CLOSES_BEFORE = (11, 0)


def permissions(session: Session) -> Sequence[Permission]:
    """Return what the rotator may do; privileges are of the whole server, and hold for every account."""
    found = _granted(session)
    said = [
        Permission((LOOK, *_CHANGES), "SELECT on mysql.global_priv", _may_read(session)),
        _may_change(found),
        _may_close(session, found),
    ]
    [asked] = session.read("select @@global.read_only as server, @@session.tx_read_only as ours")
    if _on(asked["ours"]):
        said.append(Permission(_CHANGES, "a session that takes changes", granted=False, why="tx_read_only is on"))
    [strict] = session.read(_VALIDATORS)
    if strict["named"]:
        why = f"strict_password_validation is on beside {strict['named']}, and hashes are all that is sent"
        said.append(Permission(_CHANGES, "a server that takes a password's hash", granted=False, why=why))
    if _on(asked["server"]):
        exempt = _has(found.get("*", set()), "READ ONLY ADMIN")
        said.append(Permission(_CHANGES, "READ ONLY ADMIN on *.*", exempt, "" if exempt else "the server is read-only"))
    return said


def _on(value: object) -> bool:
    return str(value).upper() not in {"0", "OFF"}


def closes_nobody(session: Session) -> bool:
    """Tell whether it is certain that the rotator's KILL closes nothing but its own: the server does not say so."""
    return _may_close(session, _granted(session)).granted is False


def _may_read(session: Session) -> bool:
    try:
        session.read(_READS)
    except Rejected as error:
        if error.reason != "permission_denied":
            raise
        return False
    return True


def _may_change(found: dict[str, set[str]]) -> Permission:
    needs = "CREATE USER on *.*"
    if _has(found.get("*", set()), "CREATE USER", "UPDATE") or _has(found.get("mysql", set()), "UPDATE"):
        return Permission(_CHANGES, needs, granted=True)
    # Which of several names with % and _, or a backslash before a letter, holds for `mysql` is the server's secret.
    patterns = [name for name, words in found.items() if re.search(r"[%_\\]", name) and _has(words, "UPDATE")]
    why = f"UPDATE on `{patterns[0]}` does as well, if that means mysql" if patterns else ""
    return Permission(_CHANGES, needs, None if patterns else False, why)


def _may_close(session: Session, found: dict[str, set[str]]) -> Permission:
    verbs, needs, words = ("end_sessions",), "CONNECTION ADMIN on *.*", found.get("*", set())
    if _has(words, "CONNECTION ADMIN"):
        return Permission(verbs, needs, granted=True)
    if "SUPER" not in words:
        return Permission(verbs, needs, granted=False)
    [asked] = session.read("select version() as it")
    numbers = re.match(r"(\d+)\.(\d+)", asked["it"])
    if numbers and (int(numbers[1]), int(numbers[2])) < _SUPER_CLOSES_BEFORE:
        return Permission(verbs, needs, granted=True, why="SUPER does as well on this version")
    return Permission(verbs, needs, None, "SUPER may not do from 11.0 on")


def _has(words: set[str], *any_of: str) -> bool:
    return bool(words & {*any_of, _EVERYTHING})


def _granted(session: Session) -> dict[str, set[str]]:
    """Return the privileges by what they are on: `*`, or the name of a database as it was written."""
    found: dict[str, set[str]] = {}
    for row in session.read("show grants"):
        line = _LINE.match(str(next(iter(row.values()))))
        if line:
            words = {word.strip().replace("_", " ") for word in line[1].split(",")}
            found.setdefault(line[2].strip('`"'), set()).update(words)
    return found
