"""What the rotator may do at the hosts of a connection: asked of each host and account by itself, with nothing changed.

Files are replaced through SFTP and sessions ended by a command, both as the account that the rotator comes in by:
nothing is done through sudo. So its own standing is what is asked (`ssh_standing.py`, `ssh_sessions.py`). That takes a
shell: where the rotator's key or account has SFTP alone, nobody can tell. What an SFTP server refuses one by one
(`sftp-server -P`), or a security module at that moment, is not seen beforehand.

A host that is down leaves its own permissions open; what one refuses is refused there alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import asyncssh

from rotator.errors import Rejected, RotatorError, Unavailable
from rotator.families.ssh import Fleet, Session
from rotator.families.ssh_errors import Phase, none_told, translated
from rotator.families.ssh_files import read_keys
from rotator.families.ssh_sessions import ASK_SESSIONS, may_cut
from rotator.families.ssh_settings import Host
from rotator.families.ssh_standing import NO_SHELL, Told, may_replace, may_run
from rotator.permissions import LOOK, Permission

T = TypeVar("T")
Ask: TypeAlias = Callable[[Session], Awaitable[Told]]


@dataclass(frozen=True, slots=True)
class Replaced:
    """A file that an account reads and replaces on every host, for these verbs.

    `programs` are what the host itself checks the new one with.
    """

    user: str
    path: Callable[[Host], str]
    verbs: tuple[str, ...] = ("install", "uninstall", "revoke")
    programs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Question:
    """One thing that some verbs need of an account, and how it is asked."""

    verbs: tuple[str, ...]
    needs: str
    ask: Ask


_Answered: TypeAlias = tuple[_Question, "Told | RotatorError"]


def asked(fleet: Fleet, files: Sequence[Replaced], cut: Sequence[str]) -> list[Permission]:
    """Return what it takes to replace the files, and to end the sessions of the accounts in `cut`, on every host.

    Raises Unavailable when no host told anything.
    """

    async def at(host: Host, _: Phase) -> list[_Answered]:
        accounts = [_account(fleet, host, user, each) for user, each in _questions(host, files, cut).items()]
        return [answered for told in await asyncio.gather(*accounts) for answered in told]

    done, failed = fleet.at_each(at)
    for name, error in failed.items():
        questions = _questions(fleet.settings.host(name), files, cut).values()
        done[name] = [(question, error) for asked in questions for question in asked]
    silent = {name: error for name, answers in done.items() for _, error in answers if isinstance(error, Unavailable)}
    answered = [each for name in fleet.settings.hosts for each in done[name]]
    if all(isinstance(told, Unavailable) for _, told in answered):
        raise none_told(silent)
    return [_permission(question, told) for question, told in answered]


def _questions(host: Host, files: Sequence[Replaced], cut: Sequence[str]) -> dict[str, list[_Question]]:
    """Return what is asked of each account there."""
    asked: dict[str, list[_Question]] = {}
    for file in files:
        path, name = file.path(host), f"{file.user}@{host.name}"
        asked.setdefault(file.user, []).extend(
            [
                _Question((LOOK, *file.verbs), f"{name}: read {path}", _reading(path)),
                _Question(file.verbs, f"{name}: replace {path}", _replacing(path)),
                *(_Question(file.verbs, f"{name}: run {each}", _running(each)) for each in file.programs),
            ]
        )
    for user in cut:
        cutting = _Question(("end_sessions",), f"{user}@{host.name}: signal its sshd processes", _cutting)
        asked.setdefault(user, []).append(cutting)
    return asked


async def _account(fleet: Fleet, host: Host, user: str, questions: Sequence[_Question]) -> list[_Answered]:
    """Ask one account; one that does not let us in leaves all its questions with the same answer."""

    async def all_of_them() -> list[_Answered]:
        async with fleet.administer(host, user) as session:
            return [(each, await _or_error(each.ask(session), host)) for each in questions]

    told = await _or_error(all_of_them(), host)
    return [(each, told) for each in questions] if isinstance(told, RotatorError) else told


async def _or_error(work: Awaitable[T], host: Host) -> T | RotatorError:
    try:
        return await work
    except RotatorError as error:
        return error
    except (OSError, UnicodeError, asyncssh.Error) as error:
        return translated(error, Phase(), host.name)


def _permission(question: _Question, told: Told | RotatorError) -> Permission:
    if isinstance(told, RotatorError):
        told = (False if isinstance(told, Rejected) else None, str(told))
    return Permission(question.verbs, question.needs, *told)


def _reading(path: str) -> Ask:
    async def ask(session: Session) -> Told:
        try:
            await read_keys(session, path)
        except asyncssh.SFTPPermissionDenied:
            return False, "the account may not read it"
        return True, ""

    return ask


def _replacing(path: str) -> Ask:
    return lambda session: may_replace(session, path)


def _running(program: str) -> Ask:
    return lambda session: may_run(session, program)


async def _cutting(session: Session) -> Told:
    done = await session.connection.run(ASK_SESSIONS, stdin=asyncssh.DEVNULL)
    if done.exit_status is None:
        raise asyncssh.ConnectionLost("no answer")
    may = may_cut(str(done.stdout))
    return may, {True: "", False: "it finds none there that it may signal", None: NO_SHELL}[may]
