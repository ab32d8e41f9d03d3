"""What a PostgreSQL server tells of what was made since: roles and memberships, where it keeps its commits' times.

No catalogue has a time. With `track_commit_timestamp` (off unless somebody switched it on) the server knows when the
transaction committed that wrote a row last, till a vacuum takes that away: postgresql.org, "Committed Transaction
Information Functions". Nobody's name is kept with a role. A membership has its grantor ("pg_auth_members"): from
version 16 on one who might grant it, so the role itself or who acted in its name.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rotator.credential import CredentialRef
from rotator.families.postgres import Session
from rotator.families.postgres_scram import tag_of
from rotator.families.server_login import tagged
from rotator.ports.listing import Made, MintedSince

_ASKED = "roles and memberships"
_REST = "what it wrote into databases, functions and triggers among it (a log of statements tells)"
_VACUUMED = "what a vacuum has taken the time of, or was made before track_commit_timestamp was on"
_UNDO = "REVOKE it, or find out who needs it"
_SHOWN = 3

_TRACKED = "select current_setting('track_commit_timestamp') = 'on' as it"
_ROLES = """
select a.rolname as name, a.rolpassword as stored, extract(epoch from pg_xact_commit_timestamp(a.xmin))::float8 as at,
       (select b.rolname from pg_roles b where a.rolname = b.rolname || '_b') as first
from pg_authid a
"""
_MEMBERSHIPS = """
select r.rolname as role, w.rolname as member, g.rolname as grantor,
       case when current_setting('track_commit_timestamp') = 'on'
            then extract(epoch from pg_xact_commit_timestamp(m.xmin))::float8 end as at
from pg_auth_members m join pg_roles r on r.oid = m.roleid join pg_roles w on w.oid = m.member
     left join pg_roles g on g.oid = m.grantor
"""


def made_since(session: Session, kind: str, ref: CredentialRef, own: Collection[str], since: float) -> MintedSince:
    """Return the roles and memberships that were written since; `own` are the roles that the exposed password is of.

    Without times it returns none, and says which memberships its role ever granted.
    """
    memberships = session.execute(_MEMBERSHIPS).fetchall()
    if not (session.execute(_TRACKED).fetchone() or {}).get("it"):
        granted = [each for each in memberships if each["grantor"] in own]
        ever = f"; ever granted by it: {_listed([_membership(each) for each in granted])}" if granted else ""
        when = f"when any was made, as track_commit_timestamp is off on this server{ever}"
        return MintedSince(_ASKED, cannot_tell=(when, _REST))
    roles = (_role(kind, each) for each in session.execute(_ROLES).fetchall() if _is_since(each, since))
    made = [each for each in roles if each.id != ref.id]
    made += [
        Made("a membership", _membership(each), each["at"], mend=_UNDO, sure=each["grantor"] in own)
        for each in memberships
        if _is_since(each, since)
    ]
    return MintedSince(_ASKED, tuple(made), cannot_tell=(_VACUUMED, _REST))


def _is_since(row: dict[str, Any], since: float) -> bool:
    return row["at"] is not None and row["at"] >= since


def _role(kind: str, row: dict[str, Any]) -> Made:
    """Return a role that was made or changed; one without a password is nobody's credential."""
    name, tag = row["name"], tag_of(row["stored"])
    if tag is None:
        return Made("a role, made or changed", name, row["at"], sure=False)
    return Made("a role, made or changed", name, row["at"], kind, row["first"] or name, tagged(name, tag), sure=False)


def _membership(row: dict[str, Any]) -> str:
    return f"{row['role']} to {row['member']}"


def _listed(found: list[str]) -> str:
    more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    return ", ".join(sorted(found)[:_SHOWN]) + more
