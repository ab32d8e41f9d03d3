"""Bearer tokens: the rotator's own on a connection, and what may stand in a header at all."""

from __future__ import annotations

from collections.abc import Callable

from rotator.credential import Secret, read_document
from rotator.errors import Rejected
from rotator.ports.connection import Connection

TOKEN_FIELD = "token"  # noqa: S105 - the name of a field


def own_token(connection: Connection, default: Callable[[], str | None] = lambda: None) -> Secret:
    """Return the rotator's own token, read anew: the text itself, or what the document holds that rotator delivers.

    `default` is the vendor's own way to find one where none is configured. Raises Rejected("no_credential").
    """
    own = connection.credential()
    if own is None:
        if found := default():
            return Secret(found)
        raise Rejected("no_credential", f"connection {connection.name} has no `credential`")
    if not own.reveal().lstrip().startswith("{"):
        return Secret(own.reveal().strip())
    try:
        return read_document(own, TOKEN_FIELD)[1]
    except ValueError:
        raise Rejected("no_credential", f"the document of connection {connection.name} has no token") from None


def in_header(token: Secret) -> str:
    """Return the text of a token. Raises Rejected("unreadable") for what a header cannot hold."""
    text = token.reveal()
    if not (text.isascii() and text.isprintable() and text.strip()):
        raise Rejected("unreadable", "this is no token")
    return text
