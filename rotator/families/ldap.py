"""What speaks to an LDAP directory as the rotator, tries a bind, and reads what stands in `userPassword`.

A value is `{SSHA}` or one of its kin: base64 of a hash and its salt (openldap.org, "Password Storage"). The salt names
one value of an entry; where there is none, the first of a hash of the whole value does.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPException, LDAPSocketOpenError

from rotator.credential import Secret
from rotator.errors import BadInput, Rejected, RotatorError, Unavailable, Uncertain
from rotator.families import server_login
from rotator.families.server_login import cut_off, own_login, read_address
from rotator.ports.connection import CALL_DEADLINE_S, CONNECT_TIMEOUT_S, READ_TIMEOUT_S, Connection
from rotator.ports.provider import Answer, Verdict

SETTINGS = server_login.SETTINGS | {"base"}
"""Keys of `[[connections]]` that this family knows."""

FAMILY = "ldap"
SALT_BYTES = 16
PASSWORD = "userPassword"  # noqa: S105 - the name of an attribute
LOCKED_SINCE = "pwdAccountLockedTime"
TOLD = (LOCKED_SINCE, "pwdChangedTime", "pwdFailureTime", "pwdLastSuccess", "authTimestamp", "createTimestamp")
"""Operational attributes that say how an entry stands, where an overlay keeps them."""

SUCCESS, SIZE_LIMIT, NO_SUCH_ATTRIBUTE, CONSTRAINT, ALREADY, NO_SUCH_OBJECT = 0, 4, 16, 19, 20, 32
REFERRAL, UNKNOWN_CONTROL, INSUFFICIENT, SCHEMA = 10, 12, 50, 65
_INVALID_CREDENTIALS = 49
_NO_OP = "1.3.6.1.4.1.4203.666.5.2"
_LATER = {51: "busy", 52: "unavailable"}
_PORT, _PAGE, _TAG = 389, 500, 8
_HASHES = {"SSHA": "sha1", "SSHA256": "sha256", "SSHA384": "sha384", "SSHA512": "sha512", "SMD5": "md5"}
_HASHES |= {"SHA": "sha1", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512", "MD5": "md5"}
_DC = re.compile(r"dc=[^,]+", re.IGNORECASE)
_VALUE = re.compile(rb"\{([A-Za-z0-9]+)\}(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry that has passwords. `values` are as they are stored, and never shown."""

    dn: str
    values: tuple[bytes, ...] = field(repr=False)
    told: Mapping[str, str]


class Session:
    """A bound connection."""

    def __init__(self, wire: Any) -> None:
        self._wire = wire

    def entries(self, base: str, wanted: str, *, below: bool = True) -> list[Entry]:
        """Return the entries that match a filter. Raises Rejected or Unavailable."""
        try:
            self._wire.extend.standard.paged_search(
                base,
                wanted,
                search_scope=ldap3.SUBTREE if below else ldap3.BASE,
                attributes=[PASSWORD, *TOLD],
                paged_size=_PAGE,
                generator=False,
            )
        except (LDAPException, OSError) as error:
            raise unanswered(error, Unavailable) from None
        if self._wire.result["result"] == NO_SUCH_OBJECT:
            return []
        if self._wire.result["result"] != SUCCESS:
            raise refused(self._wire.result["result"])
        return [_entry(each) for each in self._wire.response if each.get("type") == "searchResEntry"]

    def sees_passwords(self, base: str) -> bool:
        """Tell whether any password below the base is shown to the rotator. Raises Rejected or Unavailable."""
        try:
            self._wire.search(base, f"({PASSWORD}=*)", attributes=[ldap3.NO_ATTRIBUTES], size_limit=1)
        except (LDAPException, OSError) as error:
            raise unanswered(error, Unavailable) from None
        if self._wire.result["result"] not in (SUCCESS, SIZE_LIMIT, NO_SUCH_OBJECT):
            raise refused(self._wire.result["result"])
        return any(each.get("type") == "searchResEntry" for each in self._wire.response or ())

    def answer_to(self, dn: str, change: tuple[str, bytes]) -> int:
        """Return the code that a change would get, with the No-Op control, and change nothing. Raises Unavailable."""
        try:
            self._wire.modify(dn, {PASSWORD: [(change[0], [change[1]])]}, controls=[(_NO_OP, True, None)])
        except (LDAPException, OSError) as error:
            raise unanswered(error, Unavailable) from None
        except KeyError as unknown:  # the library stumbles over a code that it has no name for
            return int(unknown.args[0])
        return int(self._wire.result["result"])

    def modify(self, dn: str, *changes: tuple[str, bytes]) -> int:
        """Change the entry's passwords, all or nothing; return the code. Raises Uncertain when the answer was lost."""
        try:
            self._wire.modify(dn, {PASSWORD: [(how, [value]) for how, value in changes]})
        except (LDAPException, OSError) as error:
            raise unanswered(error, Uncertain) from None
        return int(self._wire.result["result"])


class Directory:
    """Reach one server. Safe for many threads at once: each call has a connection of its own."""

    def __init__(self, connection: Connection) -> None:
        self.address = read_address(connection, {"ldaps": True, "ldap": False}, _PORT)
        base = connection.settings.get("base")
        if base is not None and not isinstance(base, str):
            raise BadInput("`base` is not a name", f"connection {connection.name}", 'base = "dc=example,dc=org"')
        self.base = base or ",".join(_DC.findall(str(connection.settings.get("user", ""))))
        self._connection = connection

    def own(self) -> tuple[str, Secret]:
        """Return the rotator's own name and password. Raises Rejected("no_credential")."""
        own = own_login(self._connection)
        if own.name is None or not own.password:
            raise Rejected("no_credential", f"connection {self._connection.name} names no `user`, or an empty password")
        return own.name, own.password

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        """Let the rotator in. Raises Unavailable or Rejected("own_credential_refused")."""
        with self._bound(*self.own()) as (code, wire):
            if code == _INVALID_CREDENTIALS:
                raise Rejected("own_credential_refused", f"of connection {self._connection.name}")
            if code != SUCCESS:
                raise refused(code)
            yield Session(wire)

    def knock(self, dn: str, password: Secret) -> Verdict:
        """Bind, and do nothing more. An empty password is not sent: a server may let anybody in with it."""
        if not password:
            return Verdict(Answer.INCONCLUSIVE, "empty_password")
        with self._bound(dn, password) as (code, _):
            if code == SUCCESS:
                return Verdict(Answer.ACCEPTED, "bound")
            if code == _INVALID_CREDENTIALS:
                return Verdict(Answer.REJECTED, "invalid_credentials")
            if code in _LATER:
                raise refused(code)
            return Verdict(Answer.INCONCLUSIVE, f"result_{code}")

    @contextlib.contextmanager
    def _bound(self, dn: str, password: Secret) -> Iterator[tuple[int, Any]]:
        tls = ldap3.Tls(validate=2, ca_certs_file=self.address.ca_file) if self.address.tls else None
        server = ldap3.Server(
            self.address.host,
            self.address.port,
            use_ssl=tls is not None,
            tls=tls,
            connect_timeout=CONNECT_TIMEOUT_S,
            get_info=ldap3.NONE,
        )
        wire = ldap3.Connection(
            server, dn, password.reveal(), receive_timeout=int(READ_TIMEOUT_S), auto_referrals=False, check_names=False
        )
        try:
            wire.open(read_server_info=False)
        except (LDAPException, OSError) as error:
            raise unanswered(error, Unavailable) from None
        try:
            with cut_off(wire.socket.fileno(), CALL_DEADLINE_S - CONNECT_TIMEOUT_S):
                try:
                    wire.bind(read_server_info=False)
                except (LDAPException, OSError) as error:
                    raise unanswered(error, Unavailable) from None
                yield int(wire.result["result"]), wire
        finally:
            with contextlib.suppress(LDAPException, OSError):
                wire.unbind()


def unanswered(error: Exception, lost: type[RotatorError]) -> RotatorError:
    """Return our error for an exchange that brought no answer; the library's may hold what was sent."""
    if isinstance(error, LDAPSocketOpenError):
        return Unavailable("unreachable", type(error).__name__)
    if isinstance(error, LDAPException) and type(error).__name__.startswith("LDAPInvalid"):
        return Rejected("not_a_name", type(error).__name__)
    return lost("connection_lost", type(error).__name__)


def refused(code: int) -> RotatorError:
    """Put a result that is no success into our words."""
    if code in _LATER:
        return Unavailable(_LATER[code], f"result {code}")
    if code == INSUFFICIENT:
        return Rejected("permission_denied", f"result {code}")
    return Rejected("too_many_entries" if code == SIZE_LIMIT else f"result_{code}", "")


def stored(password: Secret, tag: str) -> bytes:
    """Return the value that the entry shall get. Raises ValueError when the tag is no salt."""
    salt = bytes.fromhex(tag)
    digest = hashlib.sha1(password.reveal().encode() + salt, usedforsecurity=False).digest()
    return b"{SSHA}" + b64encode(digest + salt)


def tag_of(value: bytes) -> str:
    """Name a stored value."""
    _, _, salt = _parts(value)
    return salt.hex() if salt else hashlib.sha256(value).hexdigest()[:_TAG]


def is_of(value: bytes, password: Secret) -> bool:
    """Tell whether this is what is stored of that password; False for a form that is not known here."""
    name, digest, salt = _parts(value)
    text = password.reveal().encode()
    if name is None:
        return _VALUE.fullmatch(value) is None and hmac.compare_digest(value, text)
    return hmac.compare_digest(hashlib.new(name, text + salt, usedforsecurity=False).digest(), digest)


def _parts(value: bytes) -> tuple[str | None, bytes, bytes]:
    """Return the hash's name, the hash and its salt; no name where the form is another."""
    found = _VALUE.fullmatch(value)
    name = _HASHES.get(found[1].decode().upper()) if found else None
    if found is None or name is None:
        return None, b"", b""
    try:
        content = b64decode(found[2])
    except NotBase64:
        return None, b"", b""
    size = hashlib.new(name, usedforsecurity=False).digest_size
    return name, content[:size], content[size:]


def _entry(found: Mapping[str, Any]) -> Entry:
    raw = found["raw_attributes"]
    told = {name: raw[name][0].decode() for name in TOLD if raw.get(name)}
    if raw.get("pwdFailureTime"):
        told["pwdFailureTime"] = f"{len(raw['pwdFailureTime'])} refused logins"
    return Entry(str(found["dn"]), tuple(raw.get(PASSWORD) or ()), told)
