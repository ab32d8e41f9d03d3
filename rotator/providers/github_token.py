"""Tokens of people at GitHub: personal access tokens, and those that OAuth apps and GitHub Apps hold for a user.

Whoever has a token may have it revoked, a thousand in one call, for good. GitHub shows nobody a token by a name of its
own, so it is named by the SHA-256 of its text, in base64: that is how GitHub's audit logs name it (`hashed_token`).
No call makes a new one: its owner does, on the web page.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar, NoReturn

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, RotatorError
from rotator.families.github import FAMILY, GitHub, message_of
from rotator.families.github_since import added_since
from rotator.kind import Kind
from rotator.permissions import LOOK, Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import MintedSince
from rotator.ports.provider import Answer, Capability, Provider, Status, Verdict
from rotator.rest_kind import RestKind

if TYPE_CHECKING:
    from rotator.families.github_keys import GitHubKeys

SETTLE_S = 30.0
"""GitHub answers "accepted" and names no time; this is long against the moments that caches there may take."""
PROPAGATION_S = 2.0
GATHER_S = 5.0
"""Sixty calls an hour are one a minute: a few seconds for others to come along cost less than a call of their own."""

ANONYMOUS_CALLS = 60
"""What GitHub allows an hour to who shows no token that it knows."""

_WHOLE = re.compile(r"gh[pour]_[A-Za-z0-9_]{36,251}|github_pat_[A-Za-z0-9_]{82,244}")
_REFRESHES = "ghr_"
_INSTALLATION = "ghs_"


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> Provider:
    """Return the provider of GitHub's tokens."""
    return GitHubToken(connection, name)


class GitHubToken(Kind):
    """Tokens of github.com, whoever owns them."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = True
    calls: ClassVar[Mapping[str, int]] = {"verify": 0}  # what is asked there does not count
    batch_size: ClassVar[int] = 1000
    gather_s: ClassVar[float] = GATHER_S
    settle_s = SETTLE_S
    propagation_s = PROPAGATION_S
    secret_field = "token"  # noqa: S105 - the name of a field

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._github = GitHub(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the token by its hash, and its owner by asking as its bearer; a refresh token has no way to ask."""
        self._must_belong(leaked, self._github.address)
        if leaked.secret is None:
            raise Rejected("needs_secret", "GitHub knows a token by its text alone: the report must hold it")
        text = leaked.secret.reveal()
        if text.startswith(_INSTALLATION):
            raise Rejected("installation_token", "GitHub revokes none of these; it ends by itself within the hour")
        if not _WHOLE.fullmatch(text):
            raise Rejected("unreadable", "the token is truncated or malformed")
        named = hashed(leaked.secret)
        self._must_pair(leaked, named)
        owner = "" if text.startswith(_REFRESHES) else self._owner(leaked.secret)
        return self._ref_of(owner, named)

    def inspect(self, ref: CredentialRef) -> Status:
        """Raise Rejected: GitHub tells nobody how a token stands, except its bearer."""
        self._has_no_view(ref)

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Raise Rejected: GitHub lists a user's tokens to nobody."""
        self._has_no_view(ref)

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Ask as its bearer how many calls are left, which needs no right and does not count against them.

        Any other call that is refused counts as one of the sixty an hour that revoking has. Never names the id.
        """
        if hashed(secret) != ref.id:
            return Verdict(Answer.INCONCLUSIVE, "another_token", mismatch=True)
        if secret.reveal().startswith(_REFRESHES):
            return Verdict(Answer.INCONCLUSIVE, "a_refresh_token_opens_no_door")
        reply = self._github.knock("/rate_limit", secret)
        asked = reply.headers.get("x-github-request-id")
        if reply.status == HTTPStatus.UNAUTHORIZED and message_of(reply) == "Bad credentials":
            return Verdict(Answer.REJECTED, "bad_credentials", request_id=asked)
        if reply.status != HTTPStatus.OK:
            return Verdict(Answer.INCONCLUSIVE, f"http_{reply.status}", request_id=asked)
        if _allowed(reply.content) <= ANONYMOUS_CALLS:
            return Verdict(Answer.INCONCLUSIVE, "answered_as_to_anybody", request_id=asked)
        return Verdict(Answer.ACCEPTED, "rate_limit", request_id=asked)

    def revoke(self, ref: CredentialRef) -> None:
        """Raise Rejected: by a name alone GitHub revokes nothing. `revoke_all` takes the token too."""
        raise Rejected("needs_secret", f"{ref.id}: GitHub revokes a token by its text alone")

    def revoke_all(self, exposed: Sequence[tuple[CredentialRef, Secret | None]]) -> Sequence[RotatorError | None]:
        """Have all of them revoked in one call, for good. GitHub says the same to a token that it does not know."""
        answers: list[RotatorError | None] = []
        for ref, secret in exposed:
            lost = secret is None or hashed(secret) != ref.id
            answers.append(Rejected("needs_secret", "its text is not kept any more") if lost else None)
        tokens = [secret for (_, secret), refusal in zip(exposed, answers, strict=True) if secret and not refusal]
        if tokens:
            self._github.revoke(tokens)
        return answers

    def minted_since(self, ref: CredentialRef, since: float) -> MintedSince:
        """Return what its user added since, where the rotator's own token may look. See families/github_since.py."""
        if self._connection.credential() is None:
            nobody = "anything: this connection has no token of the rotator's own to look with"
            return MintedSince("nothing", cannot_tell=(nobody,))
        return added_since(self._own, ref.owner, since)

    def permissions(self, whose: str | None) -> Sequence[Permission]:  # noqa: ARG002 - the same for everybody
        """Say that nothing is needed, once GitHub has answered: a token is asked about, and revoked, by itself."""
        self._github.reach()
        return (
            Permission((LOOK,), "nothing: GET /user is asked as the token itself", granted=True),
            Permission(("revoke",), "nothing: POST /credentials/revoke takes no credential", granted=True),
        )

    @cached_property
    def _own(self) -> GitHubKeys:
        """Look as the rotator, with the library for SSH keys: tokens alone do not need it."""
        from rotator.families.github_keys import GitHubKeys  # noqa: PLC0415

        return GitHubKeys(self._connection)

    def _owner(self, token: Secret) -> str:
        reply = self._github.knock("/user", token)
        if reply.status == HTTPStatus.UNAUTHORIZED and message_of(reply) == "Bad credentials":
            raise Rejected("unknown_credential", "GitHub knows no such token")
        login = reply.content.get("login") if isinstance(reply.content, dict) else None
        if reply.ok and isinstance(login, str) and login:
            return login
        raise Rejected(f"http_{reply.status}", "GitHub does not say whose token it is")

    def _has_no_view(self, ref: CredentialRef) -> NoReturn:
        raise Rejected("no_view", f"{ref.id}: GitHub shows nobody the tokens of a user")


def hashed(token: Secret) -> str:
    """Return how GitHub's audit logs name a token."""
    return base64.b64encode(hashlib.sha256(token.reveal().encode()).digest()).decode()


def _allowed(content: object) -> int:
    """Return how many calls an hour the bearer has, 0 where the answer does not say."""
    for name in ("resources", "core", "limit"):
        content = content.get(name) if isinstance(content, dict) else None
    return content if isinstance(content, int) else 0
