"""AWS Health's events about exposed access keys, as EventBridge hands them to an SNS topic, and that to us.

Signed with RSA over a text made of the message's fields, SHA-1 (version 1) or SHA-256 (version 2), by the certificate
at `SigningCertURL`. Source: AWS Docs, "Verifying the signatures of Amazon SNS messages", "HTTP/HTTPS subscription
confirmation JSON format", "AWS Health events Amazon EventBridge schema". SNS tries for an hour at most ("Amazon SNS
message delivery retries"). The codes beside AWS_RISK_CREDENTIALS_EXPOSED were seen in use.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.x509 import load_pem_x509_certificate

from rotator.credential import Leaked
from rotator.flow.exposure import Exposure
from rotator.flow.incident import Severity
from rotator.intake.fields import aws_key_id, mapping
from rotator.triggers.message import (
    Confirm,
    Ignored,
    Missing,
    Received,
    Refused,
    Told,
    Trigger,
    Trust,
    document,
    in_time,
    moment,
    objects,
    text,
)

SOURCE = "aws_health"
KINDS = {"access_key": "aws_iam_access_key", "session": "aws_sts_session"}
CONTENT_TYPES: tuple[str, ...] = ("application/json", "text/plain")
_SNS = r"https://sns\.(?:cn-[a-z]{4,10}-[0-9]{1,2}\.amazonaws\.com\.cn|[a-z]{2}(?:-[a-z]{2,10}){1,2}-[0-9]{1,2}\.amazonaws\.com)"
"""Of a region. A bucket called `sns` has an address of its owner's, such as `sns.s3-us-west-2.amazonaws.com`."""
_CERTIFICATE = r"/SimpleNotificationService-[0-9a-f]{32,64}\.pem"
_CONFIRM = r"/[A-Za-z0-9?&=%:._~-]*"
_PEM = re.compile(rb"\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*")
_LATE_S = 3600.0 + 300.0
_OF = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_OF["UnsubscribeConfirmation"] = _OF["SubscriptionConfirmation"]
_HASHES: Mapping[str, type[HashAlgorithm]] = {"1": SHA1, "2": SHA256}


def key_wanted(request: Received, trust: Trust) -> str:
    """Return where the certificate stands that is said to have signed it.

    Raises Refused where that is no address of SNS, or the message is of a topic that was not configured.
    """
    told = mapping(document(request.body))
    if text(told, "Type") not in _OF or not told.get("Signature"):
        raise Refused("unsigned", "this is no signed message of SNS (leave raw message delivery off)")
    if told.get("TopicArn") != trust.topic:
        raise Refused("other_topic", "not the topic that is configured")
    url = told.get("SigningCertURL")
    if not isinstance(url, str) or not _of_sns(url, _CERTIFICATE, trust):
        raise Refused("unknown_key", "its certificate is not at an address of SNS")
    return url


def certificate_in(answer: bytes) -> bytes:
    """Return what stands at the address, if it is a certificate and nothing else. Raises Refused for anything else."""
    try:
        if _PEM.fullmatch(answer):
            load_pem_x509_certificate(answer)
            return answer
    except (ValueError, UnsupportedAlgorithm):
        pass
    raise Refused("unknown_key", "no certificate stands there")


def verify(request: Received, trust: Trust, now: float) -> None:
    """Raise Refused unless the certificate that it names has signed it, and it is not of long ago."""
    certificate = trust.public.get(key_wanted(request, trust))
    if certificate is None:
        raise Refused("unknown_key", "its certificate is not there")
    told = mapping(document(request.body))
    algorithm = _HASHES.get(text(told, "SignatureVersion"))
    if algorithm is None:
        raise Refused("wrong_signature", "a version that is not known")
    try:
        found = load_pem_x509_certificate(certificate_in(certificate))
        key, signature = found.public_key(), base64.b64decode(str(told["Signature"]), validate=True)
    except (ValueError, UnsupportedAlgorithm, binascii.Error):
        raise Refused("wrong_signature") from None
    if not isinstance(key, RSAPublicKey):
        raise Refused("unknown_key", "its certificate is of another sort")
    if not found.not_valid_before_utc <= datetime.fromtimestamp(now, UTC) <= found.not_valid_after_utc:
        raise Refused("unknown_key", "its certificate is not valid now")
    try:
        key.verify(signature, _signed(told), PKCS1v15(), algorithm())
    except InvalidSignature:
        raise Refused("wrong_signature") from None
    in_time(moment(told.get("Timestamp")), now, past_s=_LATE_S)
    if told["Type"] == "SubscriptionConfirmation" and not _of_sns(str(told.get("SubscribeURL")), _CONFIRM, trust):
        raise Refused("unreadable", "its SubscribeURL is not at an address of SNS")


def read(request: Received) -> Told:
    """Return the exposed keys by their ids, or what is to be confirmed."""
    told = mapping(document(request.body))
    if told.get("Type") == "SubscriptionConfirmation":
        return Confirm(str(told.get("SubscribeURL")))
    if told.get("Type") != "Notification":
        return Ignored("not a notification")
    event = mapping(document(str(told.get("Message", ""))))
    detail = mapping(event.get("detail"))
    code, arn = text(detail, "eventTypeCode"), text(detail, "eventArn")
    if text(event, "source") != "aws.health" or not code.startswith("AWS_RISK_"):
        return Ignored("not about exposed credentials")
    if text(detail, "statusCode") == "closed":
        return Ignored("the event is closed")
    account = text(detail, "affectedAccount") or text(event, "account")
    entities = [text(each, "entityValue") for each in objects(detail.get("affectedEntities") or [], "affectedEntities")]
    named = [each for each in entities if aws_key_id(each)]
    others = [each for each in entities if each and each not in named] or ([] if named else [arn or account])
    return Trigger(
        title=f"AWS Health: {code} in account {account or '?'}",
        severity=Severity.CRITICAL,
        detected_at=moment(event.get("time")),
        delivery=text(told, "MessageId") or None,
        exposures=tuple(_exposure(each, account, arn) for each in named),
        missing=tuple(_missing(each, code, f"account {account or '?'}, {arn}") for each in others),
    )


def _exposure(key_id: str, account: str, arn: str) -> Exposure:
    rule = "session" if key_id.startswith("ASIA") else "access_key"
    return Exposure(SOURCE, rule, Leaked(id=key_id, account=account or None), path=arn)


def _missing(entity: str, code: str, where: str) -> Missing:
    mend = "look at the event in AWS Health, and declare the ids of what leaked"
    return Missing(SOURCE, code, entity or "unknown", where, "AWS Health names no access key", mend)


def _signed(told: Mapping[str, object]) -> bytes:
    """Return the text that was signed: each name and its value on a line of its own."""
    named = _OF[str(told["Type"])]
    return "".join(f"{name}\n{told[name]}\n" for name in named if isinstance(told.get(name), str)).encode(
        "utf-8", "replace"
    )


def _of_sns(url: str, path: str, trust: Trust) -> bool:
    """Tell whether this is an address of SNS, letter by letter: then it is AWS itself that answers there."""
    host = re.escape(trust.address.rstrip("/")) if trust.address else _SNS
    return re.fullmatch(host + path, url) is not None
