"""End the live sessions of several accounts at one host, each by itself, and add up what ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncssh

from rotator.families.ssh import Fleet, Work
from rotator.families.ssh_errors import Phase
from rotator.families.ssh_sessions import CUT_SESSIONS, facts
from rotator.families.ssh_settings import Host

_COUNTED = ("sessions_cut", "sessions_at_another_sshd")


def cut_sessions_of(fleet: Fleet, accounts: Sequence[str]) -> Work[Mapping[str, str]]:
    """Return the work that ends all other sessions of these accounts at a host, whichever key opened them."""

    async def cut(host: Host, phase: Phase) -> Mapping[str, str]:
        told = []
        for user in accounts:
            async with fleet.administer(host, user) as session:
                phase.acting = True
                done = await session.connection.run(CUT_SESSIONS, stdin=asyncssh.DEVNULL)
                if done.exit_status is None:
                    raise asyncssh.ConnectionLost("no answer")
                told.append(facts(str(done.stdout)))
        return {**told[0], **{each: str(sum(int(one[each]) for one in told)) for each in _COUNTED}}

    return cut
