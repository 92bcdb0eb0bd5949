"""Google Cloud: the hierarchy and who may do what in it by Resource Manager, the configuration of resources
by Cloud Asset Inventory, of which one listing of a project answers for all its services.

A scope is a hierarchy (an organisation or folder that the source names) or a project. It is read with
application default credentials, or as a service account that these may impersonate.

Cloud Asset Inventory lists what there is, in pages of 1000, as of one time. A session lists each kind of
content once and gives every evidence its types, so a project costs two or three calls whatever number of
checks read it. `ListAssets` is allowed 100 times a minute by the project whose quota is used, and 800 times
by the organisation that is read; whoever exceeds it is asked to wait, and does.

Resource Manager gives what stands right below an organisation or folder, by two listings, and the IAM policy
of one of them or of a project by a call. Its listings leave nothing out: who may not list below a folder is
refused, and what is below counts as not read; its `search` would say nothing of what one may not see. An
organisation of 300 folders and 5,000 projects takes about 600 listings to plan and as many for its own scope,
300 calls for its policies and three for each project (its policy, tags and liens). 600 listings and 600
other reads are allowed in a minute, so it is a project's two or three `ListAssets`, of which 100 are, that
tell how long a run takes.

Nothing leaves but these and GET, and of all of them only what the evidence being read declares: see
`GcpSession.begin`. (A session that must know its project's number may ask for the project, too.)

https://docs.cloud.google.com/resource-manager/reference/rest/v3
https://docs.cloud.google.com/resource-manager/docs/limits
https://docs.cloud.google.com/asset-inventory/docs/reference/rest/v1/assets/list
https://docs.cloud.google.com/asset-inventory/docs/quota
https://docs.cloud.google.com/apis/design/errors
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from collector.model import Call, Gap, Json, NotCollected, NotCollectedError, Reason, Scope
from collector.platforms import CallLog, Context, declared, refuse_undeclared
from collector.platforms.pace import EXCEEDED, Pace

if TYPE_CHECKING:
    from google.api_core.exceptions import GoogleAPICallError

    from collector.sdk import Evidence

Number = Annotated[str, StringConstraints(pattern=r"^\d+$")]
ProjectId = Annotated[str, StringConstraints(pattern=r"^([a-z0-9.-]+:)?[a-z][a-z0-9-]*[a-z0-9]$")]

LIST_RESOURCES = "cloudasset.assets.listResource"
LIST_POLICIES = "cloudasset.assets.listIamPolicy"
GET_PROJECT = "resourcemanager.projects.get"
GET_ORGANIZATION = "resourcemanager.organizations.get"
GET_FOLDER = "resourcemanager.folders.get"
LIST_FOLDERS = "resourcemanager.folders.list"
LIST_PROJECTS = "resourcemanager.projects.list"
LIST_TAGS = "resourcemanager.hierarchyNodes.listEffectiveTags"
TREE = (GET_ORGANIZATION, GET_FOLDER, LIST_FOLDERS, LIST_PROJECTS)
"""What reading a hierarchy takes."""

READS: Mapping[str, tuple[str, str]] = {
    GET_ORGANIZATION: ("OrganizationsClient", "get_organization"),
    GET_FOLDER: ("FoldersClient", "get_folder"),
    GET_PROJECT: ("ProjectsClient", "get_project"),
    LIST_FOLDERS: ("FoldersClient", "list_folders"),
    LIST_PROJECTS: ("ProjectsClient", "list_projects"),
    LIST_TAGS: ("TagBindingsClient", "list_effective_tags"),
    "resourcemanager.organizations.getIamPolicy": ("OrganizationsClient", "get_iam_policy"),
    "resourcemanager.folders.getIamPolicy": ("FoldersClient", "get_iam_policy"),
    "resourcemanager.projects.getIamPolicy": ("ProjectsClient", "get_iam_policy"),
}
"""What Resource Manager is asked, by the permission that it needs: a client of google-cloud-resource-manager
and its method.

https://docs.cloud.google.com/resource-manager/docs/access-control-proj
"""

POLICY_VERSION = 3
"""The version of an IAM policy that tells of conditions; another would leave them out.

https://docs.cloud.google.com/iam/docs/policies#versions
"""

CONTENT = {LIST_RESOURCES: "RESOURCE", LIST_POLICIES: "IAM_POLICY"}
"""What `ListAssets` is asked for, by the permission that it needs.

https://docs.cloud.google.com/asset-inventory/docs/access-control#permissions
"""

READ_CALL = re.compile(
    r"^(GET https://[a-z0-9.-]+\.googleapis\.com/|cloudasset\.assets\.list(Resource|IamPolicy)$"
    r"|resourcemanager\.(organizations|folders|projects)\.(get|list|getIamPolicy)$"
    r"|resourcemanager\.hierarchyNodes\.listEffectiveTags$)"
)
PERMISSION = re.compile(
    r"^[a-z][A-Za-z0-9]*\.[A-Za-z0-9]+\.(get|list|search|query|view|analyze|check)[A-Za-z0-9]*$"
)

ORGANIZATION = "cloudresourcemanager.googleapis.com/Organization"
FOLDER = "cloudresourcemanager.googleapis.com/Folder"
PROJECT = "cloudresourcemanager.googleapis.com/Project"
KINDS = {"organizations": ORGANIZATION, "folders": FOLDER, "projects": PROJECT}
RESOURCE_MANAGER = "//cloudresourcemanager.googleapis.com/"
ORG_POLICY = "orgpolicy.googleapis.com/Policy"

ASSET_TYPES: Mapping[str, tuple[str, ...]] = {
    "hierarchy": (
        "compute.googleapis.com/FirewallPolicy",
        "essentialcontacts.googleapis.com/Contact",
        "iam.googleapis.com/Role",
        "logging.googleapis.com/LogBucket",
        "logging.googleapis.com/LogSink",
        "orgpolicy.googleapis.com/CustomConstraint",
        ORG_POLICY,
    ),
    "project": (
        "alloydb.googleapis.com/Cluster",
        "alloydb.googleapis.com/Instance",
        "apikeys.googleapis.com/Key",
        "appengine.googleapis.com/Version",
        "artifactregistry.googleapis.com/Repository",
        "backupdr.googleapis.com/BackupPlanAssociation",
        "backupdr.googleapis.com/BackupVault",
        "bigquery.googleapis.com/Dataset",
        "cloudfunctions.googleapis.com/CloudFunction",
        "cloudfunctions.googleapis.com/Function",
        "cloudkms.googleapis.com/CryptoKey",
        "cloudkms.googleapis.com/CryptoKeyVersion",
        "cloudkms.googleapis.com/KeyRing",
        PROJECT,
        "compute.googleapis.com/Address",
        "compute.googleapis.com/BackendService",
        "compute.googleapis.com/Disk",
        "compute.googleapis.com/Firewall",
        "compute.googleapis.com/ForwardingRule",
        "compute.googleapis.com/GlobalForwardingRule",
        "compute.googleapis.com/Image",
        "compute.googleapis.com/Instance",
        "compute.googleapis.com/InstanceTemplate",
        "compute.googleapis.com/MachineImage",
        "compute.googleapis.com/Network",
        "compute.googleapis.com/Project",
        "compute.googleapis.com/RegionBackendService",
        "compute.googleapis.com/RegionDisk",
        "compute.googleapis.com/ResourcePolicy",
        "compute.googleapis.com/Snapshot",
        "compute.googleapis.com/SslCertificate",
        "compute.googleapis.com/SslPolicy",
        "compute.googleapis.com/Subnetwork",
        "compute.googleapis.com/TargetHttpProxy",
        "compute.googleapis.com/TargetHttpsProxy",
        "compute.googleapis.com/TargetSslProxy",
        "compute.googleapis.com/UrlMap",
        "container.googleapis.com/Cluster",
        "container.googleapis.com/NodePool",
        "dataproc.googleapis.com/Cluster",
        "dns.googleapis.com/ManagedZone",
        "dns.googleapis.com/Policy",
        "essentialcontacts.googleapis.com/Contact",
        "file.googleapis.com/Backup",
        "file.googleapis.com/Instance",
        "firestore.googleapis.com/Database",
        "iam.googleapis.com/Role",
        "iam.googleapis.com/ServiceAccount",
        "iam.googleapis.com/ServiceAccountKey",
        "iam.googleapis.com/WorkloadIdentityPool",
        "iam.googleapis.com/WorkloadIdentityPoolProvider",
        "logging.googleapis.com/LogBucket",
        "logging.googleapis.com/LogMetric",
        "logging.googleapis.com/LogSink",
        "monitoring.googleapis.com/AlertPolicy",
        "monitoring.googleapis.com/NotificationChannel",
        ORG_POLICY,
        "pubsub.googleapis.com/Subscription",
        "pubsub.googleapis.com/Topic",
        "redis.googleapis.com/Cluster",
        "redis.googleapis.com/Instance",
        "run.googleapis.com/Job",
        "run.googleapis.com/Service",
        "secretmanager.googleapis.com/Secret",
        "secretmanager.googleapis.com/SecretVersion",
        "serviceusage.googleapis.com/Service",
        "spanner.googleapis.com/Backup",
        "spanner.googleapis.com/Database",
        "spanner.googleapis.com/Instance",
        "sqladmin.googleapis.com/Instance",
        "storage.googleapis.com/Bucket",
    ),
}
"""What is listed of a scope, by its kind: all that a check reads. Evidence that wants another type is served
by a listing of its own.

https://docs.cloud.google.com/asset-inventory/docs/asset-types
"""

APART = frozenset({"bigquery.googleapis.com/Table"})
"""Not in that table, for there may be hundreds of thousands: listed on its own, so that neither what it costs
nor that it breaks off touches other evidence.
"""

PAGE = 1000
"""Assets in a page, at most.

https://docs.cloud.google.com/asset-inventory/docs/reference/rest/v1/assets/list
"""

EXACT = 1 << 53
"""Whole numbers below it are exact where the protocol carries numbers as doubles."""

A_MINUTE = 60.0
"""Seconds to wait where Google does not say how long: its quotas are per minute."""

LONGEST_BACKOFF = 8.0
"""Seconds between two tries, at most, after trouble that passes."""

CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"

LOG_IN = "run `gcloud auth application-default login`"

CREDENTIALS = {
    "ACCESS_TOKEN_EXPIRED",
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
    "ACCESS_TOKEN_TYPE_UNSUPPORTED",
    "ACCOUNT_STATE_INVALID",
    "CREDENTIALS_MISSING",
    "CREDENTIAL_TYPE_UNSUPPORTED",
    "JWT_TOKEN_INVALID",
}
"""Google's reasons for which the credentials themselves are refused.

https://docs.cloud.google.com/apis/docs/reference/rpc/google.api#google.api.ErrorReason
"""

RATES = {"RATE_LIMIT_EXCEEDED", "RESOURCE_QUOTA_EXCEEDED"}

BY_POLICY = {
    "SECURITY_POLICY_VIOLATED": "VPC Service Controls",
    "RESOURCE_USAGE_RESTRICTION_VIOLATED": "the organisation policy gcp.restrictServiceUsage",
    "ORG_RESTRICTION_VIOLATION": "organisation restrictions",
    "LOCATION_POLICY_VIOLATED": "a location policy",
    "LOCATION_ORG_POLICY_VIOLATED": "the organisation policy on locations",
    "TLS_ORG_POLICY_VIOLATED": "the organisation policy on TLS versions",
}
"""Whose refusal it is, by Google's reason."""

VPC_SC = "vpcServiceControlsUniqueIdentifier"

UNREADABLE = "the answer could not be read: it is cut off or not what Google documents"

STATUS_OF_CODE = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""Google's name of an HTTP status; of the others below 500 it is INVALID_ARGUMENT.

https://docs.cloud.google.com/apis/design/errors#handling_errors
"""

REASON_OF_STATUS = {
    "UNAUTHENTICATED": Reason.DENIED,
    "PERMISSION_DENIED": Reason.DENIED,
    "NOT_FOUND": Reason.GONE,
    "RESOURCE_EXHAUSTED": Reason.THROTTLED,
    "INVALID_ARGUMENT": Reason.MALFORMED,
    "FAILED_PRECONDITION": Reason.MALFORMED,
    "OUT_OF_RANGE": Reason.MALFORMED,
    "UNIMPLEMENTED": Reason.MALFORMED,
    "DATA_LOSS": Reason.MALFORMED,
}
"""All other statuses are UNREACHABLE: trouble that passes."""


class Options(BaseModel):
    """The keys of a Google Cloud source in `config.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    organizations: tuple[Number, ...] = Field((), description="Numbers of organisations to read")
    folders: tuple[Number, ...] = Field((), description="Numbers of folders to read")
    projects: tuple[ProjectId, ...] = Field((), description="Ids of single projects to read")
    exclude_projects: tuple[str, ...] = Field(
        (), description="Ids of projects left out, or patterns of them such as `sys-*`"
    )
    impersonate: str | None = Field(None, pattern="@", description="E-mail of the service account to read as")
    quota_project: str | None = Field(
        None,
        description="Project whose quota is used and that has the APIs on; the credentials' own if absent",
    )
    transport: Literal["grpc", "rest"] = Field(
        "grpc", description="`rest` where a proxy lets no gRPC through"
    )
    attempts: int = Field(5, ge=1, le=20, strict=True, description="Tries of one call, the first included")
    timeout: float = Field(60, gt=0, strict=True, description="Seconds to wait for an answer")
    max_wait: float = Field(
        900, ge=0, strict=True, description="Seconds to wait at most until a rate limit is lifted"
    )
    endpoint: str | None = Field(
        None,
        pattern=r"^http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$",
        description="Another place for every REST call, without credentials (tests, the demo)",
    )
    grpc_endpoint: str | None = Field(
        None,
        pattern=r"^(localhost|127\.0\.0\.1|\[::1\]):\d+$",
        description="And for gRPC calls, as host:port",
    )

    @model_validator(mode="after")
    def _says_what_to_read(self) -> Options:
        if not (self.organizations or self.folders or self.projects):
            raise ValueError("name at least one of organizations, folders and projects")
        if self.endpoint and self.transport == "grpc" and not self.grpc_endpoint:
            raise ValueError("`endpoint` is for REST; give `grpc_endpoint` too, or `transport: rest`")
        if self.grpc_endpoint and not self.endpoint:
            raise ValueError("give `endpoint` beside `grpc_endpoint`")
        return self


def plan(source: str, options: Options) -> Iterator[Scope | Gap]:
    """The hierarchies of a source, each with the projects in it, then the projects it names.

    Resource Manager lists what is right below the organisation or folder, then what is below that. What is
    below a folder that may not be listed is a gap, and so is a project that is pending deletion. (A folder
    that is has nothing left in it but such projects: neither is read.) What is moved meanwhile may be missed,
    until the next run.

    A project that two roots lead to is read once, under the first.

    Raises:
        NotCollectedError: there are no credentials, or Google does not accept them.
    """
    _credentials.cache_clear()  # whoever logged in anew since the last run is known from here on
    _channel.cache_clear()
    google = _Google(options, Pace())
    seen: set[str] = set()
    roots = [f"organizations/{one}" for one in options.organizations]
    roots += [f"folders/{one}" for one in options.folders]
    for root in dict.fromkeys(roots):
        tree = google.tree(root)
        if tree.assets:
            name = tree.assets[0]["resource"]["data"].get("displayName", "")
            yield Scope(source, "gcp", "hierarchy", root, name=name)
        if tree.missing:
            yield Gap(source, root, tree.missing)
        projects = [one["resource"]["data"] for one in tree.assets if one["assetType"] == PROJECT]
        for project in sorted(projects, key=lambda one: str(one.get("projectId", ""))):
            yield from _planned(source, options, seen, root, project)
    for name in options.projects:
        if name in seen:
            continue
        try:
            project = google.one(GET_PROJECT, name=f"projects/{name}")
        except NotCollectedError as error:
            yield Gap(source, name, NotCollected(error.reason, error.detail))
            continue
        yield from _planned(source, options, seen, "", {"name": name, **project})


def _planned(
    source: str, options: Options, seen: set[str], root: str, project: Mapping[str, Any]
) -> Iterator[Scope | Gap]:
    """A project as a scope, or as a gap if it is being deleted; nothing if it is left out or known.

    `project` is as version 3 of the Resource Manager API describes one.
    """
    name = project.get("projectId", "")
    if not name:
        called = str(project.get("name", "a project"))
        missing = NotCollected(Reason.MALFORMED, f"Google says nothing of {called}")
        yield Gap(source, f"{root}/{called.rsplit('/', 1)[-1]}".lstrip("/"), missing)
        return
    if name in seen or any(fnmatch.fnmatchcase(name, one) for one in options.exclude_projects):
        return
    seen.add(name)
    place, part = (root, name) if root else (name, "")
    title = project.get("displayName", "")
    if project.get("state") == "DELETE_REQUESTED":
        missing = NotCollected(Reason.DISABLED, f"project {name} is pending deletion")
        yield Gap(source, f"{place}/{part}" if part else place, missing)
        return
    yield Scope(source, "gcp", "project", place, part, name=title)


def open_session(options: Options, scope: Scope, context: Context) -> GcpSession:
    """A session on one hierarchy or one project.

    Raises:
        NotCollectedError: there are no credentials, or Google does not accept them.
    """
    return GcpSession(options, scope, context)


def permissions(evidence: Iterable[Evidence], sources: Iterable[Options] = ()) -> str:
    """The gcloud commands that create the least role, grant it, and enable the APIs that are asked.

    Without sources, as for one that reads an organisation.

    Raises:
        ValueError: an evidence names what is no permission that only reads.
    """
    read = list(evidence)
    named = sorted({name for one in read for name in one.permissions})
    if unfit := [name for name in named if not PERMISSION.search(name)]:
        raise ValueError(f"not a permission that only reads: {', '.join(unfit)}")
    known = list(sources) or [Options(organizations=("0",))]
    whole = _grant(read, "hierarchy", "project")
    accounts = {one.impersonate for one in known} or {None}
    account = accounts.pop() if len(accounts) == 1 else None
    member = f"serviceAccount:{account or 'collector@PROJECT.iam.gserviceaccount.com'}"
    parts = [f"MEMBER={member}   # or user:NAME@DOMAIN", ""]
    for number in dict.fromkeys(one for source in known for one in source.organizations):
        shown = number if number != "0" else "ORGANIZATION"
        parts += [*_role(f"--organization={shown}", whole)]
        parts += [_bind(f"organizations add-iam-policy-binding {shown}", f"organizations/{shown}"), ""]
    for number in dict.fromkeys(one for source in known for one in source.folders):
        parts += [
            "# a folder's role is made in its organisation",
            *_role("--organization=ORGANIZATION", whole),
        ]
        command = f"resource-manager folders add-iam-policy-binding {number}"
        parts += [_bind(command, "organizations/ORGANIZATION"), ""]
    single = _grant(read, "project")
    for name in dict.fromkeys(one for source in known for one in source.projects):
        parts += [*_role(f"--project={name}", single)]
        parts += [_bind(f"projects add-iam-policy-binding {name}", f"projects/{name}"), ""]
    parts += _set_up(read, known)
    return "\n".join(parts)


def _grant(read: Iterable[Evidence], *kinds: str) -> list[str]:
    """What reading this evidence from scopes of these kinds takes, with finding the scopes."""
    needed = {name for one in read if one.per in kinds for name in one.permissions}
    finding = {LIST_RESOURCES, GET_PROJECT, *(TREE if "hierarchy" in kinds else ())}
    return sorted(needed | finding)


def _role(where: str, permissions: Iterable[str]) -> list[str]:
    return [
        f"gcloud iam roles create controlCollector {where} --title='Control collector' --stage=GA \\",
        f"  --permissions={','.join(permissions)}",
    ]


def _bind(command: str, holder: str) -> str:
    return (
        f'gcloud {command} --member="$MEMBER" \\\n  --role={holder}/roles/controlCollector --condition=None'
    )


def _set_up(read: Iterable[Evidence], sources: Iterable[Options]) -> Iterator[str]:
    """What the project needs whose quota is used, and whoever reads as another."""
    hosts = {urlsplit(call.removeprefix("GET ")).netloc for one in read for call in one.calls if " " in call}
    apis = {"cloudasset.googleapis.com", "cloudresourcemanager.googleapis.com", *hosts}
    known = list(sources)
    if any(one.impersonate for one in known):
        apis.add("iamcredentials.googleapis.com")
    yield "# in the project whose quota is used: that of the service account, or `quota_project`"
    for name in dict.fromkeys(one.quota_project or "QUOTA_PROJECT" for one in known):
        yield f"gcloud services enable {' '.join(sorted(apis))} --project={name}"
        yield f'gcloud projects add-iam-policy-binding {name} --member="$MEMBER" \\'
        yield "  --role=roles/serviceusage.serviceUsageConsumer --condition=None"
    for account in dict.fromkeys(one.impersonate for one in known if one.impersonate):
        yield f"# whoever reads as {account}"
        yield f"gcloud iam service-accounts add-iam-policy-binding {account} --member=user:NAME@DOMAIN \\"
        yield "  --role=roles/iam.serviceAccountTokenCreator"


def classify(error: Exception) -> NotCollected | None:
    """The reason for an error of Google's clients or of the connection; None if it is neither's.

    The detail holds only what stays the same when the same thing happens again, so that an unchanged
    failure is no change in the ledger.
    """
    import requests
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError
    from google.protobuf.json_format import ParseError  # type: ignore[import-untyped]

    if isinstance(error, NotCollectedError):
        return NotCollected(error.reason, error.detail)
    if isinstance(error, GoogleAPICallError):
        return _classify_answer(error)
    if isinstance(error, GoogleAuthError):
        return _classify_credentials(error)
    if isinstance(error, ParseError):
        return NotCollected(Reason.MALFORMED, UNREADABLE)
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return NotCollected(Reason.UNREACHABLE, "the connection broke off within the answer")
    if isinstance(error, requests.exceptions.RequestException):
        return NotCollected(Reason.UNREACHABLE, f"no answer ({type(error).__name__})")
    return None


class GcpSession:
    """A read-only connection to one hierarchy or one project.

    Fields:
        project: the project's id; "" on a hierarchy.
        parent: what is read, as the API names it: `organizations/123`, `folders/456`, `projects/my-project`.
    """

    def __init__(self, options: Options, scope: Scope, context: Context) -> None:
        self.redact = context.redact
        self.project = (scope.part or scope.place) if scope.kind == "project" else ""
        self.parent = f"projects/{self.project}" if self.project else scope.place
        self.endpoint = options.endpoint or "googleapis.com"
        self.stated: int | None = None
        self._kind = scope.kind
        self._google = _Google(options, context.pace, self._note)
        self.identity = self._google.identity
        self._memo: dict[str, _Read] = {}
        self._allowed: frozenset[str] = frozenset()
        self._notes: list[_Note] = []

    def begin(self, evidence: Evidence) -> None:
        """From here on only the calls that `evidence` declares leave; starts a new list of calls."""
        self._allowed = declared(evidence, READ_CALL)
        self._notes = []
        self.stated = None

    def calls(self) -> tuple[Call, ...]:
        log = CallLog()
        for note in self._notes:
            log.add(note.operation, note.params, note.date, note.request_id)
        return log.summary()

    def close(self) -> None:
        self._google.close()

    @property
    def number(self) -> str:
        """The project's number; "" on a hierarchy."""
        if not self.project:
            return ""
        for read in self._memo.values():
            if isinstance(read.value, _Listing):
                for asset in read.value.assets:
                    return _nearest(asset).removeprefix("projects/")
        named = self.once("number", lambda: self._google.one(GET_PROJECT, name=self.parent)["name"])
        return str(named.removeprefix("projects/"))

    def assets(self, *asset_types: str) -> Iterator[dict[str, Any]]:
        """The assets of these types, as the REST API writes them, with `resource.data` as their service does.

        `{"name", "assetType", "resource": {"version", "discoveryName", "parent", "location", "data"},
        "ancestors", "updateTime"}`. On a hierarchy only those that hang on the organisation and its folders;
        `nodes` reads these themselves. An error ends the evidence, partial so far.

        Whole numbers are ints, as far as doubles are exact; what JSON writes as text (int64) is text.
        """
        yield from self._listed(LIST_RESOURCES, ASSET_TYPES[self._kind], asset_types)

    def nodes(self, *asset_types: str) -> Iterator[dict[str, Any]]:
        """The organisation or folder that is read, and the folders and projects below it; of these types.

        As `assets` gives them: `{"name", "assetType", "resource": {"data"}, "ancestors"}`, with `data` as
        version 3 of the Resource Manager API has it. `ancestors` begin with the node itself and end with the
        organisation, or right above the folder that is read. An error ends the evidence after what could be
        read.
        https://docs.cloud.google.com/resource-manager/reference/rest/v3/folders/list
        https://docs.cloud.google.com/resource-manager/reference/rest/v3/projects/list
        """
        for call in TREE:
            refuse_undeclared(call, self._allowed)
        tree = self.once("tree", lambda: self._google.tree(self.parent))
        yield from (one for one in tree.assets if one["assetType"] in asset_types)
        if tree.missing:
            raise NotCollectedError(tree.missing.reason, tree.missing.detail)

    def policy(self, name: str) -> Any:
        """The IAM policy set on an organisation, folder or project itself, as a field of a resource.

        `{"bindings": [{"role", "members", "condition"}], "auditConfigs": [...]}`; a marker if it could not
        be read. `name` is the full one, as `nodes` and `assets` have it.
        https://docs.cloud.google.com/resource-manager/reference/rest/v3/projects/getIamPolicy
        """
        place = name.removeprefix(RESOURCE_MANAGER)
        call = f"resourcemanager.{place.partition('/')[0]}.getIamPolicy"
        refuse_undeclared(call, self._allowed)
        options = {"requested_policy_version": POLICY_VERSION}
        try:
            found = self.once(name, lambda: self._google.one(call, resource=place, options=options))
        except NotCollectedError as error:
            return NotCollected(error.reason, error.detail)
        return {key: found[key] for key in ("bindings", "auditConfigs") if key in found}

    def tags(self, name: str) -> Any:
        """The tags of an organisation, folder or project and those it inherits, as a field of a resource.

        A list of `{"tagKey", "namespacedTagKey", "tagValue", "namespacedTagValue", "inherited"}`, which ends
        in a marker if not all could be read; a marker if none could. `name` is the full one.
        https://docs.cloud.google.com/resource-manager/reference/rest/v3/effectiveTags/list
        """
        refuse_undeclared(LIST_TAGS, self._allowed)
        found: list[Any] = []
        try:
            found.extend(self._google.every(LIST_TAGS, parent=name))
        except NotCollectedError as error:
            missing = NotCollected(error.reason, error.detail)
            return [*found, missing] if found else missing
        return found

    def policies(self, *asset_types: str) -> Iterator[dict[str, Any]]:
        """The IAM policies set on a project's assets of these types (of all, if none is named).

        Not what they inherit; `policy` reads those of organisations, folders and projects one by one.
        `{"name", "assetType", "iamPolicy": {"bindings": [{"role", "members", "condition"}], "auditConfigs":
        [...]}, "ancestors"}`. An error ends the evidence, partial so far.
        """
        for asset in self._listed(LIST_POLICIES, () if self.project else asset_types, asset_types):
            if "iamPolicy" in asset:
                yield asset

    def org_policies(self) -> Iterator[dict[str, Any]]:
        """The organisation policies that are set in this scope, as assets; not what they inherit.

        `resource.data` is a Policy of the Org Policy API v2, with conditions and dry runs, which the
        content type ORG_POLICY, in the older form, does not have.
        https://docs.cloud.google.com/resource-manager/docs/reference/orgpolicy/rest/v2/organizations.policies
        """
        yield from self.assets(ORG_POLICY)

    def get(
        self, template: str, /, key: str = "", *, absent: int | tuple[int, ...] = (), **params: Any
    ) -> Any:
        """One answer of a service's own REST API, or its part under `key`, as a field of a resource.

        `template` is the URL as Google documents it and as the evidence declares it after `GET `, such as
        `https://cloudkms.googleapis.com/v1/{+name}/importJobs`. `{project}` and `{number}` are the scope's
        unless given; `{+name}` may hold slashes. Parameters fill the path; the others are the query string.

        None where Google answers a status of `absent`, or has no `key`. A marker if the call failed
        otherwise: the resource is kept, and a check that touches the field is not tested. The marker says
        *disabled* where the service is off in the project that is read.
        """
        try:
            body = self._get(template, params, absent)
        except NotCollectedError as error:
            return NotCollected(error.reason, error.detail)
        return body.get(key) if key and body is not None else body

    def all(self, template: str, /, key: str, *, absent: int | tuple[int, ...] = (), **params: Any) -> Any:
        """The items under `key` of all pages as a field of a resource: a list, [] where `absent`, a marker on
        an error.

        A listing that breaks off keeps what was read and ends in the marker.
        https://google.aip.dev/158
        """
        items: list[Any] = []
        tokens: set[str] = set()
        try:
            while (page := self._get(template, params, absent)) is not None:
                items.extend(page.get(key) or ())
                token = page.get("nextPageToken")
                if not token:
                    break
                if token in tokens:
                    raise NotCollectedError(Reason.MALFORMED, f"GET {template}: the same page again")
                tokens.add(token)
                params = {**params, "pageToken": token}
        except NotCollectedError as error:
            missing = NotCollected(error.reason, error.detail)
            return [*items, missing] if items else missing
        return items

    def once(self, name: str, read: Callable[[], Any]) -> Any:
        """The value of `read()`, read once per session: for what several evidence functions need.

        The calls it took are among those of every evidence that asks for it. What could not be read is not
        asked for again either.
        """
        if name not in self._memo:
            before = len(self._notes)
            try:
                value, error = read(), None
            except NotCollectedError as raised:
                value, error = None, raised
            self._memo[name] = _Read(value, error, tuple(self._notes[before:]))
        else:
            for note in self._memo[name].notes:
                if note.operation != GET_PROJECT:
                    refuse_undeclared(note.operation, self._allowed)
                self._notes.append(note)
        if (error := self._memo[name].error) is not None:
            raise NotCollectedError(error.reason, error.detail)
        return self._memo[name].value

    def _listed(
        self, permission: str, usual: Sequence[str], asset_types: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        """The assets of some types out of the listing of all, or of one of their own."""
        refuse_undeclared(permission, self._allowed)
        types = tuple(usual) if not usual or set(asset_types) <= set(usual) else asset_types
        listing = self.once(
            f"{permission} {' '.join(types)}",
            lambda: self._google.listing(permission, self.parent, types),
        )
        for asset in listing.assets:
            wanted = not asset_types or asset["assetType"] in asset_types
            if wanted and (self.project or _hangs_above(asset)):
                yield asset
        if listing.missing:
            raise NotCollectedError(listing.missing.reason, listing.missing.detail)

    def _get(self, template: str, params: Mapping[str, Any], absent: int | tuple[int, ...]) -> Any:
        operation = f"GET {template}"
        refuse_undeclared(operation, self._allowed)
        named: dict[str, Any] = {}
        if "{project}" in template:
            named["project"] = self.project
        if "{number}" in template and "number" not in params:
            named["number"] = self.number
        url, query = _url(template, {**named, **params})
        try:
            return self._google.get(operation, url, query)
        except _RefusedError as error:
            if error.status in ((absent,) if isinstance(absent, int) else absent):
                return None
            if error.disabled and error.disabled in self._own_names():
                detail = f"{operation}: {urlsplit(url).netloc} is off in {self.project}"
                raise NotCollectedError(Reason.DISABLED, detail) from error
            raise

    def _own_names(self) -> set[str]:
        """What the project is called by a refusal; only by its id if its number cannot be told."""
        names = {f"projects/{self.project}"}
        with suppress(NotCollectedError):
            names.add(f"projects/{self.number}")
        return names

    def _note(self, note: _Note) -> None:
        self._notes.append(note)


@dataclass(frozen=True)
class _Note:
    """An answered call."""

    operation: str
    params: Mapping[str, Any]
    date: str
    request_id: str


@dataclass(frozen=True)
class _Listing:
    """The assets that were listed, and why not all of them."""

    assets: Sequence[dict[str, Any]]
    missing: NotCollected | None


@dataclass(frozen=True)
class _Read:
    """What was read once, or why it could not be, and the calls that it took."""

    value: Any
    error: NotCollectedError | None
    notes: tuple[_Note, ...]


class _RefusedError(NotCollectedError):
    """A call that was not answered as asked.

    Fields:
        status: HTTP's; 0 if there was no answer.
        disabled: the project (`projects/123`) in which the service is off, if that is why.
    """

    def __init__(self, missing: NotCollected, status: int = 0, disabled: str = "") -> None:
        super().__init__(missing.reason, missing.detail)
        self.status = status
        self.disabled = disabled


class _Google:
    """All that leaves: `ListAssets`, reads of Resource Manager and GET, with the source's credentials."""

    def __init__(self, options: Options, pace: Pace, note: Callable[[_Note], None] = lambda _: None) -> None:
        self._options = options
        self._pace = pace
        self._credentials = _credentials(options)
        self.identity = _identity(self._credentials, options)
        self._note = note
        self._headers: Mapping[str, str] = {}
        self._read_time: Any = None
        self._clients: dict[str, Any] = {}

    def listing(self, permission: str, parent: str, types: Sequence[str]) -> _Listing:
        """`ListAssets`: all pages, as of the time of the first listing.

        An asset that is listed twice counts once, as it was listed last.
        """
        from google.cloud.asset_v1 import AssetServiceClient
        from google.protobuf.json_format import MessageToDict

        request: dict[str, Any] = {
            "parent": parent,
            "content_type": CONTENT[permission],
            "asset_types": list(types),
            "page_size": PAGE,
        }
        params = {"parent": parent, "contentType": CONTENT[permission], "pageSize": PAGE}
        params["assetTypes"] = f"{len(types)} types" if types else "all"  # kept with every evidence: be brief
        if self._read_time is not None:
            request["read_time"] = self._read_time
            params["readTime"] = self._read_time.ToJsonString()
        found: dict[tuple[str, str], dict[str, Any]] = {}
        tokens: set[str] = set()
        try:
            pager = self._client(AssetServiceClient).list_assets(
                request, retry=self._patient(permission, params), timeout=self._timeout()
            )
            for page in pager.pages:
                answer = type(page).pb(page)
                if self._read_time is None and answer.HasField("read_time"):
                    self._read_time = answer.read_time
                for one in answer.assets:
                    found[one.name, one.asset_type] = _plain(MessageToDict(one))
                if answer.next_page_token in tokens:
                    raise NotCollectedError(Reason.MALFORMED, f"{permission}: the same page again")
                if answer.next_page_token:
                    tokens.add(answer.next_page_token)
        except NotCollectedError as error:
            return _Listing(list(found.values()), NotCollected(error.reason, error.detail))
        return _Listing(list(found.values()), None)

    def tree(self, root: str) -> _Listing:
        """An organisation or folder, first, and all that is below it, as `GcpSession.nodes` has it.

        What is below a node that may not be listed is missing, and nothing else.
        """
        try:
            top = self.one(GET_FOLDER if root.startswith("folders/") else GET_ORGANIZATION, name=root)
        except NotCollectedError as error:
            return _Listing([], NotCollected(error.reason, error.detail))
        first = _node(top, [one for one in (root, top.get("parent", "")) if one])
        found, waiting, missing = {root: first}, deque([first]), None
        while waiting:
            above = waiting.popleft()["ancestors"]
            for permission, more in ((LIST_FOLDERS, {}), (LIST_PROJECTS, {"show_deleted": True})):
                try:
                    for data in self.every(permission, parent=above[0], **more):
                        node = _node(data, [data["name"], *above])
                        if node["assetType"] == FOLDER and data["name"] not in found:
                            waiting.append(node)
                        found[data["name"]] = node
                except NotCollectedError as error:
                    missing = missing or NotCollected(error.reason, error.detail)
        return _Listing(list(found.values()), missing)

    def one(self, permission: str, **request: Any) -> dict[str, Any]:
        """What Resource Manager answers to one of `READS`, as the REST API writes it.

        Raises:
            NotCollectedError: it could not be read.
        """
        return _json(self._ask(permission, permission, request))

    def every(self, permission: str, **request: Any) -> Iterator[dict[str, Any]]:
        """What Resource Manager lists below `parent`, on all pages; how long a page is, it chooses.

        Raises:
            NotCollectedError: not all could be read.
        """
        operation = f"{permission} of {request['parent']}"
        field = READS[permission][1].removeprefix("list_")
        tokens: set[str] = set()
        for page in self._ask(permission, operation, request).pages:
            yield from (_json(one) for one in getattr(page, field))
            if page.next_page_token in tokens:
                raise NotCollectedError(Reason.MALFORMED, f"{operation}: the same page again")
            tokens |= {page.next_page_token} - {""}

    def _ask(self, permission: str, operation: str, request: Mapping[str, Any]) -> Any:
        """The answer, or the pages of a listing; a refusal names it by `operation`."""
        from google.cloud import resourcemanager_v3

        client, method = READS[permission]
        call = getattr(self._client(getattr(resourcemanager_v3, client)), method)
        patient = self._patient(permission, request, operation)
        return call(dict(request), retry=patient, timeout=self._timeout())

    def get(self, operation: str, url: str, query: Mapping[str, Any]) -> Json:
        """GET of one URL, as JSON.

        Raises:
            _RefusedError: there was no answer, or an error, or something that is not JSON.
        """
        from google.api_core.exceptions import from_http_response

        place = urlsplit(url)
        if self._options.endpoint:
            url = f"{self._options.endpoint}/{place.netloc}{place.path}"

        def ask() -> Any:
            answer = self._web().get(url, params=query, timeout=self._options.timeout, allow_redirects=False)
            if answer.status_code >= 400:
                raise from_http_response(answer)  # type: ignore[no-untyped-call]
            return answer

        noted = {**query, "url": f"https://{place.netloc}{place.path}"}
        answer = self._patient(operation, noted)(ask)()
        body = None
        with suppress(ValueError):
            body = answer.json()
        if answer.status_code != 200 or not isinstance(body, dict):
            what = f"HTTP {answer.status_code}" if answer.status_code != 200 else UNREADABLE
            raise _RefusedError(NotCollected(Reason.MALFORMED, f"{operation}: {what}"), answer.status_code)
        return body

    def close(self) -> None:
        """Ends what speaks HTTP; the connection over gRPC is for all sessions."""
        for name, client in self._clients.items():
            if name == "web":
                client.close()
            elif self._options.transport == "rest":
                client.transport.close()

    def _patient(self, operation: str, params: Mapping[str, Any], called: str = "") -> Callable[[Any], Any]:
        """Google's clients take it in the place of their own retries, which count seconds and not attempts.

        Tries again after trouble that passes, and waits for a rate limit as long as Google says, whichever
        session of the source was told so and of which API. Each answer is noted: with its `Date`, or where
        there is none with the time as of which it speaks. What is refused in the end is a `_RefusedError`
        that says of what (`called`, or the operation).
        """

        def patient(call: Any) -> Any:
            def attempts(*args: Any, **kwargs: Any) -> Any:
                waited = 0.0
                for attempt in range(1, self._options.attempts + 1):
                    try:
                        waited += self._pace.wait(self._options.max_wait - waited)
                    except NotCollectedError as error:
                        raise _refused(called or operation, error) from error
                    self._headers = {}
                    try:
                        answer = call(*args, **kwargs)
                    except Exception as error:
                        if self._headers:
                            self._note(_Note(operation, params, *self._heard()))
                        refused = _refused(called or operation, error)
                        if refused.reason is Reason.THROTTLED:
                            wait = _asked_wait(error)
                            self._pace.hold(wait)
                            vain = waited + wait > self._options.max_wait
                        else:
                            vain = refused.reason is not Reason.UNREACHABLE
                        if vain or attempt == self._options.attempts:
                            raise refused from error
                        if refused.reason is Reason.UNREACHABLE:
                            self._pace.sleep(min(0.5 * 2 ** (attempt - 1), LONGEST_BACKOFF))
                    else:
                        date, request_id = self._heard()
                        self._note(_Note(operation, params, date or _as_of(answer), request_id))
                        return answer
                raise AssertionError  # the last attempt returned or raised

            return attempts

        return patient

    def _timeout(self) -> Any:
        """As long for each attempt; a plain number would be for all of them together."""
        from google.api_core.timeout import ConstantTimeout

        return ConstantTimeout(self._options.timeout)  # type: ignore[no-untyped-call]

    def _heard(self) -> tuple[str, str]:
        headers = {name.lower(): value for name, value in self._headers.items()}
        return headers.get("date", ""), headers.get("x-request-id", "")

    def _hear(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def _client(self, kind: Any) -> Any:
        """One of Google's clients, made once per session, that tells of the headers of its answers."""
        from google.api_core.gapic_v1.client_info import ClientInfo

        if kind.__name__ in self._clients:
            return self._clients[kind.__name__]
        options = self._options
        named = ClientInfo(user_agent="control-collector")  # type: ignore[no-untyped-call]
        transport = kind.get_transport_class(options.transport)
        if options.transport == "rest":
            where = (
                {"host": urlsplit(options.endpoint).netloc, "url_scheme": "http"} if options.endpoint else {}
            )
            made = transport(credentials=self._credentials, client_info=named, **where)
            _overhear(made._session, self._hear)  # it has no other place for that
        else:
            made = transport(
                channel=_heard_channel(_channel(transport, options), self._hear), client_info=named
            )
        self._clients[kind.__name__] = kind(transport=made)
        return self._clients[kind.__name__]

    def _web(self) -> Any:
        from google.auth.transport.requests import AuthorizedSession

        if "web" not in self._clients:
            session = AuthorizedSession(self._credentials)  # type: ignore[no-untyped-call]
            session.headers["User-Agent"] = "control-collector"
            _overhear(session, self._hear)
            self._clients["web"] = session
        return self._clients["web"]


def _overhear(session: Any, hear: Callable[[Mapping[str, str]], None]) -> None:
    session.hooks["response"].append(lambda response, **_: hear(dict(response.headers)))


@lru_cache(maxsize=64)
def _channel(transport: Any, options: Options) -> Any:
    """One connection for all sessions: opening one costs more than many calls on it."""
    import grpc  # type: ignore[import-untyped]

    unlimited = [("grpc.max_receive_message_length", -1)]
    if options.grpc_endpoint:
        return grpc.insecure_channel(options.grpc_endpoint, options=unlimited)
    return transport.create_channel(credentials=_credentials(options), options=unlimited)


def _heard_channel(channel: Any, hear: Callable[[Mapping[str, str]], None]) -> Any:
    """The channel, telling of the metadata that comes with each answer."""
    import grpc

    class Ear(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]
        def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
            call = continuation(details, request)
            said = [*(call.initial_metadata() or ()), *(call.trailing_metadata() or ())]
            hear({name: value for name, value in said if isinstance(value, str)})
            return call

    return grpc.intercept_channel(channel, Ear())


@lru_cache(maxsize=64)
def _credentials(options: Options) -> Any:
    """The source's credentials, shown to be good; none for a place on this machine.

    https://docs.cloud.google.com/docs/authentication/application-default-credentials

    Raises:
        NotCollectedError: there are none, or Google does not accept them.
    """
    import logging
    import os
    import warnings

    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # else it tells of closed connections on standard error
    logging.getLogger("google.auth._default").setLevel(logging.ERROR)  # it wants to know of one project
    import google.auth
    from google.auth import impersonated_credentials
    from google.auth.credentials import AnonymousCredentials
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import Request

    if options.endpoint:
        return AnonymousCredentials()  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a quota project that is missing is told by the refusal
            found: Any = google.auth.default(scopes=[CLOUD_PLATFORM])[0]
        if options.impersonate:
            target = {"target_principal": options.impersonate, "target_scopes": [CLOUD_PLATFORM]}
            found = impersonated_credentials.Credentials(found, **target)  # type: ignore[no-untyped-call]
        if options.quota_project:
            found = found.with_quota_project(options.quota_project)
        found.refresh(Request())
    except GoogleAuthError as error:
        missing = _classify_credentials(error)
        raise NotCollectedError(missing.reason, missing.detail) from error
    return found


def _identity(credentials: Any, options: Options) -> str:
    """Whose the credentials are, as far as they say; a user's seldom do."""
    if options.endpoint:
        return "anonymous"
    email = getattr(credentials, "service_account_email", None) or getattr(credentials, "account", None)
    audience = (getattr(credentials, "info", None) or {}).get("audience")
    return str(email or audience or "a user")


def _refused(operation: str, error: Exception) -> _RefusedError:
    """The reason for an error, with the call that met it; an error that is none of Google's goes on."""
    from google.api_core.exceptions import GoogleAPICallError

    missing = classify(error)
    if missing is None:
        raise error
    said = NotCollected(missing.reason, f"{operation}: {missing.detail}")
    if isinstance(error, GoogleAPICallError):
        return _RefusedError(said, int(error.code or 0), _off_in(error))
    return _RefusedError(said)


def _off_in(error: GoogleAPICallError) -> str:
    """The project (`projects/123`) in which the service is off, if that is why it refuses."""
    return str((error.metadata or {}).get("consumer", "")) if error.reason == "SERVICE_DISABLED" else ""


def _classify_answer(error: GoogleAPICallError) -> NotCollected:
    """https://docs.cloud.google.com/apis/design/errors, alike over gRPC and REST."""
    status, message = _status(error), _message(error)
    why, facts = str(error.reason or ""), dict(error.metadata or {})
    consumer = facts.get("consumer") or "the project whose quota is used"
    if "plugin failed" in message:  # gRPC, of credentials that it could not renew
        return NotCollected(Reason.DENIED, f"credentials can no longer be renewed; {LOG_IN}")
    if "deserializing" in message:
        return NotCollected(Reason.MALFORMED, UNREADABLE)
    if why == "SERVICE_DISABLED":
        service = facts.get("service") or "the API"
        hint = "enable it there or name another `quota_project`"
        return NotCollected(Reason.DENIED, f"{service} is off in {consumer}; {hint}")
    if why == "USER_PROJECT_DENIED":
        return NotCollected(Reason.DENIED, f"needs serviceusage.services.use on {consumer}")
    if why == "BILLING_DISABLED":
        return NotCollected(Reason.DENIED, f"billing is off in {consumer}")
    if why in BY_POLICY or VPC_SC in message:
        by = BY_POLICY.get(why, BY_POLICY["SECURITY_POLICY_VIOLATED"])
        return NotCollected(Reason.DENIED, f"prohibited by {by}")
    if why in CREDENTIALS or status == "UNAUTHENTICATED":
        return NotCollected(
            Reason.DENIED, f"credentials not accepted ({why or status}); renew them or {LOG_IN}"
        )
    if why in RATES or status == "RESOURCE_EXHAUSTED":
        return NotCollected(Reason.THROTTLED, EXCEEDED)
    if why == "IAM_PERMISSION_DENIED" and facts.get("permission"):
        where = f" on {facts['resource'].lstrip('/')}" if facts.get("resource") else ""
        return NotCollected(Reason.DENIED, f"needs {facts['permission']}{where}")
    reason = REASON_OF_STATUS.get(status, Reason.UNREACHABLE)
    if reason is Reason.UNREACHABLE:
        return NotCollected(reason, f"no answer ({status})")
    return NotCollected(reason, f"{_stable(message) or 'refused'} ({status})")


def _status(error: GoogleAPICallError) -> str:
    """Google's name of the status, over gRPC or as HTTP has it: `PERMISSION_DENIED`."""
    if error.grpc_status_code is not None:
        return str(error.grpc_status_code.name)
    code = int(error.code or 0)
    return STATUS_OF_CODE.get(code) or ("INVALID_ARGUMENT" if 400 <= code < 500 else f"HTTP {code}")


def _message(error: GoogleAPICallError) -> str:
    """What Google said, without the URL that the client puts before it."""
    return re.sub(r"^[A-Z]+ https?://\S+: ", "", str(error.message or ""))


def _classify_credentials(error: Exception) -> NotCollected:
    """https://docs.cloud.google.com/docs/authentication/troubleshoot-adc"""
    from google.auth import exceptions

    text = " ".join(str(error.args[0] if error.args else error).split())
    detail = error.args[1] if len(error.args) > 1 else ""
    if isinstance(error, exceptions.TransportError) or isinstance(error.__cause__, exceptions.TransportError):
        return NotCollected(Reason.UNREACHABLE, "no answer from the place that gives out credentials")
    if isinstance(error, exceptions.DefaultCredentialsError):
        if "were not found" in text:
            return NotCollected(Reason.DENIED, f"no application default credentials; {LOG_IN}")
        return NotCollected(Reason.DENIED, f"application default credentials cannot be used: {_stable(text)}")
    if "impersonated" in text:
        return _classify_impersonation(str(detail))
    if (
        isinstance(error, exceptions.ReauthFailError)
        or "eauthentication" in text
        or "invalid_rapt" in str(detail)
    ):
        return NotCollected(Reason.DENIED, f"the user must log in again; {LOG_IN}")
    if "invalid_grant" in text and "JWT" not in text:
        return NotCollected(Reason.DENIED, f"application default credentials have expired; {LOG_IN}")
    return NotCollected(Reason.DENIED, f"credentials not accepted ({_stable(text)}); renew them")


def _classify_impersonation(body: str) -> NotCollected:
    """Why a service account may not be impersonated, by the answer of the IAM Credentials API."""
    try:
        said = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        said = {}
    details = [one for one in said.get("details", ()) if str(one.get("@type")).endswith("ErrorInfo")]
    if any(one.get("reason") == "SERVICE_DISABLED" for one in details):
        consumer = next((one.get("metadata", {}).get("consumer") for one in details), None)
        where = consumer or "the project whose quota is used"
        return NotCollected(
            Reason.DENIED, f"iamcredentials.googleapis.com is off in {where}; enable it there"
        )
    if said.get("code") == 404:
        return NotCollected(Reason.DENIED, "the service account to impersonate is not there")
    return NotCollected(
        Reason.DENIED,
        "impersonation refused: needs iam.serviceAccounts.getAccessToken on the service account",
    )


def _asked_wait(error: Exception) -> float:
    """Seconds until a rate limit is lifted: as it says (`RetryInfo`, `Retry-After`), else a minute.

    https://docs.cloud.google.com/apis/design/errors#retrying_errors
    """
    from google.api_core.exceptions import GoogleAPICallError

    said = _retry_after(error) if isinstance(error, GoogleAPICallError) else None
    return A_MINUTE if said is None else said


def _retry_after(error: GoogleAPICallError) -> float | None:
    """Seconds to wait as the error says; None if it does not."""
    for one in error.details:
        if isinstance(one, dict):
            delay = str(one.get("retryDelay", ""))
            if re.fullmatch(r"\d+(\.\d+)?s", delay):
                return float(delay[:-1])
        elif hasattr(one, "retry_delay"):
            return float(one.retry_delay.seconds + one.retry_delay.nanos / 1e9)
    headers = getattr(error.response, "headers", None) or {}
    after = str(headers.get("Retry-After", ""))
    return float(after) if after.isdigit() else None


def _as_of(answer: Any) -> str:
    """The time as of which a listing speaks; nothing of another answer."""
    pb = getattr(type(answer), "pb", None)
    message = pb(answer) if pb else None
    if message is None or "read_time" not in message.DESCRIPTOR.fields_by_name:
        return ""
    return str(message.read_time.ToJsonString()) if message.HasField("read_time") else ""


def _node(data: Mapping[str, Any], ancestors: Sequence[str]) -> dict[str, Any]:
    """An organisation, folder or project of Resource Manager in the form of an asset."""
    kind = KINDS[ancestors[0].partition("/")[0]]
    name = RESOURCE_MANAGER + ancestors[0]
    return {"name": name, "assetType": kind, "resource": {"data": data}, "ancestors": list(ancestors)}


def _json(message: Any) -> dict[str, Any]:
    """A message as the REST API writes it."""
    from google.protobuf.json_format import MessageToDict

    pb = getattr(type(message), "pb", None)
    return dict(_plain(MessageToDict(pb(message) if pb else message)))


def _hangs_above(asset: Mapping[str, Any]) -> bool:
    """Whether an asset hangs on an organisation or folder."""
    return not _nearest(asset).startswith("projects/")


def _nearest(asset: Mapping[str, Any]) -> str:
    """The project, folder or organisation that an asset hangs on."""
    return str(next(iter(asset.get("ancestors", ())), ""))


def _plain(value: Json) -> Any:
    """A message's JSON with whole numbers as ints again, and its maps, which have no order, in one."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < EXACT else value
    if isinstance(value, dict):
        return {name: _plain(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value


def _url(template: str, params: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The URL with its parameters in place, and the others for the query string.

    Raises:
        ValueError: a parameter cannot be part of a path.
    """
    rest = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in params.items()
        if not re.search(rf"{{\+?{name}}}", template)
    }

    def fill(found: re.Match[str]) -> str:
        whole, name = found[1] == "+", found[2]
        steps = str(params[name]).split("/") if whole else [str(params[name])]
        if any(step in ("", ".", "..") for step in steps):
            raise ValueError(f"{template}: {name} cannot be part of a path")
        return "/".join(quote(step, safe="") for step in steps)

    return re.sub(r"{(\+?)(\w+)}", fill, template), rest


def _stable(message: str) -> str:
    """The first sentence of a message, without addresses, times and ids: words of many digits."""
    words = re.split(r"\.\s", message.strip())[0].rstrip(".").split(" ")
    return " ".join("…" if sum(map(str.isdigit, word)) > 3 else word for word in words)
