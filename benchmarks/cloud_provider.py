"""The simulated cloud as the engine sees it: thin, so that what is measured is the engine's work and not a client's."""

from __future__ import annotations

import http.client
import json
from collections import deque
from collections.abc import Mapping
from typing import ClassVar

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.ports.connection import READ_TIMEOUT_S
from rotator.ports.consumer import Consumer
from rotator.ports.provider import Answer, Capability, State, Status, Verdict
from rotator.ports.store import Place, Store
from rotator.world import World

KIND = "simulated_key"


class Lines:
    """Kept connections to the cloud; a thread has one for the time of a call."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._free: deque[http.client.HTTPConnection] = deque()

    def call(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """Return status and body. Raises Unavailable when it was over the limit, Uncertain when the answer was lost."""
        try:
            line = self._free.pop()
        except IndexError:
            line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=READ_TIMEOUT_S)
        try:
            line.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in (headers or {}).items():
                line.putheader(name, value)
            line.endheaders()
            answer = line.getresponse()
            status, body = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            line.close()
            raise Uncertain("no_answer", type(error).__name__) from None
        self._free.append(line)
        if status == http.HTTPStatus.TOO_MANY_REQUESTS:
            raise Unavailable("throttled", path, float(answer.headers["Retry-After"]))
        return status, body


class SimulatedKey:
    """One account of the cloud. Every method is one call."""

    family: ClassVar[str] = "http"
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    secret_field = "secret"

    def __init__(self, lines: Lines, account: str, propagation_s: float, settle_s: float) -> None:
        self.name = KIND
        self.propagation_s, self.settle_s = propagation_s, settle_s
        self.calls: Mapping[str, int] = {"preserve": 2}  # the issuer's view, and the last use
        self._lines, self._account = lines, account

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name it by its id, which tells its owner."""
        if leaked.id is None:
            raise Rejected("unreadable")
        return CredentialRef(KIND, self._account, f"owner-{leaked.id}", leaked.id)

    def inspect(self, ref: CredentialRef) -> Status:
        """Return the issuer's view."""
        return Status(State(json.loads(self._ask("GET", self._path(ref)))["state"]))

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return its last use."""
        kept: dict[str, str] = json.loads(self._ask("GET", f"{self._path(ref)}/use"))
        return kept

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return it alone: each owner has one."""
        return frozenset({ref})

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Knock with it."""
        knock = {"Key": f"{ref.id} {secret.reveal()}"}
        status, _ = self._lines.call("GET", f"/{self._account}/door", knock)
        if status == http.HTTPStatus.OK:
            return Verdict(Answer.ACCEPTED, "200")
        return Verdict(Answer.REJECTED, str(status))

    def suspend(self, ref: CredentialRef) -> None:
        """Stop it."""
        self._ask("POST", f"{self._path(ref)}/suspend")

    def resume(self, ref: CredentialRef) -> None:
        """Start it again."""
        self._ask("POST", f"{self._path(ref)}/resume")

    def revoke(self, ref: CredentialRef) -> None:
        """Delete it."""
        self._ask("DELETE", self._path(ref))

    def _path(self, ref: CredentialRef) -> str:
        return f"/{self._account}/keys/{ref.id}"

    def _ask(self, method: str, path: str) -> bytes:
        status, body = self._lines.call(method, path)
        if status != http.HTTPStatus.OK:
            raise Rejected(f"http_{status}", path)
        return body


class CloudWorld(World):
    """The engine's outside: nothing but the accounts of the cloud. No store and no consumer: nothing is replaced."""

    def __init__(self, port: int, accounts: list[str], propagation_s: float, settle_s: float) -> None:
        lines = Lines(port)
        self._providers = {each: SimulatedKey(lines, each, propagation_s, settle_s) for each in accounts}

    def provider(self, ref: CredentialRef) -> SimulatedKey:
        """Return the provider of a credential."""
        return self._providers[ref.connection]

    def provider_of(self, kind: str, connection: str) -> SimulatedKey:
        """Return the provider of an account."""
        assert kind == KIND
        return self._providers[connection]

    def store(self, place: Place) -> Store:
        """Refuse: nothing is delivered."""
        raise Rejected("no_store", str(place))

    def consumer(self, address: object) -> Consumer:
        """Refuse: nobody is told."""
        raise Rejected("no_consumer", str(address))

    def is_grant(self, kind: str) -> bool:
        """Tell that its kind has a secret."""
        assert kind == KIND
        return False

    def family(self, kind: str) -> str:
        """Return which connections serve a kind."""
        assert kind == KIND
        return SimulatedKey.family
