"""What kinds of GitHub share: how a token is asked about, how many are revoked at once, and when to come back later.

Nothing here acts as the rotator: the calls are made with the exposed token itself, or with none at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from rotator.credential import Secret
from rotator.errors import THROTTLED, BadInput, Rejected, RotatorError, Unavailable, asking
from rotator.families.http_wire import Reply, Wire
from rotator.families.own_words import heard, unreadable
from rotator.ports.abilities import ONE_OF_MANY
from rotator.ports.connection import Connection

FAMILY = "github"
SETTINGS = frozenset({"ca_file", "ssh_address"})
"""Keys of `[[connections]]` that this family alone knows."""

API = "https://api.github.com"
LATER_S = 60.0
"""How long to wait where GitHub says "too much" and names no time: at least a minute, its documentation says."""

_NO_LIMITS = "Rate limiting is not enabled"

HEADERS = {
    "Accept": "application/vnd.github+json",
    "User-Agent": "rotator",  # without one GitHub answers 403
    "X-GitHub-Api-Version": "2022-11-28",
}


class GitHub:
    """GitHub's REST interface. Safe for many threads at once."""

    def __init__(self, connection: Connection) -> None:
        self.address = (connection.endpoint_url or API).rstrip("/")
        if urlsplit(self.address).scheme not in ("http", "https") or not urlsplit(self.address).hostname:
            raise BadInput("this is no address of GitHub's API", connection.name, f"leave it out: it is {API}")
        self._wire = Wire(self.address, connection.settings.get("ca_file"))

    def knock(self, path: str, token: Secret) -> Reply:
        """Read a path as the bearer of `token`; any answer but "later" is returned. Raises Unavailable."""
        headers = {**HEADERS, "Authorization": f"Bearer {token.reveal()}"}
        with asking():
            reply = self._wire.send("GET", self.address + path, headers)
        if (later := later_of(reply)) is not None:
            raise later
        return reply

    def reach(self) -> None:
        """Ask as nobody, by a call that counts against no limit. Raises Unavailable when GitHub did not answer."""
        with asking():
            reply = self._wire.send("GET", f"{self.address}/rate_limit", HEADERS)
            if (later := later_of(reply)) is not None:
                raise later
            must_tell_limits(reply)

    def revoke(self, tokens: Sequence[Secret]) -> None:
        """Have tokens destroyed, whoever owns them, without a word of who asks: GitHub refuses whoever gives one.

        Accepted is not yet done: GitHub works it off afterwards. Raises the three errors, for all of them alike.
        """
        body = {"credentials": [token.reveal() for token in tokens]}
        reply = self._wire.send("POST", f"{self.address}/credentials/revoke", HEADERS, body)
        if reply.status != HTTPStatus.ACCEPTED:
            raise later_of(reply) or _refusal(reply, len(tokens))


def is_own(reply: Reply) -> bool:
    """Tell whether a refusal is GitHub's: each names its documentation, or the request by GitHub's number for it."""
    content = reply.content if isinstance(reply.content, dict) else {}
    named = isinstance(content.get("documentation_url"), str) or "x-github-request-id" in reply.headers
    return named and isinstance(content.get("message"), str)


def must_tell_limits(reply: Reply) -> None:
    """Raise what an answer to GET /rate_limit means that tells no limits; a server of one's own may have none."""
    content = heard(reply, own=is_own(reply)).content
    if reply.status == HTTPStatus.NOT_FOUND and message_of(reply).startswith(_NO_LIMITS):
        return
    if not reply.ok:
        raise reply.refusal()
    resources = content.get("resources") if isinstance(content, dict) else None
    if not isinstance(resources, dict) or not isinstance(resources.get("core"), dict):
        raise unreadable(reply)


def message_of(reply: Reply) -> str:
    """Return GitHub's own words, empty where there are none."""
    return str(reply.content.get("message") or "") if isinstance(reply.content, dict) else ""


def _refusal(reply: Reply, tokens: int) -> RotatorError:
    if reply.status == HTTPStatus.UNPROCESSABLE_ENTITY and tokens > 1:
        return Rejected(ONE_OF_MANY, f"http_{reply.status}")
    if reply.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return Rejected("refused", f"http_{reply.status}")  # it was sent without a credential that could be wrong
    return reply.refusal()


def later_of(reply: Reply) -> Unavailable | None:
    """Return until when a limit asks to be left alone, None where the answer is about something else.

    A 403 may be a limit or a real refusal: `x-ratelimit-remaining` at 0, `Retry-After` or its words tell a limit.
    """
    if reply.status not in {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}:
        return None
    words = message_of(reply).lower()
    named = reply.retry_after
    if named is None and reply.headers.get("x-ratelimit-remaining") == "0":
        named = _until_reset(reply)
    told = named is not None or "rate limit" in words or "login attempts" in words
    if not told and reply.status != HTTPStatus.TOO_MANY_REQUESTS:
        return None
    return Unavailable(THROTTLED, f"http_{reply.status}", LATER_S if named is None else named)


def _until_reset(reply: Reply) -> float:
    """Return the seconds until the limit's window ends, by GitHub's own clock: ours may be wrong."""
    try:
        now = parsedate_to_datetime(reply.headers["date"]).timestamp()
        return max(1.0, float(reply.headers["x-ratelimit-reset"]) - now)
    except (KeyError, ValueError, TypeError):
        return LATER_S
