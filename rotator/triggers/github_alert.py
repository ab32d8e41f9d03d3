"""What GitHub's REST interface tells of an alert: the secret, and the places where it was found.

Source: GitHub Docs, "REST API endpoints for secret scanning" (`secret`, `html_url`; `type` and `details` of a location)
and "Supported secret scanning patterns" for the types.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rotator.credential import Leaked
from rotator.flow.exposure import Exposure
from rotator.intake.fields import aws_key_id, line, mapping, material, twilio_key_id, word
from rotator.triggers.message import LONGEST, Missing, text

SOURCE = "github"
KINDS = {
    "anthropic_api_key": "anthropic_api_key",
    "aws_access_key_id": "aws_iam_access_key",
    "aws_temporary_access_key_id": "aws_sts_session",
    "azure_active_directory_application_secret": "azure_entra_secret",
    "circleci_personal_access_token": "circleci_token",
    "cloudflare_user_api_token": "cloudflare_api_token",
    "databricks_access_token": "databricks_token",
    "datadog_api_key": "datadog_api_key",
    "digitalocean_personal_access_token": "digitalocean_pat",
    "discord_bot_token": "discord_bot_token",
    "docker_personal_access_token": "dockerhub_pat",
    "fastly_api_token": "fastly_api_token",
    "github_app_installation_access_token": "github_token",
    "github_oauth_access_token": "github_token",
    "github_personal_access_token": "github_token",
    "github_refresh_token": "github_token",
    "github_ssh_private_key": "github_ssh_key",
    "gitlab_access_token": "gitlab_token",
    "google_cloud_service_account_credentials": "gcp_service_account_key",
    "grafana_project_service_account_token": "grafana_service_account_token",
    "hashicorp_vault_root_service_token": "vault_token",
    "hashicorp_vault_service_token": "vault_token",
    "hf_user_access_token": "huggingface_token",
    "linear_api_key": "linear_api_key",
    "mailgun_api_key": "mailgun_api_key",
    "new_relic_personal_api_key": "newrelic_user_key",
    "notion_api_token": "notion_token",
    "notion_integration_token": "notion_token",
    "npm_access_token": "npm_token",
    "openai_api_key": "openai_api_key",
    "pypi_api_token": "pypi_token",
    "sendgrid_api_key": "sendgrid_api_key",
    "sentry_organization_token": "sentry_org_token",
    "slack_api_token": "slack_token",
    "slack_incoming_webhook_url": "slack_webhook_url",
    "snowflake_programmatic_access_token": "snowflake_pat",
    "stripe_api_key": "stripe_api_key",
    "telegram_bot_token": "telegram_bot_token",
    "terraform_api_token": "terraform_cloud_token",
    "twilio_api_key": "twilio_api_key",
}
_KEY = re.compile(r"([A-Za-z0-9-]{1,100}/(?!\.{1,2}#)[A-Za-z0-9._-]{1,100})#([0-9]{1,12})")
_VALID = frozenset({"active", "inactive"})
_LONGEST_SECRET = 1 << 16
_LONGEST_PLACE = 4096
"""Letters of a path or an address; what is longer names no place that anybody could look at."""


def named(missing: Missing) -> tuple[str, str] | None:
    """Return (OWNER/REPOSITORY, number) of the alert, None where its names have another form: they become a path."""
    found = _KEY.fullmatch(missing.key)
    return (found[1], found[2]) if found else None


def exposures(missing: Missing, alert: object, locations: Sequence[object]) -> tuple[Exposure, ...]:
    """Return the secret at each of its places; nothing where the answer is about another alert, or holds no secret."""
    told = mapping(alert)
    repository, number = named(missing) or ("", "")
    secret = told.get("secret")
    is_it = text(told, "number") == number and text(told, "html_url") == missing.where
    if not is_it or not isinstance(secret, str) or not secret.strip() or len(secret) > _LONGEST_SECRET:
        return ()
    # Of some types the alert is about the id, and its secret has an alert of its own.
    key_id = aws_key_id(secret) or twilio_key_id(secret)
    leaked = Leaked(id=key_id) if key_id else Leaked(secret=material(secret))
    validity = text(told, "validity")
    says = validity if validity in _VALID else None
    found = dict.fromkeys(_place(repository, mapping(each)) for each in locations) or {(missing.where, None): None}
    return tuple(Exposure(SOURCE, missing.rule, leaked, path, at, scanner_says=says) for path, at in found)


def _place(repository: str, location: Mapping[str, object]) -> tuple[str, int | None]:
    """Return where it is, and in which line: a file, or the address of an issue, a comment, a pull request."""
    details = mapping(location.get("details"))
    if path := _named(details, "path"):
        return f"{repository}/{path}", line(details, "start_line")
    address = next((named for key in details if key.endswith("_url") and (named := _named(details, key))), "")
    return address or f"{repository}: {word(location, 'type')[:LONGEST]}", None


def _named(details: Mapping[str, object], key: str) -> str:
    named = word(details, key)
    return named if len(named) <= _LONGEST_PLACE else ""
