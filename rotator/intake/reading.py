"""Read any report: its format is told from its content, never from its name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO, Protocol

from rotator import api_token
from rotator.errors import BadInput
from rotator.flow.exposure import LIST, Exposure
from rotator.intake import (
    aws_credentials,
    credential_list,
    detect_secrets,
    docker_config,
    dotenv,
    ggshield,
    git_credentials,
    gitleaks,
    key_file,
    kingfisher,
    kubeconfig,
    leakkill,
    netrc,
    npmrc,
    pairs,
    pypirc,
    sarif,
    trufflehog,
)
from rotator.intake.report import Head, Report
from rotator.intake.shapes import API_TOKEN


class Format(Protocol):
    """What each module of this package that reads a format has."""

    SOURCE: str
    DESCRIPTION: str

    def claims(self, head: Head) -> bool: ...
    def exposures(self, report: Report) -> Iterator[Exposure]: ...


# The plainer a form, the later: almost any text of settings could be a .env file.
_FORMATS: tuple[Format, ...] = (
    sarif,
    kingfisher,
    trufflehog,
    gitleaks,
    ggshield,
    detect_secrets,
    leakkill,
    pairs,
    credential_list,
    aws_credentials,
    git_credentials,
    docker_config,
    kubeconfig,
    pypirc,
    npmrc,
    netrc,
    key_file,
    dotenv,
)
_WORD = re.compile(r"[\w.~+/=-]{16,}")
_PLACES_ALONE: tuple[Format, ...] = (leakkill,)


def formats() -> tuple[str, ...]:
    """Return the sources that exposures may name: what a playbook's `recognises` may ask for."""
    return tuple(dict.fromkeys(each.SOURCE for each in _FORMATS if each not in _PLACES_ALONE))


def read(name: str, stream: BinaryIO) -> Iterator[Exposure]:
    """Yield the exposures that a report names, in its order, while it is read.

    `name` is what errors call it. Raises BadInput, at once or at any later exposure: a report is to be believed only
    when it was read to its end, so collect it before you act on any of it.
    """
    report = Report(name, stream)
    for each in _FORMATS:
        if each.claims(report.head):
            return map(_ours, each.exposures(report))
    raise _unknown(report)


def _ours(found: Exposure) -> Exposure:
    """Call a token of rotator itself what it is, whatever found it: its checksum says so, and scanners ship no rule."""
    secret = found.leaked.secret
    is_ours = secret is not None and api_token.read(secret.reveal().strip()) is not None
    return replace(found, source=LIST, rule=API_TOKEN) if is_ours else found


def _unknown(report: Report) -> BadInput:
    if len(report.head.lines) == 1 and _WORD.fullmatch(report.head.lines[0].strip()):
        mend = 'if it is a secret, say of what: {"provider": KIND, "secret": WORD}, a line of JSON'
        return report.bad("this is one word, and of a form that is no one issuer's own", mend=mend)
    what = "this is no report that rotator reads"
    return report.bad(what, mend="it reads " + "; ".join(each.DESCRIPTION for each in _FORMATS))
