"""A ledger whose every use is a part of one transaction: all that is written is kept together, or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from sqlalchemy import Connection

from rotator.ledger.database import Database
from rotator.ledger.group_commit import Answer


class OneTransaction(Database):
    """Stand for the ledger inside a transaction that somebody else has begun and will end."""

    def __init__(self, connection: Connection) -> None:  # no pool of its own
        self._connection, self.sqlite = connection, connection.dialect.name == "sqlite"

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """Give the connection. What raises here must reach who began the transaction: he takes all of it back."""
        yield self._connection

    def commit(self, work: Callable[[Connection], Answer]) -> Answer:
        """Do the work; it is durable once the whole is."""
        return work(self._connection)

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Give the connection, which sees what was written before in the same transaction."""
        yield self._connection
