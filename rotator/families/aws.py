"""What every kind of AWS credential shares: clients made once, and calls under one deadline."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
import botocore.auth
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from rotator import clock
from rotator.credential import Secret
from rotator.errors import Rejected, Unavailable
from rotator.families.aws_errors import lost, refused, unreadable
from rotator.families.punctual_answers import let_botocore_end_in_time
from rotator.ports.connection import CALL_DEADLINE_S, CONNECT_TIMEOUT_S, READ_TIMEOUT_S, Connection

SETTINGS = frozenset({"region"})
"""Keys of `[[connections]]` that this family alone knows."""

AT_HOME = frozenset({"sts", "cloudtrail"})
"""Services that are asked in the partition's first region: what IAM did is logged there alone."""
POOL_SIZE = 64
"""More than the threads of one worker, so that none waits for a connection."""


@dataclass
class _Clients:
    """The clients made with one state of the rotator's own credential."""

    session: Any
    made: dict[str, Any] = field(default_factory=dict)
    caller: tuple[str, str] | None = None


class Account:
    """One AWS account, as its connection reaches it. Used by many threads, kept for the process's life."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.region = str(connection.settings.get("region") or "us-east-1")
        self._lock = threading.Lock()
        self._credential: Secret | None = None
        self._clients: _Clients | None = None

    def client(self, service: str) -> Any:
        """Return the one client of a service; a rotated credential of our own brings new ones."""
        clients = self._current()
        if (made := clients.made.get(service)) is not None:
            return made
        with self._lock:
            if service not in clients.made:
                clients.made[service] = self._make(clients.session, service)
            return clients.made[service]

    def own_id(self, exchange: Exchange) -> str:
        """Return the account that our own credential belongs to; asked once for each credential."""
        return self._caller(exchange)[0]

    def own_arn(self, exchange: Exchange) -> str:
        """Return the ARN under which our own calls are made; asked once for each credential."""
        return self._caller(exchange)[1]

    def own_key_id(self) -> str | None:
        """Return the id of the key that signs our calls, the default chain's too; AWS itself is not asked."""
        try:
            found = self._current().session.get_credentials()
            return None if found is None else str(found.get_frozen_credentials().access_key)
        except BotoCoreError as error:
            raise lost(error, changes=False) from None

    def exchange(self) -> Exchange:
        """Begin the calls of one method."""
        return Exchange(self)

    def listing(self, service: str, operation: str, part: str, **parameters: Any) -> Iterator[Any]:
        """Yield the same as `Exchange.pages`, for a list of a whole account: each page has a deadline of its own."""
        return _pages(lambda more: self.exchange().read(service, operation, **parameters, **more), part)

    def refuse_wrong(self, exchange: Exchange) -> None:
        """Keep "not found" from meaning "asked in the wrong account". Raises Rejected("not_this_account")."""
        expected = self.connection.account
        if expected is not None and (asked := self.own_id(exchange)) != expected:
            raise Rejected("not_this_account", f"our own credential is of account {asked}, not {expected}")

    def _caller(self, exchange: Exchange) -> tuple[str, str]:
        clients = self._current()
        if clients.caller is None:
            found = exchange.read("sts", "get_caller_identity")
            clients.caller = str(found["Account"]), str(found["Arn"])
        return clients.caller

    def _make(self, session: Any, service: str) -> Any:
        config = Config(
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            # The flow decides when to ask again: the library would repeat CreateAccessKey on a 500.
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=POOL_SIZE,
            user_agent_extra="rotator",
        )
        region = home_region(self.region) if service in AT_HOME else self.region
        endpoint = self.connection.endpoint_url
        try:
            client = session.client(service, region_name=region, endpoint_url=endpoint, config=config)
        except ValueError:
            raise Rejected("invalid_endpoint", f"connection {self.connection.name}: {endpoint}") from None
        except BotoCoreError as error:
            raise lost(error, changes=False) from None
        client.meta.events.register("before-parse", _refuse_a_part)
        let_botocore_end_in_time(client._endpoint.http_session)  # noqa: SLF001 - it shows it to nobody else
        return client

    def _current(self) -> _Clients:
        credential = self.connection.credential()
        with self._lock:
            if self._clients is None or credential != self._credential:
                self._clients, self._credential = _Clients(_session(credential)), credential
            return self._clients


class Exchange:
    """The calls of one provider or store method, which share its deadline."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._last_start = time.monotonic() + CALL_DEADLINE_S - CONNECT_TIMEOUT_S - READ_TIMEOUT_S

    def read(self, service: str, operation: str, /, **parameters: Any) -> Any:
        """Make a call that changes nothing: whatever is lost may be asked again."""
        return self._call(service, operation, parameters, changes=False)

    def change(self, service: str, operation: str, /, **parameters: Any) -> Any:
        """Make a call that changes something: a lost answer is Uncertain."""
        return self._call(service, operation, parameters, changes=True)

    def pages(self, service: str, operation: str, part: str, **parameters: Any) -> Iterator[Any]:
        """Yield what stands under `part` of every page of a list."""
        return _pages(lambda more: self.read(service, operation, **parameters, **more), part)

    def _call(self, service: str, operation: str, parameters: dict[str, Any], *, changes: bool) -> Any:
        if time.monotonic() > self._last_start:
            raise Unavailable("out_of_time", f"AWS is slow: {operation} was not begun")
        call = getattr(self._account.client(service), operation)
        try:
            answer = call(**parameters)
        except ClientError as error:
            raise refused(error, changes=changes) from None
        except BotoCoreError as error:
            raise lost(error, changes=changes) from None
        except Exception:  # noqa: BLE001 - botocore's parsers raise anything on a strange answer, and may quote a secret
            raise unreadable(operation, changes=changes) from None
        if not _is_numbered(answer):
            raise unreadable(operation, changes=changes)
        return _Answered(answer, changes=changes)


def _pages(read: Callable[[dict[str, str]], Any], part: str) -> Iterator[Any]:
    more: dict[str, str] = {}
    while True:
        page = read(more)
        yield from page[part]
        if page.get("NextToken"):
            more = {"NextToken": page["NextToken"]}
        elif page.get("IsTruncated"):
            more = {"Marker": page["Marker"]}
        else:
            return


def _is_numbered(answer: dict[str, Any]) -> bool:
    """Tell whether it has a number, as each answer of AWS does: botocore reads a page as a yes without parts."""
    about = answer.get("ResponseMetadata", {})
    return bool(about.get("RequestId") or about.get("HTTPHeaders", {}).get("x-amzn-requestid"))


class _Answered(dict[str, Any]):
    """An answer; a part that should be there and is not means that something else than AWS gave it."""

    def __init__(self, parts: dict[str, Any], *, changes: bool) -> None:
        super().__init__(parts)
        self._changes = changes

    def __missing__(self, part: str) -> Any:
        raise unreadable(part, changes=self._changes)


def _refuse_a_part(response_dict: dict[str, Any], **_: object) -> None:
    """Raise for an answer that was cut off: botocore takes half a list of keys for an empty one."""
    if was_cut(response_dict["headers"], response_dict["body"]):
        raise EOFError


def was_cut(headers: Mapping[str, str], body: object) -> bool:
    """Tell whether less came than the other side had announced."""
    announced = headers.get("content-length", "")
    plain = "content-encoding" not in headers and isinstance(body, bytes)
    return plain and announced.isdigit() and len(body) < int(announced)  # type: ignore[arg-type]


def _now(remove_tzinfo: bool = True) -> datetime:
    moment = datetime.fromtimestamp(clock.now(), UTC)
    return moment.replace(tzinfo=None) if remove_tzinfo else moment


# AWS refuses what is signed a quarter of an hour ago, or ahead: a wall clock that is set in the middle of an incident
# must not end it.
botocore.auth.get_current_datetime = _now


def moment(when: datetime) -> str:
    """Return a time as AWS writes it, to the second."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def home_region(region: str) -> str:
    """Return the region in which STS is asked.

    A region that the account has not opted into answers InvalidClientTokenId to every key, living ones too. The
    partitions' first regions cannot be switched off, and hold IAM's own records.
    """
    return region if region.startswith(("cn-", "us-gov-", "us-iso")) else "us-east-1"


def _session(credential: Secret | None) -> Any:
    if credential is None:
        return boto3.Session()
    try:
        fields = json.loads(credential.reveal())
        return boto3.Session(
            aws_access_key_id=fields["aws_access_key_id"],
            aws_secret_access_key=fields["aws_secret_access_key"],
            aws_session_token=fields.get("aws_session_token"),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Rejected(
            "own_credential_unreadable",
            "this connection's credential is a JSON object with aws_access_key_id and aws_secret_access_key",
        ) from None
