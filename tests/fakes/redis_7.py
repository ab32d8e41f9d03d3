"""A fake of how Redis 7 answers ACL DRYRUN, in the words of 7.0.15, for which there is no server to install.

It knows the questions about permissions and nothing else, and runs no command.
"""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Collection, Iterator
from typing import BinaryIO, cast


@contextlib.contextmanager
def redis_7(allowed: Collection[str], *, renamed: Collection[str] = ()) -> Iterator[str]:
    """Run it for one user, who is allowed these commands (`acl|list`); return its address."""

    class Answers(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while words := _words(cast("BinaryIO", self.rfile)):
                self.wfile.write(_answer(words, allowed, renamed))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answers) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"redis://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def _words(stream: BinaryIO) -> list[str]:
    count = int(stream.readline()[1:] or 0)
    return [stream.read(int(stream.readline()[1:]) + 2)[:-2].decode() for _ in range(count)]


def _answer(words: list[str], allowed: Collection[str], renamed: Collection[str]) -> bytes:
    name = _name(words)
    if name == "auth":
        return b"+OK\r\n"
    if name not in allowed:
        return f"-NOPERM this user has no permissions to run the '{name}' command\r\n".encode()
    if name == "config|get":
        return b"*2\r\n$7\r\naclfile\r\n$9\r\nusers.acl\r\n"
    if name != "acl|dryrun":
        return b"-ERR not a question of this fake\r\n"
    asked = _name(words[3:])
    if asked in renamed:
        return f"-ERR Command '{words[3]}' not found\r\n".encode()
    if asked in allowed:
        return b"+OK\r\n"
    said = f"This user has no permissions to run the '{asked}' command"
    return f"${len(said)}\r\n{said}\r\n".encode()


def _name(words: list[str]) -> str:
    return "|".join(words[: 2 if words[0] in {"ACL", "CONFIG", "CLIENT"} else 1]).lower()
