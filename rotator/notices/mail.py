"""Send by mail: SMTP with STARTTLS or TLS, and a login where one is configured.

One message has one Message-ID however often it is sent (RFC 5322), and all of an incident are one thread. It says that
a machine wrote it (RFC 3834), so that no absence is announced to it.
"""

from __future__ import annotations

import contextlib
import functools
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from rotator.credential import Secret
from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.notices.wording import Line, Worded
from rotator.ports.connection import READ_TIMEOUT_S

WHOLE_S = 60.0
"""Seconds in which a mail is handed over; a server that answers drop by drop is left then."""
_CUT_AGAIN_S = 1.0
_PERMANENT = 500


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over. `security` is starttls, tls or none; `password` is read at each use."""

    host: str
    port: int
    security: str
    user: str | None
    password: Callable[[], Secret] | None
    ca_file: str | None
    sender: str
    to: tuple[str, ...]


class PartlyTold(Rejected):
    """Some recipients were told and others refused; sent again to all, the first would have it twice.

    `rest` hands it over to those alone who were refused for now (greylisting, a full mailbox), None where nobody was.
    """

    rest: Callable[[], str] | None = None


class Mail:
    """One set of recipients."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    def send(self, message: Worded) -> str:
        """Hand it over; return to how many. Raises one of the three errors, Rejected where it is the message's fault.

        Raises PartlyTold when not all recipients were taken, BadInput when there is no password to read.
        """
        return self._deliver(mail_of(message, self._server), self._server.to)

    def _deliver(self, written: EmailMessage, to: Sequence[str], lost: int = 0) -> str:
        """Hand it over to these; of the others `lost` were refused for good, and the rest have it."""
        with self._open() as (link, asked):
            asked.sends = True
            refused = link.send_message(written, self._server.sender, list(to))
        later = [each for each in to if each in refused and refused[each][0] < _PERMANENT]
        lost += sum(each in refused for each in to) - len(later)
        whole = len(self._server.to)
        if not (lost or later):
            return f"to {whole} of {whole}"
        told = f"told {whole - lost - len(later)} of {whole} recipients"
        error = PartlyTold("mail_partly_refused", ", ".join([*([_codes(refused)] if refused else []), told]))
        if later:
            error.rest = functools.partial(self._deliver, written, later, lost)
        raise error

    def reach(self) -> str:
        """Log in, and send nothing. Raises as `send` does."""
        with self._open() as (link, _):
            link.noop()
        return "answers"

    @contextlib.contextmanager
    def _open(self) -> Iterator[tuple[smtplib.SMTP, _Asked]]:
        """Give a link that is logged in, for a time; all that goes wrong becomes one of the three errors."""
        server, asked = self._server, _Asked()
        password = server.password().reveal() if server.password is not None else ""
        try:
            secure = None if server.security == "none" else ssl.create_default_context(cafile=server.ca_file)
            link = smtplib.SMTP(timeout=READ_TIMEOUT_S)
            if secure is not None and server.security == "tls":
                link = smtplib.SMTP_SSL(timeout=READ_TIMEOUT_S, context=secure)
            # As its constructor would, which connects at once: the greeting too must come in time.
            link._host = server.host  # type: ignore[attr-defined] # noqa: SLF001
            with _ended_in_time(link), _left(link):
                link.connect(server.host, server.port)
                if secure is not None and server.security == "starttls":
                    link.starttls(context=secure)
                if server.user is not None:
                    link.login(server.user, password)
                yield link, asked
        except smtplib.SMTPException as error:
            raise _in_our_words(error, asked) from None
        except ssl.SSLError:
            raise Unavailable("mail_server_not_trusted") from None
        except (OSError, ValueError) as error:
            if asked.sends and not isinstance(error, ConnectionRefusedError):
                raise Uncertain("mail_connection_lost", type(error).__name__) from None
            raise Unavailable("mail_server_unreachable", type(error).__name__) from None


@dataclass(slots=True)
class _Asked:
    """Whether the mail itself was on its way when something went wrong."""

    sends: bool = False


@contextlib.contextmanager
def _ended_in_time(link: smtplib.SMTP) -> Iterator[None]:
    """End a link that takes too long: the library's own timeout begins anew with each byte."""
    over = threading.Event()

    def cut() -> None:
        left = WHOLE_S
        while not over.wait(left):
            # Again and again: while it greets, or agrees on a cipher, the link shows no wire that could be cut.
            left = _CUT_AGAIN_S
            wire = link.sock
            if wire is not None:
                with contextlib.suppress(OSError):
                    wire.shutdown(socket.SHUT_RDWR)

    threading.Thread(target=cut, name="mail deadline", daemon=True).start()
    try:
        yield
    finally:
        over.set()


@contextlib.contextmanager
def _left(link: smtplib.SMTP) -> Iterator[None]:
    """Say goodbye at the end. What is answered to that changes nothing: a mail that was taken is taken."""
    try:
        yield
    finally:
        with contextlib.suppress(smtplib.SMTPException, OSError, ValueError):
            link.quit()
        link.close()


def _codes(refused: Mapping[str, tuple[int, bytes]]) -> str:
    return f"smtp {', '.join(map(str, sorted({code for code, _ in refused.values()})))}"


def _in_our_words(error: smtplib.SMTPException, asked: _Asked) -> Rejected | Unavailable | Uncertain:
    """Name what went wrong by its number alone: a server's words are anybody's."""
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return Uncertain("mail_connection_lost") if asked.sends else Unavailable("mail_server_unreachable")
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return Unavailable("mail_login_refused", f"smtp {error.smtp_code}")
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return Unavailable("mail_recipients_refused", _codes(error.recipients))
    if isinstance(error, smtplib.SMTPResponseException):
        # Any other refusal is about the channel: the next message would meet the same.
        is_content = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= _PERMANENT
        return (Rejected if is_content else Unavailable)("mail_refused", f"smtp {error.smtp_code}")
    return Unavailable("mail_server_lacks_something", type(error).__name__)


def mail_of(message: Worded, server: MailServer) -> EmailMessage:
    """Return a message as a mail. No text of others stands in its head."""
    domain = server.sender.rpartition("@")[2].rstrip(">")
    written = EmailMessage(policy=SMTP)
    written["From"], written["To"] = server.sender, ", ".join(server.to)
    written["Subject"] = f"rotator {message.subject}"
    written["Date"] = format_datetime(datetime.fromtimestamp(message.made_at, UTC))
    written["Message-ID"] = f"<{message.id}@{domain}>"
    written["References"] = f"<{message.about}@{domain}>"
    written["Auto-Submitted"] = "auto-generated"
    written.set_content("\n".join(_line(each) for each in message.lines) + "\n")
    return written


def _line(line: Line) -> str:
    command = f"\n      {line.command}" if line.command else ""
    return {
        "head": f"{line.text}\n",
        "event": f"  {line.text}",
        "wanted": f"\n{line.text}{command}",
        "note": f"\n{line.text}",
    }[line.kind]
