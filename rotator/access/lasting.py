"""Calls that leave a way in behind, and what a person does about each.

Of AWS by the names in CloudTrail, where `eventName` is the API's action: its API references of IAM, STS, KMS, Lambda,
EC2, Secrets Manager and CloudTrail; examples in the IAM user guide, "Logging IAM and AWS STS API calls". Of GitHub by
those in its page "Audit log events for your organization".
"""

from __future__ import annotations

KEYS = {
    "CreateAccessKey": ("aws_iam_access_key", "accessKey", "accessKeyId"),
    "CreateServiceSpecificCredential": (
        "aws_service_specific_credential",
        "serviceSpecificCredential",
        "serviceSpecificCredentialId",
    ),
    "ResetServiceSpecificCredential": (
        "aws_service_specific_credential",
        "serviceSpecificCredential",
        "serviceSpecificCredentialId",
    ),
    "public_key.create": ("github_deploy_key", "deploy_key", "fingerprint"),
    "CreateLoginProfile": ("aws_console_password", "", ""),
    "UpdateLoginProfile": ("aws_console_password", "", ""),
}
"""Calls that make a credential of a kind: the kind, and where in the response its id stands; else it is the user's."""

SESSIONS = frozenset(
    {
        "AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot", "GetSessionToken",
        "GetFederationToken",
    }
)  # fmt: skip

_MADE = "delete it, or find out who needs it"
_RIGHTS = "take the right away again, or find out who needs it"
_DOOR = "look whom it lets in, and put back what stood there"
_WATCH = "switch the log on again, and take what happened meanwhile for unknown"
_MENDS = {
    **dict.fromkeys(KEYS, "find it at IAM and delete it"),
    **dict.fromkeys(SESSIONS, "revoke the older sessions of this principal: they outlive the key by up to 36 hours"),
    **dict.fromkeys(
        (
            "CreateUser", "CreateRole", "CreateInstanceProfile", "CreateGroup", "CreatePolicy", "UploadSSHPublicKey",
            "UploadSigningCertificate", "UploadServerCertificate", "CreateKeyPair", "ImportKeyPair",
            "CreateVirtualMFADevice", "EnableMFADevice", "CreateFunction20150331", "CreateFunctionUrlConfig",
            "hook.create", "oauth_application.create", "integration_installation.create",
            "repo.register_self_hosted_runner", "org.register_self_hosted_runner",
        ),
        _MADE,
    ),
    **dict.fromkeys(
        (
            "AttachUserPolicy", "AttachRolePolicy", "AttachGroupPolicy", "PutUserPolicy", "PutRolePolicy",
            "PutGroupPolicy", "AddUserToGroup", "AddRoleToInstanceProfile", "CreatePolicyVersion",
            "SetDefaultPolicyVersion", "DeleteUserPermissionsBoundary", "DeleteRolePermissionsBoundary", "CreateGrant",
            "CreateAccountAssignment", "PutResourcePolicy", "repo.add_member", "org.add_member", "org.invite_member",
            "org.add_outside_collaborator", "team.add_member", "team.add_repository", "org.update_member",
        ),
        _RIGHTS,
    ),
    **dict.fromkeys(
        (
            "UpdateAssumeRolePolicy", "CreateSAMLProvider", "UpdateSAMLProvider", "CreateOpenIDConnectProvider",
            "AddClientIDToOpenIDConnectProvider", "UpdateOpenIDConnectProviderThumbprint", "CreateTrustAnchor",
            "PutKeyPolicy", "PutBucketPolicy", "AddPermission20150331v2", "UpdateFunctionCode20150331v2",
            "DeactivateMFADevice", "UpdateAccessKey", "protected_branch.destroy", "repo.access",
        ),
        _DOOR,
    ),
    **dict.fromkeys(("StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors"), _WATCH),
}  # fmt: skip


def lasting(name: str) -> str:
    """Return what a person does about what the call left behind; "" where it leaves nothing."""
    return _MENDS.get(name, "")
