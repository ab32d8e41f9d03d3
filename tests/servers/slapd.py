"""Run a real OpenLDAP server on a free port of 127.0.0.1, with an entry of the rotator's own."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import ldap3

from rotator.credential import Secret
from rotator.families.ldap import stored, tag_of
from rotator.practice.process import free_port, listening, running

BASE = "dc=example,dc=org"
OWN = f"cn=rotator,{BASE}"
ADMIN = f"cn=admin,{BASE}"
_CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
moduleload pw-sha2
pidfile {folder}/pid
database mdb
directory {folder}/data
suffix "{base}"
rootdn "{admin}"
rootpw {password}
maxsize 10485760
dbnosync
access to attrs=userPassword by dn.exact="{own}" write by dn.exact="cn=looker,{base}" read
 by dn.exact="cn=adder,{base}" =arscxd by dn.exact="cn=taker,{base}" =zrscxd by anonymous auth by * none
access to * by dn.exact="{own}" read by dn.regex="^cn=(looker|adder|taker),{base}$" read by * none
{policy}
"""
_POLICY = f"overlay ppolicy\nppolicy_default cn=policy,{BASE}\n"


@dataclass(frozen=True)
class Slapd:
    """A running server."""

    port: int
    folder: Path
    admin: Secret
    own: Secret

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    def bound(self, dn: str, password: Secret) -> ldap3.Connection:
        """Bind as an application would. Raises LDAPException when it is refused."""
        server = ldap3.Server("127.0.0.1", self.port, get_info=ldap3.NONE)
        return ldap3.Connection(server, dn, password.reveal(), auto_bind=True, raise_exceptions=True)

    def add(self, dn: str, classes: list[str], **attributes: object) -> None:
        with self.bound(ADMIN, self.admin) as admin:
            admin.add(dn, classes, attributes)

    def plant(self, name: str) -> tuple[str, str, Secret]:
        """Make an entry, or give it one more password; return its DN, the value's tag and the password."""
        password, dn = Secret(f"canary-{secrets.token_hex(16)}"), f"uid={name},{BASE}"
        value = stored(password, secrets.token_hex(8))
        with self.bound(ADMIN, self.admin) as admin:
            with contextlib.suppress(ldap3.core.exceptions.LDAPEntryAlreadyExistsResult):
                admin.add(dn, ["inetOrgPerson"], {"cn": name, "sn": name})
            admin.modify(dn, {"userPassword": [(ldap3.MODIFY_ADD, [value])]})
        return dn, tag_of(value), password

    def enter(self, name: str) -> tuple[str, Secret]:
        """Make an entry that the configuration gives rights of its own; return its DN and password."""
        password, dn = Secret(secrets.token_hex(20)), f"cn={name},{BASE}"
        value = stored(password, secrets.token_hex(8))
        self.add(dn, ["organizationalRole", "simpleSecurityObject"], cn=name, userPassword=value)
        return dn, password

    def told(self, dn: str) -> dict[str, object]:
        """Return all that the server keeps of an entry besides its attributes: when it was changed, and by whom."""
        with self.bound(ADMIN, self.admin) as admin:
            admin.search(dn, "(objectClass=*)", ldap3.BASE, attributes=[ldap3.ALL_OPERATIONAL_ATTRIBUTES])
            return dict(admin.response[0]["raw_attributes"])

    def values(self, dn: str) -> list[bytes]:
        with self.bound(ADMIN, self.admin) as admin:
            admin.search(dn, "(objectClass=*)", ldap3.BASE, attributes=["userPassword"])
            return list(admin.response[0]["raw_attributes"].get("userPassword", ()))


@contextlib.contextmanager
def slapd(*, policy: bool = False) -> Iterator[Slapd]:
    """Run the server until the block ends; with a `policy`, three refused binds lock an entry."""
    folder, port = Path(tempfile.mkdtemp(prefix="rotator-slapd-")), free_port()
    admin, own = Secret(secrets.token_hex(20)), Secret(secrets.token_hex(20))
    (folder / "data").mkdir()
    config = _CONFIG.format(
        folder=folder, base=BASE, admin=ADMIN, own=OWN, password=admin.reveal(), policy=_POLICY if policy else ""
    )
    (folder / "slapd.conf").write_text(config)
    command = ["/usr/sbin/slapd", "-f", str(folder / "slapd.conf"), "-h", f"ldap://127.0.0.1:{port}", "-d", "stats"]
    server = Slapd(port, folder, admin, own)
    try:
        with running(command, ready=lambda: listening(port), log=folder / "slapd.log"):
            server.add(BASE, ["dcObject", "organization"], dc="example", o="Example")
            if policy:
                rules = {"pwdAttribute": "userPassword", "pwdLockout": "TRUE", "pwdMaxFailure": "3"}
                server.add(f"cn=policy,{BASE}", ["pwdPolicy", "device"], cn="policy", **rules)
            kept = stored(own, secrets.token_hex(8))
            server.add(OWN, ["organizationalRole", "simpleSecurityObject"], cn="rotator", userPassword=kept)
            yield server
    finally:
        shutil.rmtree(folder)
