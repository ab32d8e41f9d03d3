"""Send to a webhook as Slack has them; Mattermost, Rocket.Chat and others take the same.

A webhook's answer is 200 with `ok`; 429 names a time in Retry-After (docs.slack.dev/messaging/sending-messages-using-
incoming-webhooks, docs.slack.dev/apis/web-api/rate-limits: one message a second). In its text & < > are markup and
are written as entities (docs.slack.dev/messaging/formatting-message-text); elsewhere a bare @ rings everybody,
and Mattermost takes Markdown's links and images, hashtags and addresses without a scheme.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx2

from rotator.credential import Secret
from rotator.errors import BadInput, Rejected, Unavailable, Uncertain
from rotator.families.punctual_network import OutOfTime, punctual
from rotator.notices.wording import Line, Worded
from rotator.ports.connection import CALL_DEADLINE_S, CONNECT_TIMEOUT_S, READ_TIMEOUT_S

_BREAK = "\N{ZERO WIDTH SPACE}"
# The bracket that begins a line is our own; a dot before a letter is what makes an address of words.
_MARKS = re.compile(r"([@*_~`#]|(?!^)\[|\](?! )|(?<=:)//|(?<=\w)\.(?=[^\W\d_]))")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_REFUSED = {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
"""What is said of the message itself, and no later try would change."""


class Slack:
    """One webhook. `address` reads it anew at each use: it is a secret, and may be rotated too."""

    def __init__(self, address: Callable[[], Secret]) -> None:
        self._address = address
        transport = httpx2.HTTPTransport(trust_env=False)
        self._network = punctual(transport)
        self._client = httpx2.Client(
            transport=transport,
            timeout=httpx2.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S, pool=CONNECT_TIMEOUT_S),
            follow_redirects=False,  # the message goes where it was meant to
            trust_env=False,
        )

    def send(self, message: Worded) -> str:
        """Post it; return what was answered. Raises one of the three errors, Rejected where it is the message's fault.

        Raises BadInput when there is no address to read.
        """
        status = self._post({"text": text_of(message), "mrkdwn": True, "unfurl_links": False, "unfurl_media": False})
        if status in _REFUSED:
            raise Rejected("message_refused", f"http {status}")
        if not httpx2.codes.is_success(status):
            raise Unavailable("webhook_refused", f"http {status}")
        return f"http {status}"

    def reach(self) -> str:
        """Ask whether it would take a message, by one without a text, which is refused. Raises as `send` does."""
        status = self._post({"text": ""})
        if status in _REFUSED or httpx2.codes.is_success(status):
            return "answers"
        raise Unavailable("webhook_refused", f"http {status}")

    def _post(self, body: dict[str, str | bool]) -> int:
        address = self._address().reveal()
        if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
            raise BadInput("what it refers to is no http or https address", "slack", "put the webhook's address there")
        self._network.end_at(time.monotonic() + CALL_DEADLINE_S)
        try:
            with self._client.stream("POST", address, json=body) as answer:
                later = answer.headers.get("Retry-After", "")
                status = answer.status_code
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):
            raise Unavailable("webhook_unreachable") from None
        except (httpx2.TimeoutException, OutOfTime):
            raise Uncertain("webhook_timed_out") from None
        except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, ValueError):
            # Their words may quote the address.
            raise Uncertain("webhook_connection_lost") from None
        if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
            raise Unavailable("webhook_says_later", f"http {status}", float(later) if later.isdecimal() else None)
        return status


def text_of(message: Worded) -> str:
    """Return a message as Slack's text."""
    return "\n".join(_line(each) for each in message.lines)


def _line(line: Line) -> str:
    text = _escaped(_MARKS.sub(rf"{_BREAK}\1{_BREAK}", line.text))
    if line.kind == "head":
        return f"*{text}*"
    command = f" `{_escaped(line.command.replace('`', ' '))}`" if line.command else ""
    return {"event": f"• {text}", "wanted": f"→ {text}{command}"}.get(line.kind, text)


def _escaped(text: str) -> str:
    return "".join(_ENTITIES.get(letter, letter) for letter in text)
