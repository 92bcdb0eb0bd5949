"""What AWS says of the demo's company where moto has no operation for it, or says otherwise than AWS."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from collector.demo.aws_company import IRELAND, MANAGEMENT, PRODUCTION, STAGING, VIRGINIA, Aws


def answers(aws: Aws, now: datetime) -> dict[str, Any]:
    """What is answered in front of moto: by operation, and as things stand."""
    return {
        **_deliberate_gaps(),
        **_identities(now),
        **_governance(now),
        **_records(now),
        **_departures(now),
        **_security_services(now),
        **_certificates(aws),
        **_machines(aws, now),
        **_backups(aws, now),
        **_copies_and_ends(),
        **_data_services(),
        **_applications(),
        "lambda.ListFunctionUrlConfigs": [
            {"when": {"FunctionName": "price-import"}, "answer": {"FunctionUrlConfigs": [PRICE_IMPORT_URL]}},
            {"answer": {"FunctionUrlConfigs": []}},
        ],
    }


PRICE_IMPORT_URL = {
    "FunctionUrl": f"https://abcdefghij.lambda-url.{IRELAND}.on.aws/",
    "FunctionArn": f"arn:aws:lambda:{IRELAND}:{PRODUCTION}:function:price-import",
    "AuthType": "NONE",
    "CreationTime": "2026-03-16T09:00:00Z",
    "LastModifiedTime": "2026-03-16T09:00:00Z",
}


def _deliberate_gaps() -> dict[str, Any]:
    """Two things that the collector may not see, so that one sees what that looks like."""
    by_policy = "User is not authorized to perform: {} with an explicit deny in a {} policy"
    return {
        "s3.GetBucketPolicy": [
            {
                "when": {"Bucket": "acme-hr-payroll"},
                "error": "AccessDenied",
                "message": by_policy.format("s3:GetBucketPolicy", "resource-based"),
            },
            {},
        ],
        "securityhub.DescribeHub": [
            {
                "account": STAGING,
                "region": VIRGINIA,
                "error": "AccessDeniedException",
                "message": by_policy.format("securityhub:DescribeHub", "service control"),
            },
            {},
        ],
    }


def _governance(now: datetime) -> dict[str, Any]:
    """What is set for all accounts, what keys are used for, and how the shop's design was reviewed."""
    opt_out = {"services": {"default": {"opt_out_policy": "optOut"}}}
    used = {"Operation": "Decrypt", "Timestamp": (now - timedelta(days=1)).isoformat()}
    shop = {
        "WorkloadArn": f"arn:aws:wellarchitected:{IRELAND}:{PRODUCTION}:workload/shop",
        "WorkloadName": "shop",
        "Owner": PRODUCTION,
        "UpdatedAt": "2025-11-18T10:00:00Z",
        "RiskCounts": {"HIGH": 1, "MEDIUM": 4, "NONE": 52},
        "ImprovementStatus": "IN_PROGRESS",
    }
    point = {"RecoveryPointArn": f"arn:aws:ec2:{IRELAND}::snapshot/snap-1", "Status": "COMPLETED"}
    return {
        "backup.ListRecoveryPointsByBackupVault": {"RecoveryPoints": [{**point, "IsEncrypted": True}]},
        "ec2.DescribeClientVpnEndpoints": {"ClientVpnEndpoints": []},
        "kms.GetKeyLastUsage": {"KeyLastUsage": used, "TrackingStartDate": "2025-06-01T00:00:00Z"},
        "organizations.DescribeEffectivePolicy": [
            {"when": {"PolicyType": "TAG_POLICY"}, "error": "EffectivePolicyNotFoundException"},
            {"answer": {"EffectivePolicy": {"PolicyContent": opt_out}}},
        ],
        "wellarchitected.ListWorkloads": [
            {"account": PRODUCTION, "region": IRELAND, "answer": {"WorkloadSummaries": [shop]}},
            {"answer": {"WorkloadSummaries": []}},
        ],
    }


UNUSED_SINCE = {
    "break-glass": "2025-06-12",
    "dana": "2026-01-09",
    "migration-2024": "2024-08-30",
    "support": "2025-10-02",
}
"""When people and roles were last at work that are not every day."""


def at_work(now: datetime) -> None:
    """Notes in moto who was at work the day before, and by which certificates; there is no call for it."""
    from moto.iam.models import AccessKeyLastUsed, iam_backends
    from moto.rds.models import rds_backends

    one: Any

    for account in (MANAGEMENT, PRODUCTION, STAGING):
        backend = iam_backends[account]["aws"]
        for one in backend.users.values():
            one.password_last_used = _last_used(one.name, now)
            for key in one.access_keys:
                key.last_used = AccessKeyLastUsed(_last_used(one.name, now), "s3", IRELAND)
        for one in backend.roles.values():
            one.last_used = _last_used(one.name, now)
    for one in rds_backends[PRODUCTION][IRELAND].databases.values():
        valid = {"CAIdentifier": "rds-ca-rsa2048-g1", "ValidTill": datetime(2027, 3, 11, tzinfo=UTC)}
        one.certificate_details = valid


def _last_used(name: str, now: datetime) -> datetime:
    last = UNUSED_SINCE.get(name)
    return datetime.fromisoformat(f"{last}T10:00:00+00:00") if last else now - timedelta(days=1)


def _departures(now: datetime) -> dict[str, Any]:
    """What CloudTrail keeps of users that were deleted; moto does not note events."""
    at = datetime(2026, 3, 24, 9, tzinfo=UTC)
    deleted = {
        "EventId": "5b1c4f0e-6d2a-4c1b-9a57-0d6f5f2f7c11",
        "EventName": "DeleteUser",
        "EventTime": at.isoformat(),
        "EventSource": "iam.amazonaws.com",
        "Username": "ada",
        "CloudTrailEvent": {"eventName": "DeleteUser", "requestParameters": {"userName": "dana"}},
    }
    events = [deleted] if now > at else []
    return {
        "cloudtrail.LookupEvents": [
            {"account": PRODUCTION, "answer": {"Events": events}},
            {"answer": {"Events": []}},
        ]
    }


def _identities(now: datetime) -> dict[str, Any]:
    """The root users, of whom moto knows nothing, and what IAM reports of all users."""
    from moto.iam.models import iam_backends

    at_work(now)
    roots = {
        MANAGEMENT: ("2026-02-27T16:20:00+00:00", True),
        PRODUCTION: ("2024-02-05T08:00:00+00:00", True),
        STAGING: ("2024-05-13T08:00:00+00:00", now >= datetime(2026, 3, 20, tzinfo=UTC)),
    }
    reports, summaries = [], []
    for account, (used, mfa) in roots.items():
        backend = iam_backends[account]["aws"]
        backend.generate_report()
        arn, born, unknown = f"arn:aws:iam::{account}:root", "2024-01-15T08:00:00+00:00", "not_supported"
        no_keys, no_certificates = ["false", *["N/A"] * 4] * 2, ["false", "N/A"] * 2
        root = ["<root_account>", arn, born, unknown, used, unknown, unknown, str(mfa).lower()]
        root += no_keys + no_certificates
        header, _, users = backend.get_credential_report().partition("\n")
        report = "\n".join([header, ",".join(root), users])
        reports.append({"account": account, "answer": {"Content": report, "ReportFormat": "text/csv"}})
        facts = {
            "AccountAccessKeysPresent": 0,
            "AccountMFAEnabled": int(mfa),
            "AccountPasswordPresent": 1,
            "AccountSigningCertificatesPresent": 0,
        }
        summaries.append({"account": account, "answer": {"SummaryMap": facts}})
    return {
        "iam.GetCredentialReport": reports,
        "iam.GetAccountSummary": summaries,
        "iam.ListOrganizationsFeatures": {"EnabledFeatures": ["RootCredentialsManagement"]},
    }


def _records(now: datetime) -> dict[str, Any]:
    """What CloudTrail and Config last delivered."""
    from moto.cloudtrail.models import cloudtrail_backends

    statuses = []
    for account in (MANAGEMENT, PRODUCTION, STAGING):
        for trail in cloudtrail_backends[account][IRELAND].trails.values():
            delivered = now - timedelta(minutes=5)
            logging = trail.status.is_logging
            status: dict[str, Any] = {"IsLogging": logging}
            if logging:
                status |= {"LatestDeliveryTime": delivered, "LatestCloudWatchLogsDeliveryTime": delivered}
            statuses.append({"account": account, "answer": status})
    delivery = {"lastStatus": "Success", "lastSuccessfulTime": now - timedelta(hours=2)}
    return {
        "cloudtrail.GetTrailStatus": statuses,
        "config.DescribeDeliveryChannelStatus": {
            "DeliveryChannelsStatus": [{"name": "default", "configHistoryDeliveryInfo": delivery}]
        },
    }


def _security_services(now: datetime) -> dict[str, Any]:
    """Access Analyzer, GuardDuty and Security Hub: what they found, and by which standards."""
    shop = {"account": PRODUCTION, "region": IRELAND}
    analyzers = [
        {
            "account": account,
            "region": region,
            "answer": {
                "analyzers": [
                    {
                        "arn": f"arn:aws:access-analyzer:{region}:{account}:analyzer/external",
                        "name": "external",
                        "type": "ACCOUNT",
                        "status": "ACTIVE",
                        "createdAt": "2024-02-05T09:00:00Z",
                    }
                ]
            },
        }
        for account in (MANAGEMENT, PRODUCTION)
        for region in (IRELAND, VIRGINIA)
    ]
    vendor = {
        "id": "5a1c7d7e-7a52-4b5c-9d0a-2f3c8f1f0a01",
        "resource": f"arn:aws:iam::{PRODUCTION}:role/metrics-vendor",
        "resourceType": "AWS::IAM::Role",
        "principal": {"AWS": "464622532012"},
        "action": ["sts:AssumeRole"],
        "isPublic": False,
        "status": "ARCHIVED",
        "createdAt": "2024-02-19T11:00:00Z",
    }
    exports = {
        **vendor,
        "id": "5a1c7d7e-7a52-4b5c-9d0a-2f3c8f1f0a02",
        "resource": "arn:aws:s3:::acme-data-exports",
        "resourceType": "AWS::S3::Bucket",
        "principal": {"AWS": "*"},
        "action": ["s3:GetObject"],
        "isPublic": True,
        "status": "ACTIVE",
        "createdAt": "2026-03-09T09:30:00Z",
    }
    attack = {
        "Id": "1ac2b3d4e5f607",
        "Arn": f"arn:aws:guardduty:{IRELAND}:{PRODUCTION}:detector/shop/finding/1ac2b3d4e5f607",
        "Type": "UnauthorizedAccess:EC2/SSHBruteForce",
        "Title": "An instance is the target of SSH brute force attacks",
        "Severity": 8,
        "CreatedAt": "2026-03-20T02:14:00Z",
        "UpdatedAt": "2026-03-30T02:14:00Z",
    }
    vulnerable = {
        "findingArn": f"arn:aws:inspector2:{IRELAND}:{PRODUCTION}:finding/0f9e8d7c6b5a49388271605f4e3d2c1b",
        "awsAccountId": PRODUCTION,
        "type": "PACKAGE_VULNERABILITY",
        "title": "CVE-2026-1234 - openssl",
        "severity": "HIGH",
        "status": "ACTIVE",
        "fixAvailable": "YES",
        "exploitAvailable": "NO",
        "firstObservedAt": "2026-02-24T05:00:00Z",
        "lastObservedAt": now,
        "resources": [
            {
                "type": "AWS_ECR_CONTAINER_IMAGE",
                "id": f"arn:aws:ecr:{IRELAND}:{PRODUCTION}:repository/shop-api",
            }
        ],
    }
    standard = "aws-foundational-security-best-practices/v/1.0.0"
    attacked = now >= datetime(2026, 3, 20, 3, tzinfo=UTC)
    opened = now >= datetime(2026, 3, 9, 10, tzinfo=UTC)
    return {
        "accessanalyzer.ListAnalyzers": [*analyzers, {"answer": {"analyzers": []}}],
        "accessanalyzer.ListFindings": [
            {**shop, "answer": {"findings": [vendor, *([exports] if opened else [])]}},
            {"answer": {"findings": []}},
        ],
        "inspector2.BatchGetAccountStatus": [
            {**shop, "answer": _scanning(PRODUCTION, ec2="ENABLED", ecr="ENABLED")},
            *(
                {"account": account, "answer": _scanning(account)}
                for account in (MANAGEMENT, PRODUCTION, STAGING)
            ),
        ],
        "inspector2.ListFindings": [
            {**shop, "answer": {"findings": [vulnerable]}},
            {"answer": {"findings": []}},
        ],
        "guardduty.ListMembers": {"Members": []},
        "guardduty.ListFindings": [
            {**shop, "answer": {"FindingIds": [attack["Id"]] if attacked else []}},
            {"answer": {"FindingIds": []}},
        ],
        "guardduty.GetFindings": {"Findings": [attack]},
        "securityhub.GetEnabledStandards": {
            "StandardsSubscriptions": [
                {
                    "StandardsArn": f"arn:aws:securityhub:{IRELAND}::standards/{standard}",
                    "StandardsInput": {},
                    "StandardsStatus": "READY",
                }
            ]
        },
        "securityhub.ListFindingAggregators": {"FindingAggregators": []},
    }


def _scanning(account: str, **on: str) -> dict[str, Any]:
    """What Inspector scans in a region of an account."""
    kinds = ("ec2", "ecr", "lambda", "lambdaCode")
    states = {kind: {"status": on.get(kind, "DISABLED")} for kind in kinds}
    status = "ENABLED" if on else "DISABLED"
    return {"accounts": [{"accountId": account, "state": {"status": status}, "resourceState": states}]}


def _certificates(aws: Aws) -> dict[str, Any]:
    """The load balancer's certificate, of which moto does not know that it is in use and renewed."""
    certificate = {
        "CertificateArn": aws.named["certificate"],
        "DomainName": "shop.acme.example",
        "Type": "AMAZON_ISSUED",
        "Status": "ISSUED",
        "KeyAlgorithm": "RSA_2048",
        "InUse": True,
        "RenewalEligibility": "ELIGIBLE",
        "NotBefore": "2025-11-17T00:00:00Z",
        "NotAfter": "2026-12-17T23:59:59Z",
        "CreatedAt": "2025-11-17T09:00:00Z",
        "IssuedAt": "2025-11-17T09:05:00Z",
    }
    here = {"account": PRODUCTION, "region": IRELAND}
    return {"acm.ListCertificates": [{**here, "answer": {"CertificateSummaryList": [certificate]}}, {}]}


def _machines(aws: Aws, now: datetime) -> dict[str, Any]:
    """EC2's settings of each account, and the machines that Systems Manager manages."""
    managed = [aws.named[name] for name in ("shop-1", "shop-2", "batch")]
    unpatched = aws.named["shop-2"] if now < datetime(2026, 3, 11, tzinfo=UTC) else ""
    shop = {"account": PRODUCTION, "region": IRELAND}
    hardened = [{"account": MANAGEMENT}, {"account": PRODUCTION}]
    return {
        "ec2.GetImageBlockPublicAccessState": {"ImageBlockPublicAccessState": "block-new-sharing"},
        "ec2.GetSnapshotBlockPublicAccessState": [
            *({**one, "answer": {"State": "block-all-sharing"}} for one in hardened),
            {"answer": {"State": "unblocked"}},
        ],
        "ec2.GetSerialConsoleAccessStatus": {"SerialConsoleAccessEnabled": False},
        "ec2.GetInstanceMetadataDefaults": [
            *({**one, "answer": {"AccountLevel": {"HttpTokens": "required"}}} for one in hardened),
            {"answer": {"AccountLevel": {}}},
        ],
        "ssm.GetServiceSetting": [
            *({**one, "answer": {"ServiceSetting": {"SettingValue": "Disable"}}} for one in hardened),
            {"answer": {"ServiceSetting": {"SettingValue": "Enable"}}},
        ],
        "ssm.DescribeInstanceInformation": [
            {
                **shop,
                "answer": {
                    "InstanceInformationList": [
                        {"InstanceId": one, "PingStatus": "Online", "PlatformType": "Linux",
                         "PlatformName": "Amazon Linux", "ResourceType": "EC2Instance"}
                        for one in managed
                    ]
                },
            },
            {"answer": {"InstanceInformationList": []}},
        ],
        "ssm.DescribeInstancePatchStates": {
            "InstancePatchStates": [
                {
                    "InstanceId": one,
                    "PatchGroup": "shop",
                    "BaselineId": "pb-0c10e65780EXAMPLE",
                    "MissingCount": 3 if one == unpatched else 0,
                    "FailedCount": 0,
                    "OperationStartTime": now - timedelta(hours=4),
                    "OperationEndTime": now - timedelta(hours=4),
                    "Operation": "Scan",
                }
                for one in managed
            ]
        },
    }  # fmt: skip


def _backups(aws: Aws, now: datetime) -> dict[str, Any]:
    """What AWS Backup takes in, and how its restore tests went."""
    shop = {"account": PRODUCTION, "region": IRELAND}
    last = now.replace(hour=3, minute=0)
    tested_again = now > datetime(2026, 3, 15, 6, tzinfo=UTC)
    covered = {
        f"arn:aws:rds:{IRELAND}:{PRODUCTION}:db:orders": "RDS",
        f"arn:aws:dynamodb:{IRELAND}:{PRODUCTION}:table/carts": "DynamoDB",
        aws.named["shared files"]: "EFS",
    }
    where = f"arn:aws:backup:{IRELAND}"
    plans = [
        {
            "account": account,
            "region": IRELAND,
            "answer": {
                "RestoreTestingPlans": [
                    {
                        "RestoreTestingPlanName": "monthly",
                        "RestoreTestingPlanArn": f"{where}:{account}:restore-testing-plan:monthly",
                        "ScheduleExpression": "cron(0 5 15 * ? *)",
                        "CreationTime": "2024-03-25T09:00:00Z",
                        "LastExecutionTime": f"2026-{'03' if tested_again else '02'}-15T05:00:00Z",
                    }
                ]
            },
        }
        for account in (MANAGEMENT, PRODUCTION, STAGING)
    ]
    tested = {
        "RestoreJobId": "6d7f0b1e-0001",
        "ResourceType": "RDS",
        "Status": "COMPLETED",
        "ValidationStatus": "SUCCESSFUL",
        "CreationDate": "2026-02-15T05:00:00Z",
        "CompletionDate": "2026-02-15T05:41:00Z",
        "PercentDone": "100",
    }
    failed = {
        **tested,
        "RestoreJobId": "6d7f0b1e-0002",
        "Status": "FAILED",
        "StatusMessage": "The DB parameter group postgres-tls was not found",
        "ValidationStatus": "FAILED",
        "CreationDate": "2026-03-15T05:00:00Z",
        "CompletionDate": "2026-03-15T05:12:00Z",
    }
    jobs = [tested, *([failed] if tested_again else [])]
    return {
        "backup.ListBackupSelections": {
            "BackupSelectionsList": [
                {"SelectionId": "1", "SelectionName": "tagged", "BackupPlanId": aws.named["backup plan"]}
            ]
        },
        "backup.GetBackupVaultAccessPolicy": [{"error": "ResourceNotFoundException"}],
        "backup.ListProtectedResources": [
            {
                **shop,
                "answer": {
                    "Results": [
                        {"ResourceArn": arn, "ResourceType": kind, "LastBackupTime": last}
                        for arn, kind in covered.items()
                    ]
                },
            },
            {"answer": {"Results": []}},
        ],
        "backup.ListRestoreTestingPlans": [*plans, {"answer": {"RestoreTestingPlans": []}}],
        "backup.ListRestoreTestingSelections": {
            "RestoreTestingSelections": [
                {"RestoreTestingPlanName": "monthly", "RestoreTestingSelectionName": "databases",
                 "ProtectedResourceType": "RDS", "IamRoleArn": f"arn:aws:iam::{PRODUCTION}:role/backup",
                 "CreationTime": "2024-03-25T09:00:00Z"}
            ]
        },
        "backup.ListRestoreJobs": [
            {**shop, "answer": {"RestoreJobs": jobs}},
            {"answer": {"RestoreJobs": []}},
        ],
    }  # fmt: skip


def _copies_and_ends() -> dict[str, Any]:
    """Buckets whose objects are locked, copied or deleted by rule."""
    lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 365}}}
    copy = {
        "ID": "second-copy",
        "Status": "Enabled",
        "Priority": 1,
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": "arn:aws:s3:::acme-second-copy", "Account": MANAGEMENT},
    }
    replication = {"Role": f"arn:aws:iam::{PRODUCTION}:role/replication", "Rules": [copy]}
    end = {"ID": "end", "Status": "Enabled", "Filter": {"Prefix": ""}}
    return {
        "s3.GetObjectLockConfiguration": [
            {"when": {"Bucket": "acme-management-audit-logs"}, "answer": {"ObjectLockConfiguration": lock}},
            {},
        ],
        "s3.GetBucketReplication": [
            {"when": {"Bucket": "acme-shop-backups"}, "answer": {"ReplicationConfiguration": replication}},
            {},
        ],
        "s3.GetBucketLifecycleConfiguration": [
            {"when": {"Bucket": name}, "answer": {"Rules": [{**end, "Expiration": {"Days": days}}]}}
            for name, days in (("acme-management-audit-logs", 730), ("acme-data-exports", 30))
        ]
        + [{}],
    }


def _data_services() -> dict[str, Any]:
    """A warehouse, a cache and a search domain of the shop; and services that the company does not use."""
    shop = {"account": PRODUCTION, "region": IRELAND}
    key = f"arn:aws:kms:{IRELAND}:{PRODUCTION}:key/7d1e0c52-6d4f-4a37-9a43-0c5b1f2d3e4f"
    warehouse = {
        "ClusterIdentifier": "warehouse",
        "ClusterStatus": "available",
        "ClusterCreateTime": "2024-09-02T08:00:00Z",
        "NodeType": "ra3.large",
        "NumberOfNodes": 2,
        "Encrypted": True,
        "KmsKeyId": key,
        "PubliclyAccessible": False,
        "AutomatedSnapshotRetentionPeriod": 1,
        "EnhancedVpcRouting": False,
        "MultiAZ": "Disabled",
        "AllowVersionUpgrade": True,
        "ClusterParameterGroups": [{"ParameterGroupName": "tls", "ParameterApplyStatus": "in-sync"}],
    }
    sessions = {
        "ReplicationGroupId": "sessions",
        "ARN": f"arn:aws:elasticache:{IRELAND}:{PRODUCTION}:replicationgroup:sessions",
        "Status": "available",
        "Engine": "valkey",
        "MultiAZ": "enabled",
        "AutomaticFailover": "enabled",
        "AtRestEncryptionEnabled": True,
        "KmsKeyId": key,
        "TransitEncryptionEnabled": True,
        "TransitEncryptionMode": "preferred",
        "AuthTokenEnabled": True,
        "SnapshotRetentionLimit": 3,
    }
    search = {
        "DomainId": f"{PRODUCTION}/catalogue",
        "DomainName": "catalogue",
        "ARN": f"arn:aws:es:{IRELAND}:{PRODUCTION}:domain/catalogue",
        "EngineVersion": "OpenSearch_2.17",
        "ClusterConfig": {
            "InstanceType": "r6g.large.search",
            "InstanceCount": 3,
            "ZoneAwarenessEnabled": True,
            "ZoneAwarenessConfig": {"AvailabilityZoneCount": 3},
            "DedicatedMasterEnabled": False,
        },
        "VPCOptions": {"VPCId": "vpc-0d5e6f7a8b9c0d1e2", "SubnetIds": ["subnet-0a1b2c3d4e5f6a7b8"]},
        "EncryptionAtRestOptions": {"Enabled": True, "KmsKeyId": key},
        "NodeToNodeEncryptionOptions": {"Enabled": True},
        "DomainEndpointOptions": {"EnforceHTTPS": True, "TLSSecurityPolicy": "Policy-Min-TLS-1-0-2019-07"},
        "AdvancedSecurityOptions": {"Enabled": True, "InternalUserDatabaseEnabled": False},
        "LogPublishingOptions": {},
    }
    required = {"ParameterName": "require_ssl", "ParameterValue": "true", "Source": "user"}
    logging = {"LoggingEnabled": True, "BucketName": "acme-production-audit-logs"}
    return {
        "redshift.DescribeClusters": [
            {**shop, "answer": {"Clusters": [warehouse]}},
            {"answer": {"Clusters": []}},
        ],
        "redshift.DescribeLoggingStatus": logging,
        "redshift.DescribeClusterParameters": {"Parameters": [required]},
        "redshift-serverless.ListWorkgroups": {"workgroups": []},
        "redshift-serverless.ListNamespaces": {"namespaces": []},
        "elasticache.DescribeReplicationGroups": [
            {**shop, "answer": {"ReplicationGroups": [sessions]}},
            {"answer": {"ReplicationGroups": []}},
        ],
        "elasticache.DescribeCacheClusters": {"CacheClusters": []},
        "opensearch.ListDomainNames": [
            {**shop, "answer": {"DomainNames": [{"DomainName": "catalogue"}]}},
            {"answer": {"DomainNames": []}},
        ],
        "opensearch.DescribeDomains": {"DomainStatusList": [search]},
        "kafkaconnect.ListConnectors": {"connectors": []},
        "storagegateway.ListFileShares": {"FileShareInfoList": []},
        "macie2.GetMacieSession": [{"error": "AccessDeniedException", "message": "Macie is not enabled."}],
    }


def _applications() -> dict[str, Any]:
    """The shop's Kubernetes cluster, and what moto does not know of other services."""
    shop = {"account": PRODUCTION, "region": IRELAND}
    cluster = {
        "name": "shop",
        "arn": f"arn:aws:eks:{IRELAND}:{PRODUCTION}:cluster/shop",
        "version": "1.34",
        "resourcesVpcConfig": {
            "endpointPublicAccess": True,
            "endpointPrivateAccess": True,
            "publicAccessCidrs": ["203.0.113.16/28"],
        },
        "logging": {"clusterLogging": [{"types": ["api", "audit", "authenticator"], "enabled": True}]},
    }
    version = {
        "clusterVersion": "1.34",
        "versionStatus": "STANDARD_SUPPORT",
        "endOfStandardSupportDate": "2026-12-02T00:00:00Z",
        "endOfExtendedSupportDate": "2027-12-02T00:00:00Z",
    }
    return {
        "appstream.DescribeFleets": {"Fleets": []},
        "bedrock-agent.ListPrompts": {"promptSummaries": []},
        "codeartifact.ListRepositories": {"repositories": []},
        "codebuild.ListReportGroups": {"reportGroups": []},
        "directconnect.DescribeVirtualInterfaces": {"virtualInterfaces": []},
        "eks.DescribeCluster": {"cluster": cluster},
        "eks.DescribeClusterVersions": {"clusterVersions": [version]},
        "eks.ListClusters": [{**shop, "answer": {"clusters": ["shop"]}}, {"answer": {"clusters": []}}],
        "elasticbeanstalk.ListPlatformBranches": {"PlatformBranchSummaryList": []},
        "emr.GetBlockPublicAccessConfiguration": {
            "BlockPublicAccessConfiguration": {"BlockPublicSecurityGroupRules": True},
            "BlockPublicAccessConfigurationMetadata": {
                "CreationDateTime": "2024-01-15T08:00:00Z",
                "CreatedByArn": f"arn:aws:iam::{MANAGEMENT}:root",
            },
        },
        "events.ListEndpoints": {"Endpoints": []},
    }
