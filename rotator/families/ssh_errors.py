"""Turn what goes wrong on the way to SSH hosts into the three errors, for one host and for many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import asyncssh

from rotator.errors import Rejected, RotatorError, Unavailable, Uncertain

_NO = (
    (asyncssh.HostKeyNotVerifiable, "host_key_not_verified", "its host key is not the one in known_hosts"),
    (asyncssh.PermissionDenied, "own_key_refused", "it refuses the rotator's own key"),
    (asyncssh.SFTPPermissionDenied, "file_permission_denied", "the account may not change the file"),
    (asyncssh.SFTPOpUnsupported, "no_atomic_rename", "its SFTP server cannot replace a file in one step"),
)
_LOST = (
    (TimeoutError, "timed_out"),
    (asyncssh.SFTPConnectionLost, "connection_lost"),
    (asyncssh.SFTPNoConnection, "connection_lost"),
    (asyncssh.DisconnectError, "connection_lost"),
    (asyncssh.ChannelOpenError, "channel_refused"),
    (ConnectionRefusedError, "connection_refused"),
    (OSError, "unreachable"),
    (UnicodeError, "unreachable"),
)


@dataclass(slots=True)
class Phase:
    """Say whether the work has begun what cannot be told apart from done when the answer is lost."""

    acting: bool = False


def translated(error: Exception, phase: Phase, host: str) -> RotatorError:
    """Return the one of the three errors that it is. What is lost while the phase is acting is Uncertain."""
    for kind, reason, detail in _NO:
        if isinstance(error, kind):
            return Rejected(reason, f"{host}: {detail}")
    for lost, reason in _LOST:
        if isinstance(error, lost):
            return (Uncertain if phase.acting else Unavailable)(reason, host)
    return Rejected("file_error", f"{host}: {type(error).__name__}")


def none_told(failed: Mapping[str, RotatorError]) -> RotatorError:
    """Return the error of a question that too many hosts left open: Unavailable, with each host's reason."""
    reasons = {error.reason for error in failed.values()}
    return Unavailable(reasons.pop() if len(reasons) == 1 else "hosts_unavailable", _each(failed))


def worst(failed: Mapping[str, RotatorError]) -> RotatorError:
    """Return the error of a change that failed at some hosts: the one that promises least."""
    for kind in (Uncertain, Rejected, Unavailable):
        mine = {host: error for host, error in failed.items() if isinstance(error, kind)}
        if mine:
            return kind(next(iter(mine.values())).reason, _each(failed))
    return Uncertain("hosts_failed", _each(failed))


def _each(failed: Mapping[str, RotatorError]) -> str:
    return ", ".join(f"{host} {error.reason}" for host, error in failed.items())
