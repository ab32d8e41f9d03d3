"""What the rotator's role may do to the roles of a PostgreSQL server: read in its catalog, with nothing tried.

The rules are those of postgresql.org, "CREATE ROLE", "ALTER ROLE", "GRANT" and "Server Signaling Functions". From 16 on
CREATEROLE reaches only roles that one has the ADMIN option on, and gives only attributes that one has; before that it
reaches all that are neither superusers nor made for replication; a group is then granted only by who has its ADMIN
option itself or inherits it. Seen on 15 and 16. What is asked needs a right only where it was taken from PUBLIC.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rotator.families.postgres import Session
from rotator.families.postgres_twin import ATTRIBUTES, MEMBERSHIPS, OWN_RIGHTS, SETTINGS
from rotator.permissions import LOOK, Permission

Row = dict[str, Any]

_CHANGES = ("suspend", "resume", "install", "uninstall", "revoke")
_ENDS = ("end_sessions", "uninstall", "revoke")
_MAKES = ("install",)
_ADMIN_SINCE, _PARAMETERS_SINCE = 160000, 150000
_NAMED = 3
"""How many roles are named where it is not all of them."""

_OWN = """
select rolname as name, rolsuper as superuser, rolcreaterole as "CREATEROLE", rolcreatedb as "CREATEDB",
       rolreplication as "REPLICATION", rolbypassrls as "BYPASSRLS",
       current_setting('server_version_num')::int as version,
       current_setting('transaction_read_only') = 'on' as read_only,
       pg_has_role('pg_signal_backend', 'USAGE') as signals,
       has_function_privilege(to_regprocedure('pg_catalog.pg_advisory_xact_lock(bigint)'), 'EXECUTE') as locks,
       has_function_privilege(to_regprocedure('pg_catalog.pg_terminate_backend(int, bigint)'), 'EXECUTE') as ends
from pg_roles where rolname = current_user
"""
_READS = {
    "pg_authid": ("oid", "rolname", "rolcanlogin", "rolpassword", "rolvaliduntil", "rolsuper"),
    "pg_stat_activity": ("usesysid", "usename", "pid"),
    "pg_prepared_xacts": ("owner",),
    "pg_shdepend": ("refclassid", "refobjid", "deptype"),
    "pg_auth_members": (),
    "pg_db_role_setting": ("setconfig", "setdatabase", "setrole"),
    "pg_database": ("oid", "datname"),
    "pg_settings": ("name", "context"),
}
"""What is read of which table, nothing for all of it: the last five to make a second role."""
_ACTS, _TWINS = list(_READS)[:3], list(_READS)[3:]
_READABLE = """
select has_table_privilege(each.oid, 'SELECT') or coalesce(
    (select bool_and(has_column_privilege(each.oid, name, 'SELECT')) from unnest(%s::text[]) name), false) as it
from (select ('pg_catalog.' || %s)::regclass::oid) each
"""
_PASSWORDS = "select count(*)::int as found from pg_authid where rolpassword is not null and rolname = any(%s)"
_ROLES = """
select rolname as name, rolsuper as superuser, rolreplication as replication,
       pg_has_role(oid, 'MEMBER WITH ADMIN OPTION') as administered, pg_has_role(oid, 'USAGE') as used,
       {} as grants
from pg_roles r where
"""
_GRANTS = """
exists (select from pg_auth_members m where m.roleid = r.oid and m.admin_option and pg_has_role(m.member, 'USAGE'))
"""
_PARAMETERS = "select each as name, (select context from pg_settings where name = each) as context, {} as may_set "
_PARAMETERS += "from unnest(%s::text[]) each"


def permissions(session: Session, pair: tuple[str, str] | None) -> Sequence[Permission]:
    """Return what the rotator may do to the two roles of an owner, to all that may log in where none is given."""
    [own] = session.execute(_OWN).fetchall()
    reads = {table: _readable(session, table) for table in _ACTS}
    said = [
        Permission((LOOK, *_CHANGES), "SELECT on pg_authid", reads["pg_authid"]),
        Permission((LOOK, *_CHANGES, "end_sessions"), "SELECT on pg_stat_activity", reads["pg_stat_activity"]),
        Permission(_ENDS, "SELECT on pg_prepared_xacts", reads["pg_prepared_xacts"]),
        Permission(_CHANGES, "CREATEROLE", own["superuser"] or own["CREATEROLE"]),
        Permission(_CHANGES, "EXECUTE on pg_advisory_xact_lock(bigint)", bool(own["locks"])),
        Permission(_ENDS, "EXECUTE on pg_terminate_backend(integer, bigint)", bool(own["ends"])),
    ]
    if own["read_only"]:
        said.append(Permission(_CHANGES, "a server, and a session, that takes changes", False, "it is read-only"))
    wanted = "rolname = any(%s)" if pair else "rolcanlogin and rolname <> %s"
    asked = _ROLES.format("false") + wanted + " order by 1"
    roles = session.execute(asked, [list(pair) if pair else own["name"]]).fetchall()
    missing = sorted(set(pair or ()) - {role["name"] for role in roles})
    changed = ("suspend", "resume", "revoke") if len(missing) == 1 else _CHANGES
    said.append(_over(own, roles, changed, _reaching(own), _may_alter, each=pair is None))
    said.append(_over(own, roles, _ENDS, "membership in pg_signal_backend", _may_end, each=pair is None))
    if pair is None:
        each = "each role's groups, parameters and attributes, to make a second role like it"
        granted, why = (True, "") if own["superuser"] else (None, "told of one role at a time: name an owner")
        return [*said, Permission(_MAKES, each, granted, why)]
    if len(missing) == 1:
        lacking = [f"SELECT on {table}" for table in _TWINS if not _readable(session, table)]
        said += [Permission(_MAKES, each, granted=False) for each in lacking]
        said += [] if lacking else _twin(session, own, roles[0]["name"], missing[0])
    elif reads["pg_authid"] and session.execute(_PASSWORDS, [list(pair)]).fetchone() == {"found": len(pair)}:
        why = "both have one: no other is made before the one that nobody uses is revoked"
        said.append(Permission(_MAKES, f"{' or '.join(pair)} without a password", None, why))
    return said


def _readable(session: Session, table: str) -> bool:
    [told] = session.execute(_READABLE, [list(_READS[table]), table]).fetchall()
    return bool(told["it"])


def _reaching(own: Row) -> str:
    return "ADMIN option" if own["version"] >= _ADMIN_SINCE else "SUPERUSER over superusers and replication roles"


def _may_alter(own: Row, role: Row) -> str:
    """Return why this role cannot be changed, besides CREATEROLE; nothing where it can."""
    if own["name"] == role["name"]:
        return "the rotator comes in as it"
    if own["superuser"]:
        return ""
    if role["superuser"]:
        return "only a superuser changes a superuser"
    if own["version"] >= _ADMIN_SINCE:
        return "" if role["administered"] else "no ADMIN option on it"
    return "only a superuser changes a role that has REPLICATION" if role["replication"] else ""


def _may_end(own: Row, role: Row) -> str:
    if own["name"] == role["name"]:
        return "the rotator comes in as it"
    if role["superuser"] and not own["superuser"]:
        return "only a superuser ends a superuser's sessions"
    return "" if role["used"] or own["signals"] else "neither pg_signal_backend nor its own rights"


def _over(
    own: Row,
    roles: Sequence[Row],
    verbs: tuple[str, ...],
    what: str,
    refusal: Callable[[Row, Row], str],
    *,
    each: bool,
) -> Permission:
    """Put together what holds of several roles; what holds of some of them holds of nobody knows whom."""
    needs = f"{what}, for {'each role that may log in' if each else ' and '.join(role['name'] for role in roles)}"
    if not roles:
        return Permission(verbs, what, None, "there is no such role")
    refused = [f"{role['name']}: {why}" for role in roles if (why := refusal(own, role))]
    if not refused:
        return Permission(verbs, needs, granted=True)
    why = "; ".join(refused[:_NAMED]) + (f"; and {len(refused) - _NAMED} more" if len(refused) > _NAMED else "")
    if len(refused) == len(roles):
        return Permission(verbs, needs, granted=False, why=why)
    if not each:
        return Permission(verbs, needs, None, f"for one of the two alone: not for {why}")
    return Permission(verbs, needs, None, f"not for {len(refused)} of {len(roles)} roles, name an owner ({why})")


def _twin(session: Session, own: Row, first: str, second: str) -> list[Permission]:
    """Say what it takes to make the second role like the first, where it takes more than CREATEROLE."""
    like = session.execute(ATTRIBUTES, [first]).fetchone() or {}
    said = []
    rights = session.execute(OWN_RIGHTS, [like["oid"]]).fetchone()
    if rights and rights["found"]:
        why = f"{first} owns, or was itself granted, {rights['found']} things, which cannot be copied"
        said.append(Permission(_MAKES, f"a role {second}, made by hand", granted=False, why=why))
    if own["superuser"]:
        return said
    since_16 = own["version"] >= _ADMIN_SINCE
    for word in ("SUPERUSER", "CREATEDB", "REPLICATION", "BYPASSRLS"):
        if like[word] and (since_16 or word != "CREATEDB"):
            granted = since_16 and word != "SUPERUSER" and own[word]
            said.append(Permission(_MAKES, f"{word if since_16 else 'SUPERUSER'}, as {first} has {word}", granted))
    groups = [each["group"] for each in session.execute(MEMBERSHIPS, [like["oid"]]).fetchall()]
    for group in session.execute(_ROLES.format(_GRANTS) + "rolname = any(%s) order by 1", [groups]).fetchall():
        granted = not group["superuser"] and (group["grants"] or not since_16)
        needs = f"ADMIN option on {group['name']}, which {first} is a member of"
        why = "it is a superuser" if group["superuser"] else ""
        if group["administered"] and not granted:
            why = why or "it comes through a role that the rotator does not inherit"
        said.append(Permission(_MAKES, needs, granted, why))
    return said + _parameters(session, own, like["oid"])


def _parameters(session: Session, own: Row, oid: int) -> list[Permission]:
    """Say whether the settings of a role can be given to another: anybody's parameters are left out."""
    names = sorted({each["name"] for each in session.execute(SETTINGS, [oid]).fetchall()})
    may_set = "has_parameter_privilege(each, 'SET')" if own["version"] >= _PARAMETERS_SINCE else "false"
    said = []
    for each in session.execute(_PARAMETERS.format(may_set), [names]).fetchall():
        if each["context"] != "user" and not each["may_set"]:
            known = each["context"] == "superuser"
            why = "only superusers set it" if known else "no parameter of that name is shown"
            said.append(Permission(_MAKES, f"SET on parameter {each['name']}", False if known else None, why))
    return said
