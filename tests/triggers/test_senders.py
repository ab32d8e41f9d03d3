"""What each sender signs is believed, and nothing else; what it tells is read as it publishes it."""

from __future__ import annotations

import json
import time

import pytest

from rotator.credential import Secret
from rotator.flow.incident import Severity
from rotator.settings.triggers import SENDER_NAMES
from rotator.triggers import aws_health, generic, keeping
from rotator.triggers.message import Confirm, Ignored, Refused, Trigger
from rotator.triggers.senders import SENDERS
from tests.triggers import signing
from tests.triggers.signing import CERTIFICATE, DELIVERIES, TIMED, TOPIC, sns, trust_of

NOW = time.time()
senders = pytest.mark.parametrize("sender", DELIVERIES)


def verified(delivery, *shared, now=NOW):
    SENDERS[delivery.sender].verify(delivery.received, trust_of(delivery.sender, *shared), now)
    return SENDERS[delivery.sender].read(delivery.received)


def refusal(delivery, *shared, now=NOW):
    with pytest.raises(Refused) as refused:
        verified(delivery, *shared, now=now)
    return refused.value.reason


def test_the_senders_that_can_be_configured_are_the_ones_that_are_there():
    assert set(SENDER_NAMES) == set(SENDERS) == set(DELIVERIES)


@senders
def test_what_a_sender_signs_is_an_alarm(sender):
    told = verified(DELIVERIES[sender](NOW))
    assert isinstance(told, Trigger)
    assert told.title
    assert told.exposures or told.missing


@senders
def test_what_was_changed_on_the_way_is_not_believed(sender):
    delivery = DELIVERIES[sender](NOW)
    if sender == "gitlab":
        changed = delivery.with_headers(Authorization="another")
    elif sender == "aws-health":
        changed = signing.replace(delivery, body=delivery.body.replace(b"AKIAQ4R7", b"AKIAX4R7"))
    else:
        changed = signing.replace(delivery, body=delivery.body + b" ")
    assert refusal(changed) == "wrong_signature"


@senders
def test_what_nobody_signed_is_not_believed(sender):
    assert refusal(signing.replace(DELIVERIES[sender](NOW), headers={}, body=b"{}")) == "unsigned"


@pytest.mark.parametrize("sender", sorted(set(DELIVERIES) - {"github-partner", "aws-health"}))
def test_either_secret_is_believed_while_one_replaces_the_other(sender):
    own = signing.WHSEC if sender == "generic" else signing.SHARED
    other = "whsec_" + "b3RoZXI" * 8 if sender == "generic" else "other"
    assert isinstance(verified(DELIVERIES[sender](NOW), other, own), Trigger)
    assert refusal(DELIVERIES[sender](NOW), other) == "wrong_signature"


@pytest.mark.parametrize("secret", ["whsec_", "whsec_a2V5", "no base64!", "whsec_ü"])
def test_a_key_of_ours_that_is_none_or_short_opens_to_nobody(secret):
    """An empty key is one that everybody has."""
    assert refusal(DELIVERIES["generic"](NOW), secret) == "not_ready"
    assert generic.key_of(Secret("whsec_" + "YWJjZA" * 8)) == generic.key_of(Secret("YWJjZA" * 8))


@pytest.mark.parametrize("sender", TIMED)
def test_what_is_of_long_ago_or_of_the_future_is_stale(sender):
    assert refusal(DELIVERIES[sender](NOW - TIMED[sender] - 1)) == "stale"
    assert refusal(DELIVERIES[sender](NOW + 302)) == "stale"


@senders
def test_what_is_cut_off_is_refused_though_it_was_signed_so(sender):
    cut = signing.sample(sender.replace("-", "_"))[:-9]
    assert refusal(DELIVERIES[sender](NOW, cut)) == "unreadable"


def test_github_names_the_alert_and_says_what_a_person_must_fetch():
    told = verified(DELIVERIES["github"](NOW))
    assert (told.title, told.severity) == (
        "GitHub: Amazon AWS Access Key ID in octo-org/payments, alert 42",
        Severity.CRITICAL,
    )
    [missing] = told.missing
    assert (missing.key, missing.rule) == ("octo-org/payments#42", "aws_access_key_id")
    assert missing.where == "https://github.com/octo-org/payments/security/secret-scanning/42"
    assert "/repos/octo-org/payments/secret-scanning/alerts/42" in missing.mend


@pytest.mark.parametrize(("event", "action"), [("ping", "created"), ("secret_scanning_alert", "resolved")])
def test_github_pings_and_settles_without_an_alarm(event, action):
    body = json.dumps({**json.loads(signing.sample("github")), "action": action}).encode()
    assert isinstance(verified(signing.github(NOW, body).with_headers(X_GitHub_Event=event)), Ignored)


def test_partner_tokens_come_with_their_type_and_place():
    first, second = verified(DELIVERIES["github-partner"](NOW)).exposures
    assert (first.source, first.rule, first.leaked.secret.reveal()) == (
        "github_partner",
        "acme_access",
        "acme_partner_canary_7Qm2xTVw",
    )
    assert second.path == "https://github.com/octocat/Hello-World/issues/1"


def test_a_partner_key_that_is_not_published_is_not_believed():
    assert refusal(signing.github_partner(NOW, name="f" * 64)) == "unknown_key"


def test_gitguardian_tells_the_incident_there():
    told = verified(DELIVERIES["gitguardian"](NOW))
    assert told.title == "GitGuardian: Slack Bot Token, incident 3899"
    body = signing.sample("gitguardian").replace(b"incident_triggered", b"incident_resolved")
    assert isinstance(verified(signing.gitguardian(NOW, body)), Ignored)


def test_pagerduty_tells_a_new_alarm_once_and_no_other_news():
    told = verified(DELIVERIES["pagerduty"](NOW))
    assert told.title == "PagerDuty: A deploy key was posted in a public channel"
    assert told.delivery == "5ac64822-4adc-4fda-ade0-410becf0de4f"
    for news in (b"pagey.ping", b"incident.acknowledged"):
        body = signing.sample("pagerduty").replace(b"incident.triggered", news)
        assert isinstance(SENDERS["pagerduty"].read(signing.pagerduty(NOW, body).received), Ignored)


def test_aws_health_names_the_keys_and_their_account():
    [exposure] = verified(DELIVERIES["aws-health"](NOW)).exposures
    assert (exposure.leaked.id, exposure.leaked.account) == ("AKIAQ4R7T2W9Z3K5M8N1", "123456789012")
    assert aws_health.KINDS[exposure.rule] == "aws_iam_access_key"
    other = signing.sample("aws_health").replace(b"AWS_RISK_CREDENTIALS_EXPOSED", b"AWS_EC2_MAINTENANCE")
    assert isinstance(verified(signing.aws_health(NOW, other)), Ignored)


@pytest.mark.parametrize("version", ["1", "2"])
def test_sns_signs_in_two_versions_and_a_subject_too(version):
    message = signing.sample("aws_health").decode()
    told = {"Type": "Notification", "Subject": "Notice", "Message": message}
    assert isinstance(verified(sns(NOW, told, version=version)), Trigger)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"TopicArn": f"{TOPIC}2"}, "other_topic"),
        ({"SigningCertURL": "https://sns.us-east-1.amazonaws.com.evil.example/a.pem"}, "unknown_key"),
        ({"SigningCertURL": "https://evil.example/sns.us-east-1.amazonaws.com/a.pem"}, "unknown_key"),
        ({"SigningCertURL": "http://sns.us-east-1.amazonaws.com/a.pem"}, "unknown_key"),
        ({"SigningCertURL": "https://a@sns.us-east-1.amazonaws.com/a.pem"}, "unknown_key"),
        ({"SigningCertURL": "https://sns.us-east-1.amazonaws.com:8443/a.pem"}, "unknown_key"),
        ({"SigningCertURL": "https://sns.us-east-1.amazonaws.com/?a.pem"}, "unknown_key"),
        *[
            ({"SigningCertURL": url}, "unknown_key")
            for host in ("s3-us-west-2", "s3", "dualstack", "s3-website-us-east-1", "us-east-1:443", "us-east-1.x")
            for url in (f"https://sns.{host}.amazonaws.com{CERTIFICATE}",)
        ],
        *[
            ({"SigningCertURL": url}, "unknown_key")
            for end in ("?Action=x", "#f", "\n", "?", ";x", "%00", "/../x.pem")
            for url in (f"https://sns.us-east-1.amazonaws.com{CERTIFICATE}{end}",)
        ],
        ({"SigningCertURL": f"https://sns.us-east-1.amazonaws.com.cn{CERTIFICATE}"}, "unknown_key"),
        ({"SigningCertURL": "https://sns.us-east-1.amazonaws.com/other.pem"}, "unknown_key"),
        ({"SignatureVersion": "3"}, "wrong_signature"),
    ],
)
def test_sns_is_believed_only_of_the_topic_and_with_a_certificate_of_its_own(changed, reason):
    assert refusal(sns(NOW, {"Type": "Notification", "Message": "{}", **changed})) == reason


@pytest.mark.parametrize(
    "host", ["us-gov-west-1.amazonaws.com", "cn-north-1.amazonaws.com.cn", "il-central-1.amazonaws.com"]
)
def test_sns_has_an_address_in_each_region(host):
    url = f"https://sns.{host}{CERTIFICATE}"
    assert (
        aws_health.key_wanted(
            sns(NOW, {"Type": "Notification", "SigningCertURL": url}).received, trust_of("aws-health")
        )
        == url
    )


@pytest.mark.parametrize(
    "around",
    [b"<Value>\n%b</Value>", b"%b%b", b"x\n%b", b"", b"-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----"],
)
def test_a_certificate_stands_alone_where_it_stands(around):
    pem = signing.certificate()
    assert aws_health.certificate_in(pem) == pem
    with pytest.raises(Refused, match="unknown_key"):
        aws_health.certificate_in(around.replace(b"%b", pem))


def test_a_subscription_is_confirmed_only_at_an_address_of_sns():
    told = {"Type": "SubscriptionConfirmation", "Message": "You have chosen …", "Token": "2336412f37"}
    own = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37"
    assert verified(sns(NOW, {**told, "SubscribeURL": own})) == Confirm(own)
    assert refusal(sns(NOW, {**told, "SubscribeURL": "http://169.254.169.254/"})) == "unreadable"


def test_gitlab_sends_tokens_of_types():
    first, second = verified(DELIVERIES["gitlab"](NOW)).exposures
    assert SENDERS["gitlab"].KINDS[first.rule] == "gitlab_token"
    assert second.rule == "gitleaks_rule_id_acme"


@pytest.mark.parametrize("sender", ["gitlab", "github-partner"])
def test_an_entry_without_its_token_is_named_missing_and_the_others_are_kept(sender):
    body = json.dumps([{"type": "t", "token": "", "location": "/a", "url": "/a"}, {"type": "t", "token": "canary"}])
    told = verified(DELIVERIES[sender](NOW, body.encode()))
    assert [each.leaked.secret.reveal() for each in told.exposures] == ["canary"]
    assert [(each.key, each.where) for each in told.missing] == [("entry 1", "/a")]


def test_two_accounts_of_aws_with_an_entity_of_one_name_are_two_alarms():
    def alarm(account):
        body = signing.sample("aws_health").replace(b"123456789012", account).replace(b"AKIAQ4R7T2W9Z3K5M8N1", b"ci")
        return keeping.same_alarm(verified(signing.aws_health(NOW, body)))

    assert alarm(b"111111111111") != alarm(b"222222222222")


def test_a_webhook_of_your_own_is_read_as_a_list():
    told = verified(DELIVERIES["generic"](NOW))
    assert (told.title, told.severity) == ("Keys in a public bucket", Severity.CRITICAL)
    assert [each.rule for each in told.exposures] == ["aws_iam_access_key", "gitlab_token"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"credentials": []}, "credentials: is not as docs/triggers.md says"),
        ({"canary": 1}, "an unknown key"),
        ({"credentials": [{"kind": "gitlab_token"}]}, "credentials.0: is not as docs/triggers.md says"),
        ({"credentials": [{"kind": "CANARY", "id": "1"}]}, "credentials.0.kind: is not as docs/triggers.md says"),
        ({"credentials": [{"id": "canary"}]}, "credentials.0.kind: is missing"),
        ({"exposed_at": "0001-01-01T00:00:00+14:00"}, "exposed_at: is not as docs/triggers.md says"),
    ],
)
def test_a_list_that_is_wrong_is_refused_in_words_that_quote_none_of_it(changed, said):
    body = json.dumps({**json.loads(signing.sample("generic")), **changed}).encode()
    with pytest.raises(Refused) as refused:
        verified(signing.generic(NOW, body))
    assert (refused.value.reason, refused.value.detail) == ("unreadable", said)
