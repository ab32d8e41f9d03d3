"""What issuers tell of what was made since: who made it where they say so, and in so many words what they do not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.stub import Stubber

from rotator import clock
from rotator.credential import CredentialRef, Secret
from rotator.errors import Rejected
from rotator.families import aws_trail, kubernetes_since
from rotator.families.aws import Account
from rotator.families.vault_accessors import Holder
from rotator.families.vault_since import tokens_since
from rotator.ports.connection import Connection
from rotator.providers import github_token, gitlab_token, kubernetes_service_account_token
from tests.fakes.github_keys import LOGIN, OWN, fake_github_keys
from tests.fakes.gitlab_tokens import fake_gitlab
from tests.fakes.kubernetes_access import Rule
from tests.fakes.kubernetes_server import kubernetes_server

NOW = datetime.now(UTC)
SINCE = NOW.timestamp() - 3600
BEFORE, AFTER = ((NOW + timedelta(minutes=each)).strftime("%Y-%m-%dT%H:%M:%SZ") for each in (-90, -30))
KEY = "AKIAEXAMPLEEXAMPLE01"
REQUESTS = "certificatesigningrequests"
ACCOUNT = CredentialRef("kubernetes_service_account_token", "cluster", "apps/ci", "secrets/old@1")


def told(found):
    return sorted((each.act, each.subject, each.sure) for each in found.made)


def test_github_names_who_added_a_deploy_key_and_of_a_webhook_only_when():
    with fake_github_keys() as server:
        name = server.repository()
        path = f"/repos/{name}/keys"
        fingerprints = [server.plant(path)[0] for _ in range(4)]
        for entry, at, by in zip(
            server.lists[path], [AFTER, BEFORE, AFTER, AFTER], [LOGIN, LOGIN, "somebody-else", None], strict=True
        ):
            entry |= {"created_at": at, "added_by": by}
        server.hooks[name] = [{"id": 7, "created_at": AFTER}, {"id": 8, "created_at": BEFORE}]
        own = Connection("github", "github", endpoint_url=server.address, credential=lambda: OWN)
        ref = CredentialRef("github_token", "github", LOGIN, "x")
        found = github_token.connect(own, "github_token").minted_since(ref, SINCE)
        assert told(found) == sorted(
            [
                ("a deploy key", f"{fingerprints[0]} of {name}", True),
                ("a deploy key", f"{fingerprints[3]} of {name}", False),
                ("a webhook", f"7 of {name}", False),
            ]
        )
        assert [(each.kind, each.owner) for each in found.made if each.kind] == [("github_deploy_key", name)] * 2
        server.hooks.clear()
        assert any("webhooks" in each for each in github_token.connect(own, "x").minted_since(ref, SINCE).cannot_tell)


def test_without_a_token_of_its_own_the_rotator_looks_at_nothing_at_github():
    nobody = Connection("github", "github", endpoint_url="http://127.0.0.1:9")
    found = github_token.connect(nobody, "github_token").minted_since(CredentialRef("x", "github", "a", "b"), SINCE)
    assert found.made == ()
    assert "no token of the rotator's own" in found.cannot_tell[0]


def test_gitlab_tells_of_a_user_all_that_is_the_users_and_of_a_project_only_that_it_was_made():
    with fake_gitlab() as server:
        own = Connection("gitlab", "gitlab", endpoint_url=server.address, credential=lambda: server.own)
        provider = gitlab_token.connect(own, "gitlab_token")
        user, project = server.user(), server.place("project")
        old, _ = server.plant("user", user, created_at=BEFORE)
        new, _ = server.plant("user", user, created_at=AFTER)
        bot, _ = server.plant("project", project, created_at=AFTER)
        other, _ = server.plant("project", project, created_at=AFTER)
        server.keys[f"/users/{user}/keys"] = [{"id": 1, "title": "laptop", "created_at": AFTER}]
        server.keys[f"/projects/{project}/deploy_keys"] = [{"id": 2, "title": "ci", "created_at": BEFORE}]

        def asked(owner, number):
            return provider.minted_since(CredentialRef("gitlab_token", "gitlab", owner, str(number)), SINCE)

        assert told(asked(f"user/{user}", old)) == [
            ("an SSH key", f"laptop of user/{user}", True),
            ("an access token", f"{new} of user/{user}", True),
        ]
        assert told(asked(f"project/{project}", bot)) == [("an access token", f"{other} of project/{project}", False)]
        assert asked(f"user/{user}", old).cannot_tell


def test_vault_tells_whose_a_token_is_and_of_a_made_one_nothing_but_that_it_outlives_its_maker():
    made = [
        ("exposed", Holder("ci", None, "auth/approle/login", created_at=BEFORE, entity="e1")),
        ("same-entity", Holder("other-name", None, "auth/userpass/login", created_at=AFTER, entity="e1")),
        ("same-name", Holder("ci", None, "auth/token/create", created_at=AFTER)),
        ("orphan", Holder("orphan", None, "auth/token/create-orphan", created_at=AFTER, orphan=True)),
        ("child", Holder("child", None, "auth/token/create", created_at=AFTER)),
        ("login", Holder("bob", None, "auth/userpass/login", created_at=AFTER, orphan=True)),
        ("old", Holder("ci", None, "auth/token/create", created_at=BEFORE)),
    ]
    found = tokens_since("vault_token", dict(made), CredentialRef("vault_token", "vault", "ci", "exposed"), SINCE)
    assert sorted((each.id, each.sure) for each in found.made) == [
        ("orphan", False),
        ("same-entity", True),
        ("same-name", True),
    ]


@pytest.fixture
def cluster():
    """Run a cluster in which something of every sort was made before, by the account or somebody, and then again."""
    with kubernetes_server() as server:
        for name in ("old", "new"):
            server.account(name, "apps")
            server.legacy_token(f"{name}-token", name, "apps")
            for resource, namespace in (("rolebindings", "apps"), ("clusterrolebindings", ""), (REQUESTS, "")):
                user = {"username": "system:serviceaccount:apps:ci" if name == "new" else "eve"}
                body = {"metadata": {"name": name}, "roleRef": {"name": "edit"}, "spec": user}
                server.cluster.create(resource, namespace, body)
        for resource in ("secrets", "serviceaccounts", "rolebindings", "clusterrolebindings", REQUESTS):
            for each in server.cluster.standing(resource):
                if each["metadata"]["name"].startswith("old"):
                    each["metadata"] |= {"creationTimestamp": BEFORE, "managedFields": [{"time": BEFORE}]}
        yield server


def in_cluster(server, token):
    own = Connection("cluster", "kubernetes", endpoint_url=server.address, credential=lambda: token)
    return kubernetes_service_account_token.connect(own, "kubernetes_service_account_token").minted_since(
        ACCOUNT, SINCE
    )


def test_a_cluster_tells_that_something_was_made_and_by_whom_of_requests_for_certificates_alone(cluster):
    found = in_cluster(cluster, cluster.admin)
    assert told(found) == [
        ("a request for a certificate", "new", True),
        ("a role binding", "apps/new to edit", False),
        ("a role binding", "new to edit", False),
        ("a service account", "apps/new", False),
        ("a token in a Secret", f"{token_id(cluster, 'new-token')} of apps/new", False),
    ]
    [token] = [each for each in found.made if each.kind]
    assert (token.owner, token.id) == ("apps/new", token_id(cluster, "new-token"))
    assert found.cannot_tell == (kubernetes_since.UNTOLD,)


def token_id(server, name):
    return f"secrets/{name}@{server.cluster.read('secrets', 'apps', name)['metadata']['uid']}"


def test_a_binding_that_was_changed_since_gives_rights_as_a_new_one_does(cluster):
    cluster.cluster.patch("rolebindings", "apps", "old", {"subjects": [{"name": "eve"}]})
    assert ("a role binding", "apps/old to edit", False) in told(in_cluster(cluster, cluster.admin))


def test_what_the_rotator_may_not_list_is_told_and_a_look_that_sees_nothing_fails(cluster):
    one = cluster.bearer("one", Rule(("list",), ("secrets",), "apps"))
    found = in_cluster(cluster, one)
    assert [each.act for each in found.made] == ["a token in a Secret"]
    assert found.cannot_tell[1:] == (
        "tokens in Secrets of other namespaces than apps (permission_denied)",
        "service accounts (permission_denied)",
        "rolebindings (permission_denied)",
        "clusterrolebindings (permission_denied)",
        "requests for certificates (permission_denied)",
    )
    with pytest.raises(Rejected):
        in_cluster(cluster, cluster.bearer("none"))


def test_no_more_than_a_bound_of_each_list_is_read(cluster, monkeypatch):
    monkeypatch.setattr(kubernetes_since, "MOST", 1)
    ends = in_cluster(cluster, cluster.admin).cannot_tell
    assert "more than the first 1 service accounts" in ends


def event(name, at=AFTER, **more):
    record = {"eventTime": at, "eventName": name, "userIdentity": {"accessKeyId": KEY}, **more}
    return {"EventName": name, "CloudTrailEvent": json.dumps(record)}


@pytest.fixture
def trail(monkeypatch):
    """Let an account ask a CloudTrail that answers what it is told to, in order."""
    account = Account(Connection("aws", "aws", settings={"region": "eu-west-1"}, credential=lambda: Secret("{}")))
    client = boto3.client("cloudtrail", "us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
    monkeypatch.setattr(account, "client", lambda _service: client)
    with Stubber(client) as stub:
        yield account, stub


def page(*events, more=""):
    about = {"ResponseMetadata": {"RequestId": "1", "HTTPHeaders": {}}}
    return {"Events": list(events), **about, **({"NextToken": more} if more else {})}


def test_cloudtrail_is_asked_page_by_page_and_of_the_sessions_that_were_begun_with_the_key(trail):
    account, stub = trail
    session = event("AssumeRole", responseElements={"credentials": {"accessKeyId": "ASIASESSION"}})
    for answer in (page(event("CreateUser"), more="t"), page(session), page(event("CreateAccessKey"))):
        stub.add_response("lookup_events", answer)
    found = aws_trail.minted_since(account, KEY, SINCE)
    stub.assert_no_pending_responses()
    assert [json.loads(each)["eventName"] for each in found.log] == ["CreateUser", "AssumeRole", "CreateAccessKey"]
    assert found.asked == "CloudTrail in us-east-1"
    assert found.cannot_tell == ("what it did in other regions than us-east-1, and in the last minutes",)


def test_a_look_that_ends_early_says_so_and_one_that_never_began_fails(trail):
    account, stub = trail
    stub.add_response("lookup_events", page(event("CreateUser"), more="t"))
    stub.add_client_error("lookup_events", "ThrottlingException", http_status_code=400)
    assert (
        f"calls before {AFTER}, as the look ended early (throttled)"
        in aws_trail.minted_since(account, KEY, SINCE).cannot_tell
    )
    stub.add_client_error("lookup_events", "AccessDeniedException", http_status_code=400)
    with pytest.raises(Rejected):
        aws_trail.minted_since(account, KEY, SINCE)


def test_no_more_than_its_pages_are_read_and_what_is_older_than_it_keeps_is_not_called_told(trail):
    account, stub = trail
    for _ in range(aws_trail.PAGES):
        stub.add_response("lookup_events", page(event("ListUsers"), more="t"))
    found = aws_trail.minted_since(account, KEY, clock.now() - 2 * aws_trail.KEPT_S)
    stub.assert_no_pending_responses()
    assert any("--access" in each for each in found.cannot_tell)
    assert "what is longer ago than CloudTrail's 90 days" in found.cannot_tell


def test_a_record_that_is_none_is_left_out_of_what_is_followed(trail):
    account, stub = trail
    broken = replace_text(event("CreateUser"), "{")
    stub.add_response("lookup_events", page(broken, {"EventName": "NoText"}))
    assert aws_trail.minted_since(account, KEY, SINCE).log == ("{",)


def replace_text(shown, text):
    return {**shown, "CloudTrailEvent": text}
