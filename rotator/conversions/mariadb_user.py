"""A password of a MariaDB account becomes logins of an hour, which the database engine of Vault or OpenBao makes.

Nobody can act as another account there: each login is an account of its own, at the same host, with every right, role,
default role, limit and demand that the old one has now. What is granted to the old one later is not given to it. The
old account stays, without this password, and what it defined runs on; CURRENT_USER() is the login's name.
What the rotator's own token needs: `families/vault_dynamic.py`; its own account at the server, SELECT on the database
`mysql`. The user that the engine enters with must have all of it WITH GRANT OPTION (roles WITH ADMIN OPTION), and
CREATE USER and CONNECTION ADMIN.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from rotator.conversions import GONE, TAKEN, Intends, Loss, Thing, refuse_losses
from rotator.credential import CredentialRef
from rotator.errors import Rejected
from rotator.families import vault_dynamic
from rotator.families.mysql import MariaDb
from rotator.families.mysql_grants import Grants, grants_of, is_there
from rotator.families.vault_dynamic import EngineRole, engine_role
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer

ASKS = vault_dynamic.ASKS
_SPLITS = re.compile(r"[;\x00-\x1f]|\{\{")
"""What ends a statement of the engine, or means something in its templates."""
_ANYWHERE = "%"


class Conversion:
    """Passwords at one server become logins that an engine hands out."""

    def __init__(self, issuer: Connection, connection: Callable[[str], Connection]) -> None:
        self._server, self._connection = MariaDb(issuer), connection

    def prepare(self, ref: CredentialRef, asked: Mapping[str, str], intends: Intends) -> Mapping[str, str]:
        """Make the role, take one login, see that it has the same rights and comes in, and is gone once revoked.

        A role that is there must be the same. Raises BadInput for what would be lost, Rejected for a role that is
        another, and where the login has other rights. A login that was not revoked for a crash ends within the hour.
        """
        name, _, host = ref.owner.rpartition("@")
        with self._server.session() as session:
            grants = grants_of(session, name, host)
        lost = "what it defines from now on (views, routines, triggers, events) is of a login that ends"
        without = refuse_losses([Loss("definer", lost)] if grants.define else [], asked)
        account = f"'{{{{name}}}}'@'{host}'"
        creates = list(grants.statements(account, "'{{password}}'"))
        if "'" in host or any(map(_splits, creates)):
            raise Rejected("unusual_name", f"make the role for {ref.owner} by hand: a name in its grants needs quoting")
        ends = [f"DROP USER IF EXISTS {account}", "KILL HARD CONNECTION USER '{{name}}'"]
        role = engine_role(self._connection(asked["through"]), asked["into"], asked["database"], creates, ends)
        if not role.is_there():
            intends([role.thing()])
            role.make()
        return {
            "made": f"{role.server}:{role.path}",
            "consumers_read": f"{role.server}:{role.creds}",
            "has_the_rights_of": ref.owner,
            "given": "; ".join(creates[1:]),
            **({"without": ", ".join(without)} if without else {}),
            **_tried(role, self._server, host, grants),
        }

    def take_away(self, thing: Thing) -> str:
        """Delete the engine's role that a preparation made. Raises Rejected for one that is another by now."""
        return TAKEN if vault_dynamic.take_away(self._connection(thing["through"]), thing) else GONE


def _splits(statement: str) -> bool:
    """Tell whether the engine would read a statement as something else than what it says."""
    return _SPLITS.search(statement.replace("{{name}}", "").replace("{{password}}", "")) is not None


def _tried(role: EngineRole, server: MariaDb, host: str, grants: Grants) -> dict[str, str]:
    """Look at a login on the server itself: an account that is for other hosts is not let in from here."""
    with role.login() as (user, password):
        with server.session() as session:
            if not is_there(session, user, host):
                raise Rejected("another_server", f"the engine's {role.body['db_name']} is another server than ours")
            if grants_of(session, user, host) != grants:
                raise Rejected("other_rights", f"a login of {role.path} has other rights than the account has")
        came_in = server.knock(user, password)
        if host == _ANYWHERE and came_in.answer is not Answer.ACCEPTED:
            raise Rejected("login_refused", came_in.reason)
    with server.session() as session:
        if is_there(session, user, host):
            raise Rejected("lives_on", "the login was revoked, and its account is there still")
    after = server.knock(user, password)
    if after.answer is Answer.ACCEPTED:
        raise Rejected("lives_on", "the login was revoked, and still comes in")
    seen = "and came in" if came_in.answer is Answer.ACCEPTED else f"it is for {host}, and was not let in from here"
    return {"tried": f"a login had the same rights; {seen}", "revoked": f"and is gone: {after.reason}"}
