"""What a payload in a package takes wherever it runs, and which kinds of credential lie there.

The paths are those that the LiteLLM releases 1.82.7 and 1.82.8 took (PYSEC-2026-2 and the analyses it names; also its
kin: Trivy, TanStack, Shai-Hulud). They took the environment whole; the names of variables are those that each vendor's
own tools read. It says what *may* lie at a site: whether it does, the inventory or the site must tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rotator.flow.site import Site, SiteKind

_EVERYWHERE = frozenset(SiteKind)
_WHERE_PEOPLE_WORK = frozenset({SiteKind.HOST, SiteKind.JOB})
_WHERE_IT_RUNS = frozenset({SiteKind.HOST, SiteKind.JOB, SiteKind.CONTAINER})
_IN_CODE = frozenset({SiteKind.HOST, SiteKind.JOB, SiteKind.REPOSITORY})


@dataclass(frozen=True, slots=True)
class Haul:
    """One thing that is taken: a path, or `$NAME` of the environment; the playbooks of what it holds; where it lies."""

    what: str
    kinds: tuple[str, ...]
    on: frozenset[SiteKind]


HAULS = (
    Haul("~/.aws/credentials", ("aws_iam_access_key", "aws_sts_session"), _WHERE_IT_RUNS),
    Haul("$AWS_ACCESS_KEY_ID", ("aws_iam_access_key", "aws_sts_session"), _WHERE_IT_RUNS),
    Haul("the instance's metadata (169.254.169.254)", ("aws_sts_session",), _WHERE_IT_RUNS),
    Haul("AWS Secrets Manager, by what was taken", ("aws_secret",), _WHERE_IT_RUNS),
    Haul("SSM parameters, by what was taken", ("aws_ssm_parameter",), _WHERE_IT_RUNS),
    Haul(
        "application_default_credentials.json",
        ("gcp_service_account_key", "gcloud_refresh_token"),
        _WHERE_IT_RUNS,
    ),
    Haul("$GOOGLE_APPLICATION_CREDENTIALS", ("gcp_service_account_key",), _WHERE_IT_RUNS),
    Haul("~/.azure/", ("azure_refresh_token", "azure_entra_secret"), _WHERE_PEOPLE_WORK),
    Haul("$AZURE_CLIENT_SECRET", ("azure_entra_secret",), _WHERE_IT_RUNS),
    Haul("~/.ssh/id_rsa, id_ed25519, id_ecdsa", ("ssh_authorized_key", "github_ssh_key"), _WHERE_IT_RUNS),
    Haul("~/.git-credentials", ("github_token", "gitlab_token"), _WHERE_PEOPLE_WORK),
    Haul("$GITHUB_TOKEN", ("github_token",), _WHERE_IT_RUNS),
    Haul("$GITLAB_TOKEN", ("gitlab_token",), _WHERE_IT_RUNS),
    Haul("~/.kube/config", ("kubernetes_client_certificate", "kubernetes_service_account_token"), _WHERE_PEOPLE_WORK),
    Haul("/etc/kubernetes/*.conf", ("kubernetes_client_certificate",), frozenset({SiteKind.HOST})),
    Haul("the pod's service-account token", ("kubernetes_service_account_token",), _WHERE_IT_RUNS),
    Haul("~/.docker/config.json", ("docker_registry_login", "dockerhub_pat"), _WHERE_PEOPLE_WORK),
    Haul("~/.npmrc", ("npm_token",), _IN_CODE),
    Haul("$NPM_TOKEN", ("npm_token",), _WHERE_PEOPLE_WORK),
    Haul("~/.pypirc", ("pypi_token",), _WHERE_PEOPLE_WORK),
    Haul("$TWINE_PASSWORD", ("pypi_token",), _WHERE_PEOPLE_WORK),
    Haul("~/.vault-token", ("vault_token",), _WHERE_IT_RUNS),
    Haul("$VAULT_TOKEN", ("vault_token",), _WHERE_IT_RUNS),
    Haul("~/.pgpass", ("postgres_role",), _WHERE_IT_RUNS),
    Haul("~/.my.cnf", ("mariadb_user",), _WHERE_IT_RUNS),
    Haul("Redis' configuration", ("redis_acl_user",), _WHERE_IT_RUNS),
    Haul("LDAP's configuration", ("ldap_password",), _WHERE_IT_RUNS),
    Haul("/etc/ssl/private", ("tls_private_key",), frozenset({SiteKind.HOST, SiteKind.CONTAINER})),
    Haul("webhooks of Slack and Discord", ("slack_webhook_url", "discord_webhook_url"), _EVERYWHERE),
    Haul(
        ".env and its kin, six folders deep",
        (
            "anthropic_api_key", "aws_iam_access_key", "litellm_key", "mariadb_user", "openai_api_key", "postgres_role",
            "redis_acl_user", "sendgrid_api_key", "slack_token", "stripe_api_key", "twilio_api_key",
        ),
        _EVERYWHERE,
    ),
    Haul("$OPENAI_API_KEY", ("openai_api_key",), _WHERE_IT_RUNS),
    Haul("$ANTHROPIC_API_KEY", ("anthropic_api_key",), _WHERE_IT_RUNS),
    Haul("$LITELLM_MASTER_KEY", ("litellm_key",), _WHERE_IT_RUNS),
    Haul("$HF_TOKEN", ("huggingface_token",), _WHERE_IT_RUNS),
    Haul("terraform.tfvars", ("aws_iam_access_key", "terraform_cloud_token"), _IN_CODE),
)  # fmt: skip
"""In the order in which a responder reads them; of a site's own secrets in CI systems only what they put into it."""


def within_reach(site: Site) -> Mapping[str, tuple[str, ...]]:
    """Return which kinds may lie at such a site, each with what of it is taken."""
    found: dict[str, tuple[str, ...]] = {}
    for haul in HAULS:
        if site.kind in haul.on:
            for kind in haul.kinds:
                found[kind] = (*found.get(kind, ()), haul.what)
    return MappingProxyType(found)
