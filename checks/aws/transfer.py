"""AWS Transfer Family: its servers, and what is tested on them.

https://docs.aws.amazon.com/transfer/latest/APIReference/API_DescribeServer.html
https://docs.aws.amazon.com/transfer/latest/APIReference/API_DescribeSecurityPolicy.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

KEPT = (
    "EndpointType",
    "IdentityProviderType",
    "LoggingRole",
    "Protocols",
    "SecurityPolicyName",
    "StructuredLogDestinations",
)


@evidence(
    calls=["transfer:DescribeSecurityPolicy", "transfer:DescribeServer", "transfer:ListServers"],
    per="region",
)
def servers(aws: Any) -> Iterator[Resource]:
    """Every server with its protocols, its logging and the algorithms that its security policy allows."""
    client = aws.client("transfer")

    def policy(name: str) -> Any:
        return aws.get(client.describe_security_policy, "SecurityPolicy", SecurityPolicyName=name)

    for one in aws.pages(client.list_servers, "Servers"):
        server = aws.get(client.describe_server, "Server", ServerId=one["ServerId"])
        allowed = server
        if isinstance(server, dict):
            name = server["SecurityPolicyName"]
            allowed = aws.once(f"transfer policy {aws.region} {name}", lambda name=name: policy(name))
            server = {key: server[key] for key in KEPT if key in server}
        yield resource(
            one["Arn"],
            name=one["ServerId"],
            config={"ServerId": one["ServerId"], "Server": server, "Policy": allowed},
        )


@check(servers, severity="high")
def server_speaks_no_plain_ftp(server: Resource) -> Verdict:
    """Transfer Family server speaks no protocol without encryption

    Risk: passwords and files cross the network readable.
    Fix: aws transfer update-server --server-id {name} --protocols SFTP
    Source: https://docs.aws.amazon.com/transfer/latest/APIReference/API_DescribedServer.html
    Verified: 2026-11-25
    """
    protocols = server["Server"].get("Protocols") or ["SFTP"]  # the default
    return (fail if "FTP" in protocols else ok)(f"speaks {', '.join(sorted(protocols))}")


@check(servers, severity="medium")
def server_uses_modern_algorithms(server: Resource) -> Verdict:
    """Transfer Family server's security policy allows no SHA-1

    Judged by what AWS says that the policy allows for keys and messages, not by its name.

    Risk: clients can be talked down to an algorithm with known weaknesses.
    Fix: aws transfer update-server --server-id {name} --security-policy-name
        TransferSecurityPolicy-2024-01
    Source: https://docs.aws.amazon.com/transfer/latest/APIReference/API_DescribedSecurityPolicy.html
    Verified: 2026-11-25
    """
    protocols = server["Server"].get("Protocols") or ["SFTP"]
    if not {"SFTP", "FTPS"} & set(protocols):
        return not_applicable(f"speaks {', '.join(sorted(protocols))}")
    policy = server["Policy"]
    weak = sorted(
        {
            name
            for key in ("SshKexs", "SshMacs", "SshHostKeyAlgorithms")
            for name in policy.get(key) or ()
            if "sha1" in name.lower() or name == "ssh-rsa"
        }
        | {name for name in policy.get("TlsCiphers") or () if name.endswith("_SHA")}
    )
    name = policy["SecurityPolicyName"]
    return fail(f"{name} allows {', '.join(weak)}") if weak else ok(f"{name} allows no SHA-1")


@check(servers, severity="medium")
def server_logs_transfers(server: Resource) -> Verdict:
    """Transfer Family server logs who moves which files

    Risk: nobody can say afterwards which files left, and by whose account.
    Fix: aws transfer update-server --server-id {name} --structured-log-destinations LOG_GROUP_ARN:*
    Source: https://docs.aws.amazon.com/transfer/latest/APIReference/API_DescribedServer.html
    Verified: 2026-11-25
    """
    settings = server["Server"]
    if to := settings.get("StructuredLogDestinations"):
        return ok(f"logged to {', '.join(one.rpartition(':log-group:')[2].removesuffix(':*') for one in to)}")
    if role := settings.get("LoggingRole"):
        return ok(f"logged by role {role.rpartition('/')[2]}")
    return fail("neither log groups nor a role to log by")
