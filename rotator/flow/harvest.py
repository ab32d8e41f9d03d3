"""What a payload inside a package takes from wherever it runs, by kind of credential: the files that it looks for.

From the published analyses of the LiteLLM releases 1.82.7 and 1.82.8 (GHSA-5mg7-485q-xm76) and their kin. Environment
variables and `.env` files hold credentials of any kind, and so are where a kind without a row of its own is taken from.
"""

from __future__ import annotations

from collections.abc import Mapping

HARVESTED: Mapping[str, str] = {
    "aws_iam_access_key": "~/.aws/credentials",
    "aws_sts_session": "~/.aws/credentials and the machine's own role",
    "azure_refresh_token": "~/.azure",
    "discord_webhook_url": "settings with webhooks of Discord",
    "docker_registry_login": "~/.docker/config.json",
    "dockerhub_pat": "~/.docker/config.json",
    "gcloud_refresh_token": "gcloud's application default credentials",
    "gcp_service_account_key": "gcloud's application default credentials",
    "github_deploy_key": "~/.ssh",
    "github_ssh_key": "~/.ssh",
    "github_token": "~/.git-credentials",
    "gitlab_token": "~/.git-credentials",
    "kubernetes_client_certificate": "~/.kube/config and /etc/kubernetes",
    "kubernetes_service_account_token": "~/.kube/config and a pod's own token",
    "ldap_password": "LDAP's configuration",
    "mariadb_user": "~/.my.cnf",
    "npm_token": "~/.npmrc",
    "postgres_role": "~/.pgpass",
    "pypi_token": "~/.pypirc",
    "redis_acl_user": "Redis's configuration",
    "slack_webhook_url": "settings with webhooks of Slack",
    "ssh_authorized_key": "~/.ssh",
    "ssh_certificate": "~/.ssh",
    "ssh_krl_key": "~/.ssh",
    "tls_private_key": "/etc/ssl/private",
    "vault_token": "~/.vault-token",
}
"""Where such a payload looks for credentials of a kind."""
ANYWHERE = "environment variables and .env files"
"""Where it looks for those of every other."""
