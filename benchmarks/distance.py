"""A line of some length before a server that is near: each piece that a client sends arrives that much later.

It is a process of its own, so that it takes no time from the one that is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from rotator.practice.ministack import Ministack
from rotator.practice.process import free_port, listening, running

_PIECE = 65536


@contextlib.contextmanager
def at_distance(aws: Ministack, folder: Path, seconds: float) -> Iterator[Ministack]:
    """Yield the emulator as it is seen from where a request takes that long to arrive."""
    there, port = urlsplit(aws.endpoint_url).port, free_port()
    command = [sys.executable, "-m", "benchmarks.distance", str(port), str(there), str(seconds)]
    with running(command, log=folder / "distance.log", ready=lambda: listening(port)):
        yield replace(aws, endpoint_url=f"http://127.0.0.1:{port}")


async def _serve(port: int, there: int, seconds: float) -> None:
    async def meet(near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, onward = await asyncio.open_connection("127.0.0.1", there)
        await asyncio.gather(_carry(near, onward, seconds), _carry(far, back, 0.0))

    async with await asyncio.start_server(meet, "127.0.0.1", port) as server:
        await server.serve_forever()


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):
        while piece := await source.read(_PIECE):
            loop.call_later(seconds, sink.write, piece)
    loop.call_later(seconds, sink.close)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
