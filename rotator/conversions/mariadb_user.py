"""A password of a MariaDB account becomes logins of an hour, which the database engine of Vault or OpenBao makes.

Nobody can act as another account there: each login is an account of its own, at the same host, with every right, role,
default role, limit and demand that the old one has now. What is granted to the old one later is not given to it. The
old account stays, without this password, and what it defined runs on; CURRENT_USER() is the login's name.
What the rotator's own token needs: `families/vault_dynamic.py`; its own account at the server, SELECT on the database
`mysql`. The user that the engine enters with must have all of it WITH GRANT OPTION (roles WITH ADMIN OPTION), and
CREATE USER and CONNECTION ADMIN.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from rotator.conversions import GONE, TAKEN, Loss, Notes, Thing, refuse_losses
from rotator.credential import CredentialRef, Secret
from rotator.errors import Rejected
from rotator.families import vault_dynamic
from rotator.families.mysql import MariaDb
from rotator.families.mysql_grants import Grants, grants_of, is_there, locked
from rotator.families.vault_dynamic import EngineRole, engine_role
from rotator.families.vault_trying import Trying, made_and_tried
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer

ASKS = vault_dynamic.ASKS
PASSING = frozenset(vault_dynamic.Passing)
_SPLITS = re.compile(r"[;\x00-\x1f]|\{\{")
"""What ends a statement of the engine, or means something in its templates."""
_ANYWHERE = "%"
_SHOWN = 10
"""So many letters of a role's name are in that of its logins, by the engine's own template."""


class Conversion:
    """Passwords at one server become logins that an engine hands out."""

    def __init__(self, issuer: Connection, connection: Callable[[str], Connection]) -> None:
        self._server, self._connection = MariaDb(issuer), connection

    def prepare(self, ref: CredentialRef, asked: Mapping[str, str], notes: Notes) -> Mapping[str, str]:
        """Make the role, take one login, see that it has the same rights and comes in, and is gone once revoked.

        A role that is there must be the same; who made it before may use it by now, so it is not tried again. Raises
        BadInput for what would be lost, Rejected for a role that is another, and where the login has other rights.
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
        with self._server.session() as session:
            before = json.dumps(locked(session, role.name[:_SHOWN], host))
        trying = Trying(
            lambda user, password: self._came_in(role, grants, host, user, password),
            lambda user, password: self._gone(host, user, password),
            {"host": host, "part": role.name[:_SHOWN], "before": before},
        )
        return {
            "made": f"{role.server}:{role.path}",
            "consumers_read": f"{role.server}:{role.creds}",
            "has_the_rights_of": ref.owner,
            "given": "; ".join(creates[1:]),
            **({"without": ", ".join(without)} if without else {}),
            **made_and_tried(role, notes, trying),
        }

    def take_away(self, thing: Thing) -> str:
        """Delete the engine's role that a preparation made, or end the login that tried it, and what it left.

        Raises Rejected for a role that is another by now, and for a login that the server has still.
        """
        through = self._connection(thing["through"])
        taken = vault_dynamic.take_away(through, thing, lambda user: self._has(user, thing["host"]))
        if thing.get("sort") == vault_dynamic.Passing.TRIAL and (half := self._drop_half_made(thing)):
            return f"{TAKEN}: {', '.join(half)}, which the engine had made by half"
        return TAKEN if taken else GONE

    def _drop_half_made(self, thing: Thing) -> list[str]:
        """Drop what the engine left as it was refused half way: it has no lease, and lets nobody in."""
        with self._server.session() as session:
            there = locked(session, thing["part"], thing["host"])
            half = [each for each in there if each not in json.loads(thing["before"])]
            for each in half:
                session.change("drop user if exists %s@%s", each, thing["host"])
        return half

    def _has(self, user: str, host: str) -> bool:
        with self._server.session() as session:
            return is_there(session, user, host)

    def _came_in(self, role: EngineRole, grants: Grants, host: str, user: str, password: Secret) -> str:
        """Look at a login on the server itself: an account that is for other hosts is not let in from here."""
        with self._server.session() as session:
            if not is_there(session, user, host):
                raise Rejected("another_server", f"the engine's {role.body['db_name']} is another server than ours")
            if grants_of(session, user, host) != grants:
                raise Rejected("other_rights", f"a login of {role.path} has other rights than the account has")
        came_in = self._server.knock(user, password)
        is_let_in = came_in.answer is Answer.ACCEPTED
        if host == _ANYWHERE and not is_let_in:
            raise Rejected("login_refused", came_in.reason)
        seen = "and came in" if is_let_in else f"it is for {host}, and was not let in from here"
        return f"a login had the same rights; {seen}"

    def _gone(self, host: str, user: str, password: Secret) -> str:
        if self._has(user, host):
            raise Rejected("lives_on", "the login was revoked, and its account is there still")
        after = self._server.knock(user, password)
        if after.answer is Answer.ACCEPTED:
            raise Rejected("lives_on", "the login was revoked, and still comes in")
        return f"and is gone: {after.reason}"


def _splits(statement: str) -> bool:
    """Tell whether the engine would read a statement as something else than what it says."""
    return _SPLITS.search(statement.replace("{{name}}", "").replace("{{password}}", "")) is not None
