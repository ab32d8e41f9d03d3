"""Make the second of two roles that take turns, with the rights of the first: a role has only one password.

What the first owns, or was granted itself, cannot be copied by a rotation: then a person gives those rights to a group
role, or makes the second role. Where the second role exists it is taken as it is.
"""

from __future__ import annotations

from psycopg.errors import InternalError_
from psycopg.sql import SQL, Composable, Identifier, Literal

from rotator.errors import Rejected
from rotator.families.postgres import Session

ATTRIBUTES = """
select oid, rolsuper as "SUPERUSER", rolcreaterole as "CREATEROLE", rolcreatedb as "CREATEDB",
       rolreplication as "REPLICATION", rolbypassrls as "BYPASSRLS", rolinherit as "INHERIT",
       rolconnlimit, rolvaliduntil::text as rolvaliduntil
from pg_roles where rolname = %s
"""
OWN_RIGHTS = """
select count(*)::int as found from pg_shdepend
where refclassid = 'pg_authid'::regclass and refobjid = %s and deptype in ('o', 'a', 'r', 'i')
"""
# Membership has more options from version 16 on; asked for in this way, older servers answer null.
MEMBERSHIPS = """
select distinct g.rolname as "group", m.admin_option as admin,
       to_jsonb(m) ->> 'inherit_option' as inherit, to_jsonb(m) ->> 'set_option' as set
from pg_auth_members m join pg_roles g on g.oid = m.roleid where m.member = %s order by 1
"""
SETTINGS = """
select d.datname as database, split_part(each, '=', 1) as name, substr(each, strpos(each, '=') + 1) as value
from pg_db_role_setting s left join pg_database d on d.oid = s.setdatabase, unnest(s.setconfig) each
where s.setrole = %s
"""
_LISTS = {"search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries"}
"""Settings whose value is a list: written as one text they would become a list of one."""


def make_twin(session: Session, first: str, second: str, verifier: str) -> None:
    """Create `second` with what `first` may do. Raises Rejected where that would not be the same rights."""
    like = session.execute(ATTRIBUTES, [first]).fetchone()
    if like is None:
        raise Rejected("nothing_to_copy", f"the role {first} is gone, and {second} was never made")
    rights = session.execute(OWN_RIGHTS, [like["oid"]]).fetchone()
    if rights and rights["found"]:
        raise Rejected(
            "rights_of_its_own",
            f"{first} owns, or was itself granted, {rights['found']} things: give them to a role that it is a member "
            f"of, or make {second} with the same rights",
        )
    words = [word if like[word] else f"NO{word}" for word in like if word.isupper()]
    until = SQL("VALID UNTIL {}").format(Literal(like["rolvaliduntil"])) if like["rolvaliduntil"] else SQL("")
    session.execute(
        SQL("CREATE ROLE {} LOGIN {} CONNECTION LIMIT {} PASSWORD {} {}").format(
            Identifier(second), SQL(" ".join(words)), Literal(like["rolconnlimit"]), Literal(verifier), until
        )
    )
    for each in session.execute(MEMBERSHIPS, [like["oid"]]).fetchall():
        try:
            session.execute(
                SQL("GRANT {} TO {} {}").format(Identifier(each["group"]), Identifier(second), _options(each))
            )
        except InternalError_:  # "no possible grantors": nobody else knows of the new role, whom to wait for
            why = f"no role that the rotator inherits has the ADMIN option on {each['group']}"
            raise Rejected("permission_denied", why) from None
    for each in session.execute(SETTINGS, [like["oid"]]).fetchall():
        _set(session, second, each["database"], each["name"], each["value"])


def _options(membership: dict[str, object]) -> Composable:
    if membership["set"] is None:
        return SQL("WITH ADMIN OPTION" if membership["admin"] else "")
    words = {"ADMIN": membership["admin"], "INHERIT": membership["inherit"], "SET": membership["set"]}
    return SQL(
        "WITH " + ", ".join(f"{word} {'TRUE' if on in (True, 'true') else 'FALSE'}" for word, on in words.items())
    )


def _set(session: Session, role: str, database: str | None, name: str, value: str) -> None:
    where = SQL("IN DATABASE {} ").format(Identifier(database)) if database else SQL("")
    to: Composable = SQL("= {}").format(Literal(value))
    if name in _LISTS:
        session.execute("select set_config(%s, %s, true)", [name, value])
        to = SQL("FROM CURRENT")
    session.execute(SQL("ALTER ROLE {} {}SET {} {}").format(Identifier(role), where, Identifier(name), to))
