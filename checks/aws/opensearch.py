"""Amazon OpenSearch Service: domains, and their tests.

https://docs.aws.amazon.com/opensearch-service/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.aws._policy import open_to_nobody_unknown, public_statements
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

AT_ONCE = 5
"""Domains that DescribeDomains takes in one request."""

KEPT = (
    "AccessPolicies",
    "AdvancedSecurityOptions",
    "ClusterConfig",
    "CognitoOptions",
    "DomainEndpointOptions",
    "DomainName",
    "EncryptionAtRestOptions",
    "EngineVersion",
    "LogPublishingOptions",
    "NodeToNodeEncryptionOptions",
    "SoftwareUpdateOptions",
    "VPCOptions",
)
"""Endpoints, progress of changes and updates on offer are left out: they never rest."""

WEAK_TLS = "Policy-Min-TLS-1-0"


@evidence(calls=["es:DescribeDomains", "es:ListDomainNames"], per="region")
def domains(aws: Any) -> Iterator[Resource]:
    """Every domain, OpenSearch and Elasticsearch, with its settings."""
    client = aws.client("opensearch")
    names = [one["DomainName"] for one in aws.pages(client.list_domain_names, "DomainNames")]
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        for domain in aws.pages(client.describe_domains, "DomainStatusList", DomainNames=some):
            yield resource(
                domain["ARN"],
                name=domain["DomainName"],
                config={key: value for key, value in domain.items() if key in KEPT},
            )


def _on(domain: Resource, options: str, flag: str = "Enabled") -> bool:
    """Whether a flag of an option is on. Options that were never set may be left out: they are off."""
    return bool((domain.get(options) or {}).get(flag))


def _publishes(domain: Resource, kind: str) -> Verdict:
    option = (domain.get("LogPublishingOptions") or {}).get(kind) or {}
    if option.get("Enabled"):
        return ok(f"{kind} go to {option['CloudWatchLogsLogGroupArn']}")
    return fail(f"{kind} not published")


@check(domains, severity="high")
def domain_is_encrypted(domain: Resource) -> Verdict:
    """OpenSearch domain is encrypted at rest, its automated snapshots included

    Risk: whoever gets at the disks or a snapshot can read the indexes.
    Fix: aws opensearch update-domain-config --domain-name {name} --encryption-at-rest-options Enabled=true
    Source: https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_EncryptionAtRestOptions.html
    Verified: 2026-11-25
    """
    if not _on(domain, "EncryptionAtRestOptions"):
        return fail("encryption at rest off")
    return ok(
        f"encrypted with {domain['EncryptionAtRestOptions'].get('KmsKeyId', 'a key that is not named')}"
    )


@check(domains, severity="medium")
def domain_encrypts_between_nodes(domain: Resource) -> Verdict:
    """OpenSearch domain encrypts what its nodes say to each other

    Risk: whoever gets into the network between the nodes can read what is indexed and asked.
    Fix: aws opensearch update-domain-config --domain-name {name}
        --node-to-node-encryption-options Enabled=true
    Source: https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_NodeToNodeEncryptionOptions.html
    Verified: 2026-11-25
    """
    on = _on(domain, "NodeToNodeEncryptionOptions")
    return ok("node-to-node encryption on") if on else fail("node-to-node encryption off")


@check(domains, severity="medium")
def domain_requires_https(domain: Resource) -> Verdict:
    """OpenSearch domain answers over HTTPS only, with TLS 1.2 or later

    Risk: queries, documents and passwords can be read and changed on their way.
    Fix: aws opensearch update-domain-config --domain-name {name} --domain-endpoint-options
        EnforceHTTPS=true,TLSSecurityPolicy=Policy-Min-TLS-1-2-PFS-2023-10
    Source: https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_DomainEndpointOptions.html
    Verified: 2026-11-25
    """
    if not _on(domain, "DomainEndpointOptions", "EnforceHTTPS"):
        return fail("HTTPS is not enforced")
    policy = domain["DomainEndpointOptions"]["TLSSecurityPolicy"]
    return fail(f"HTTPS with {policy}") if policy.startswith(WEAK_TLS) else ok(f"HTTPS with {policy}")


@check(domains, severity="critical")
def domain_admits_nobody_unknown(domain: Resource) -> Verdict:
    """OpenSearch domain answers to nobody unknown

    A domain in a VPC is reached from its network only. Of another, the access policy must not let in
    everyone, unless fine-grained access control asks each request for a user.

    Risk: anyone on the internet can read, change and delete the indexes.
    Fix: name principals or addresses in the access policy: aws opensearch update-domain-config
        --domain-name {name} --access-policies FILE
    Source: https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ac.html
    Verified: 2026-11-25
    """
    if network := _network(domain):
        return ok(f"in {network}: reached from there only")
    policy = domain.get("AccessPolicies")
    asks = _on(domain, "AdvancedSecurityOptions") and not _on(
        domain, "AdvancedSecurityOptions", "AnonymousAuthEnabled"
    )
    if asks and public_statements(policy):
        return ok("the access policy lets in everyone, but fine-grained access control asks for a user")
    return open_to_nobody_unknown(policy, "no access policy: the account's own principals only")


@check(domains, severity="medium")
def domain_stands_in_vpc(domain: Resource) -> Verdict:
    """OpenSearch domain has no endpoint on the internet

    Risk: a mistake in the access policy, or a stolen password, is enough to reach the data from anywhere.
    Fix: the endpoint is chosen when a domain is made: make one in a VPC and restore a snapshot of
        {name} into it.
    Source: https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_VPCDerivedInfo.html
    Verified: 2026-11-25
    """
    network = _network(domain)
    return ok(f"in {network}") if network else fail("its endpoint is on the internet")


def _network(domain: Resource) -> str:
    """The VPC of a domain; "" for one with an endpoint on the internet, of which the API states none."""
    return str((domain.get("VPCOptions") or {}).get("VPCId") or "")


@check(domains, severity="medium")
def domain_records_access(domain: Resource) -> Verdict:
    """OpenSearch domain publishes its audit log

    Without fine-grained access control a domain cannot write one.

    Risk: nobody can say afterwards who read or changed which index.
    Fix: aws opensearch update-domain-config --domain-name {name} --log-publishing-options
        AUDIT_LOGS={CloudWatchLogsLogGroupArn=ARN,Enabled=true}; then turn on auditing in Dashboards
    Source: https://docs.aws.amazon.com/opensearch-service/latest/developerguide/audit-logs.html
    Verified: 2026-11-25
    """
    return _publishes(domain, "AUDIT_LOGS")


@check(domains, severity="low")
def domain_publishes_errors(domain: Resource) -> Verdict:
    """OpenSearch domain publishes its error log

    Risk: failed queries and failing nodes go unnoticed, and nobody can find out why.
    Fix: aws opensearch update-domain-config --domain-name {name} --log-publishing-options
        ES_APPLICATION_LOGS={CloudWatchLogsLogGroupArn=ARN,Enabled=true}
    Source: https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_LogPublishingOption.html
    Verified: 2026-11-25
    """
    return _publishes(domain, "ES_APPLICATION_LOGS")


@check(domains, severity="medium")
def domain_controls_access_finely(domain: Resource) -> Verdict:
    """OpenSearch domain gives rights by user and index

    Risk: whoever may send a request may read, change and delete every index.
    Fix: aws opensearch update-domain-config --domain-name {name} --advanced-security-options Enabled=true,...
    Source: https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_AdvancedSecurityOptions.html
    Verified: 2026-11-25
    """
    on = _on(domain, "AdvancedSecurityOptions")
    return ok("fine-grained access control on") if on else fail("fine-grained access control off")


@check(domains, severity="low")
def domain_keeps_no_users(domain: Resource) -> Verdict:
    """OpenSearch domain keeps no users and passwords of its own

    Risk: accounts in the domain outlive the people, and no second factor or password rule reaches them.
    Fix: map roles to IAM or SAML users, then aws opensearch update-domain-config --domain-name {name}
        --advanced-security-options InternalUserDatabaseEnabled=false,MasterUserOptions={MasterUserARN=ARN}
    Source: https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_AdvancedSecurityOptions.html
    Verified: 2026-11-25
    """
    if not _on(domain, "AdvancedSecurityOptions"):
        return not_applicable("without fine-grained access control a domain has no users")
    own = _on(domain, "AdvancedSecurityOptions", "InternalUserDatabaseEnabled")
    return fail("internal user database on") if own else ok("internal user database off")


@check(domains, severity="medium")
def domain_survives_loss_of_zone(domain: Resource, *, min_nodes: int = 3) -> Verdict:
    """OpenSearch domain has data nodes enough, in several zones, to go on without one

    Risk: when a node or its zone fails, indexes cannot be written, and may be lost.
    Fix: aws opensearch update-domain-config --domain-name {name} --cluster-config
        InstanceCount=3,ZoneAwarenessEnabled=true,ZoneAwarenessConfig={AvailabilityZoneCount=3}
    Source: https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_ClusterConfig.html
    Verified: 2026-11-25
    """
    cluster = domain["ClusterConfig"]
    nodes, aware = cluster["InstanceCount"], bool(cluster.get("ZoneAwarenessEnabled"))
    stated = f"{nodes} data nodes, {'in several zones' if aware else 'in one zone'}"
    return ok(stated) if aware and nodes >= min_nodes else fail(stated)


@check(domains, severity="low")
def domain_has_dedicated_masters(domain: Resource, *, min_nodes: int = 3) -> Verdict:
    """OpenSearch domain has master nodes that do nothing else, enough to go on without one

    Risk: a busy or failing data node takes the management of the whole domain with it.
    Fix: aws opensearch update-domain-config --domain-name {name} --cluster-config
        DedicatedMasterEnabled=true,DedicatedMasterCount=3,DedicatedMasterType=TYPE
    Source: https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_ClusterConfig.html
    Verified: 2026-11-25
    """
    cluster = domain["ClusterConfig"]
    if not cluster.get("DedicatedMasterEnabled"):
        return fail("no dedicated master nodes")
    masters = cluster["DedicatedMasterCount"]
    stated = f"{masters} dedicated master nodes"
    return ok(stated) if masters >= min_nodes else fail(f"{stated}, fewer than {min_nodes}")
