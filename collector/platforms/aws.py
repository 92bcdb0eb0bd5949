"""Amazon Web Services, read through boto3.

A scope is an account (global services, once) or an account and region. Credentials are found as boto3
finds them (static, environment, profile, SSO, container, instance); each account is read by its own
credentials or by a role assumed in it.

Nothing leaves that the evidence being read did not declare: see `AwsSession.begin`.
"""

from __future__ import annotations

import json
import logging
import math
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from collector.model import Call, Gap, NotCollected, NotCollectedError, Reason, Scope
from collector.platforms import CallLog, Context, declared, refuse_undeclared
from collector.platforms.pace import Pace

if TYPE_CHECKING:
    from botocore.loaders import Loader
    from botocore.model import OperationModel
    from botocore.regions import EndpointResolver
    from botocore.session import Session as BotocoreSession

    from collector.sdk import Evidence

AccountId = Annotated[str, StringConstraints(pattern=r"^\d{12}$")]

READ_VERBS = re.compile(
    r":(Get|List|Describe|BatchGet|Lookup|Search|Query|Select|Simulate|GenerateCredentialReport$)"
)
"""IAM actions that only read. GenerateCredentialReport makes IAM's own report anew; it changes nothing."""

ACTION_PREFIX = {"monitoring": "cloudwatch", "aws-portal": "account"}
"""Where the prefix of a service's IAM actions is not its signing name."""

ACTION = {
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3control:GetPublicAccessBlock": "s3:GetAccountPublicAccessBlock",
}
"""Where the IAM action is not the operation's name, by boto3's service and operation.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""

DENIED = re.compile(r"AccessDenied|Unauthorized|NotAuthorized|AuthorizationError|Forbidden|^403$")
CREDENTIALS = re.compile(
    r"ExpiredToken|InvalidClientTokenId|UnrecognizedClient|AuthFailure|InvalidToken|"
    r"SignatureDoesNotMatch|InvalidAccessKeyId|IncompleteSignature|MissingAuthenticationToken"
)
THROTTLED = re.compile(r"Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|RequestThrottled|^429$")
LONGEST_BACKOFF = 20.0
"""Seconds that boto3 waits at most between two tries.

https://docs.aws.amazon.com/boto3/latest/guide/retries.html
"""
DISABLED = re.compile(r"OptInRequired|SubscriptionRequired|RegionDisabled|NotSignedUp|NotOptedIn")
UNSUPPORTED = re.compile(
    r"UnsupportedOperation|OperationNotSupported|InvalidAction|UnknownOperation|NotImplemented|UnsupportedFeature"
)
OF_A_REGION = re.compile(r"https://([a-z0-9.-]+)\.([a-z]{2}(?:-[a-z]+)+-\d+)\.amazonaws\.com")
UNREADABLE = "the answer could not be read: it is cut off or not what AWS documents"
GONE = re.compile(r"NotFound|NoSuch|NonExist|DoesNotExist")


class Options(BaseModel):
    """The keys of an AWS source in `config.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: str | None = Field(None, description="Profile of ~/.aws/config; boto3's default chain if absent")
    accounts: Literal["self", "organization"] | tuple[AccountId, ...] = Field(
        "self",
        description="`self` (the credentials' own), `organization` (all its active ones), or a list of ids",
    )
    exclude_accounts: tuple[AccountId, ...] = Field((), description="Account ids left out")
    role: str | None = Field(None, description="Name of the role to assume in every account but one's own")
    external_id: str | None = Field(None, description="External id that the role's trust policy asks for")
    regions: Literal["enabled"] | tuple[str, ...] = Field(
        "enabled", description="`enabled` (all that the account has on) or a list of region names"
    )
    home_region: str = Field("us-east-1", description="Where global services of the partition answer")
    endpoint_url: str | None = Field(None, description="Another endpoint for every service (tests, the demo)")
    attempts: int = Field(5, ge=1, le=20, strict=True, description="Tries of one call, the first included")
    timeout: float = Field(
        30, gt=0, strict=True, description="Seconds to wait for a connection, and for an answer"
    )


def plan(source: str, options: Options) -> Iterator[Scope | Gap]:
    """The accounts of a source, then the regions of each.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html
    """
    _account.cache_clear()  # whoever logged in anew since the last run is known from here on
    own = _account(options, "")
    for account, name, state in _accounts(options, own):
        if account in options.exclude_accounts:
            continue
        if state != "ACTIVE":
            yield Gap(source, account, NotCollected(Reason.DISABLED, f"account {account} is {state.lower()}"))
            continue
        yield Scope(source, "aws", "account", account, name=name)
        try:
            regions = list(_regions(options, account))
        except Exception as error:
            missing = classify(error)
            if missing is None:
                raise
            yield Gap(source, account, missing)
            continue
        for region, enabled in regions:
            if enabled:
                yield Scope(source, "aws", "region", account, region, name=name)
            else:
                missing = NotCollected(
                    Reason.DISABLED, f"region {region} is not enabled in account {account}"
                )
                yield Gap(source, f"{account}/{region}", missing)


def open_session(options: Options, scope: Scope, context: Context) -> AwsSession:
    """A session on one account, or one account and region."""
    return AwsSession(_account(options, scope.place), options, scope, context)


def permissions(evidence: Iterable[Evidence], sources: Iterable[Options] = ()) -> str:
    """The IAM policy, as JSON, that lets a principal find the sources' scopes and read this evidence.

    Without sources, as for one that lists an organisation's accounts and assumes `ROLE` in each.
    """
    known = list(sources) or [Options(accounts="organization", role="ROLE")]
    find = ["ec2:DescribeRegions", "sts:GetCallerIdentity"]
    if any(one.accounts == "organization" for one in known):
        find.append("organizations:ListAccounts")
    read = {action for one in evidence for action in one.permissions}
    roles = {f"arn:aws:iam::*:role/{one.role}" for one in known if one.role}
    statements = [
        _allow("FindScopes", find, "*"),
        *([_allow("AssumeRoleInEachAccount", ["sts:AssumeRole"], sorted(roles))] if roles else []),
        _allow("ReadEvidence", read, "*"),
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)


def _allow(name: str, actions: Iterable[str], resources: str | list[str]) -> dict[str, Any]:
    return {"Sid": name, "Effect": "Allow", "Action": sorted(actions), "Resource": resources}


def classify(error: Exception) -> NotCollected | None:
    """The reason for an error that boto3 raised; None if it is not one of boto3's.

    The detail holds only what stays the same when the same thing happens again, so that an unchanged
    failure is no change in the ledger.
    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/CommonErrors.html and its like per service.
    """
    from botocore import exceptions as boto
    from botocore.parsers import ResponseParserError

    if isinstance(error, NotCollectedError):
        return NotCollected(error.reason, error.detail)
    if isinstance(error, boto.ClientError):
        return _classify_answer(error)
    if isinstance(error, ResponseParserError | boto.IncompleteReadError):
        return NotCollected(Reason.MALFORMED, UNREADABLE)
    if isinstance(
        error, boto.NoCredentialsError | boto.PartialCredentialsError | boto.CredentialRetrievalError
    ):
        return NotCollected(
            Reason.DENIED, "no AWS credentials found; set a profile or the environment's keys"
        )
    if isinstance(error, boto.TokenRetrievalError | boto.SSOError | boto.UnauthorizedSSOTokenError):
        return NotCollected(Reason.DENIED, "the AWS SSO session has expired; run `aws sso login`")
    if isinstance(error, boto.ProfileNotFound | boto.ConfigNotFound | boto.InvalidConfigError):
        return NotCollected(Reason.DENIED, str(error))
    if isinstance(error, boto.EndpointConnectionError) and (
        missing := _not_offered(str(error.kwargs["endpoint_url"]))
    ):
        return missing
    if isinstance(error, boto.HTTPClientError | boto.EndpointConnectionError | boto.ConnectionError):
        url = str(error.kwargs.get("endpoint_url", "")).split("?")[0]
        return NotCollected(Reason.UNREACHABLE, f"no answer from {url or 'AWS'} ({type(error).__name__})")
    if isinstance(error, boto.BotoCoreError):
        return NotCollected(Reason.MALFORMED, f"{type(error).__name__}: {' '.join(str(error).split())}")
    return None


class AwsSession:
    """A read-only connection to one account, or one account and region."""

    def __init__(self, account: _Account, options: Options, scope: Scope, context: Context) -> None:
        self.redact = context.redact
        self.account = scope.place
        self.region = scope.part or options.home_region
        self.identity = account.identity()
        self.endpoint = options.endpoint_url or f"AWS {self.region}"
        self.stated: int | None = None
        self._boto = account
        self._pace = context.pace
        self._clients: dict[tuple[str, str], Any] = {}
        self._memo: dict[str, Any] = {}
        self._allowed: frozenset[str] = frozenset()
        self._log = CallLog()

    def begin(self, evidence: Evidence) -> None:
        """From here on only the calls that `evidence` declares leave; starts a new list of calls."""
        self._allowed = declared(evidence, READ_VERBS)
        self._log = CallLog()
        self.stated = None

    def calls(self) -> tuple[Call, ...]:
        return self._log.summary()

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def client(self, service: str, region: str | None = None) -> Any:
        """boto3's client of a service, created once per session; in the scope's region if none is given."""
        key = (service, region or self.region)
        if key not in self._clients:
            client = self._boto.client(*key)
            client.meta.events.register("before-parameter-build", self._before)
            client.meta.events.register("after-call", self._after)
            _share_waits(client, self._pace)
            self._clients[key] = client
        return self._clients[key]

    def pages(self, method: Any, key: str, /, **params: Any) -> Iterator[Any]:
        """The items under `key` of every page of a listing. An error ends the evidence, partial so far."""
        client = method.__self__
        if not client.can_paginate(method.__name__):
            yield from method(**params).get(key) or ()
            return
        for page in client.get_paginator(method.__name__).paginate(**params):
            yield from page.get(key) or ()

    def all(self, method: Any, key: str, /, *, absent: str | tuple[str, ...] = (), **params: Any) -> Any:
        """The items under `key` as a field of a resource: a list, [] where `absent`, a marker on an error.

        A listing that breaks off keeps what was read and ends in the marker.
        """
        items: list[Any] = []
        try:
            items.extend(self.pages(method, key, **params))
        except Exception as error:
            if _code(error) in _codes(absent):
                return items
            missing = classify(error)
            if missing is None:
                raise
            return [*items, missing] if items else missing
        return items

    def get(self, method: Any, key: str = "", /, *, absent: str | tuple[str, ...] = (), **params: Any) -> Any:
        """One answer, or its part under `key`, as a field of a resource.

        None if AWS answers one of the error codes in `absent`, or has no `key`; a marker if the call
        failed otherwise: the resource is kept, and a check that touches the field is not tested.
        """
        try:
            answer = method(**params)
        except Exception as error:
            if _code(error) in _codes(absent):
                return None
            missing = classify(error)
            if missing is None:
                raise
            return missing
        answer.pop("ResponseMetadata", None)
        return answer.get(key) if key else answer

    def once(self, name: str, read: Any) -> Any:
        """The value of `read()`, read once per session: for what several evidence functions need."""
        if name not in self._memo:
            self._memo[name] = read()
        return self._memo[name]

    def _before(self, params: Mapping[str, Any], model: OperationModel, context: Any, **_: Any) -> None:
        action = action_of(model)
        refuse_undeclared(action, self._allowed)
        context["collector_call"] = (action, dict(params))

    def _after(self, http_response: Any, parsed: Mapping[str, Any], context: Any, **_: Any) -> None:
        action, params = context["collector_call"]
        metadata = parsed.get("ResponseMetadata", {})
        headers = http_response.headers
        self._log.add(action, params, headers.get("date", ""), metadata.get("RequestId", ""))


def action_of(model: OperationModel) -> str:
    """The IAM action that an operation needs, such as `s3:ListAllMyBuckets`."""
    service = model.service_model
    special = ACTION.get(f"{service.service_name}:{model.name}")
    prefix = ACTION_PREFIX.get(service.signing_name, service.signing_name)
    return special or f"{prefix}:{model.name}"


class _Account:
    """The credentials of one account and the clients made with them; shared by the account's scopes."""

    def __init__(self, options: Options, session: BotocoreSession) -> None:
        from boto3 import Session

        self._options = options
        self._session = Session(botocore_session=session)
        self._lock = threading.Lock()
        self._identity = ""

    def client(self, service: str, region: str) -> Any:
        from botocore.config import Config

        config = Config(
            retries={"mode": "standard", "total_max_attempts": self._options.attempts},
            connect_timeout=self._options.timeout,
            read_timeout=self._options.timeout,
            user_agent_extra="control-collector",
            inject_host_prefix=self._options.endpoint_url is None,
        )
        make: Any = self._session.client
        with self._lock:  # making clients from one session is not thread-safe; using them is
            client = make(service, region_name=region, endpoint_url=self._options.endpoint_url, config=config)
        client.meta.events.register("before-parse", _refuse_unreadable)
        client.meta.events.register("after-call", _name_action)
        if self._options.endpoint_url and service == "s3control":
            client.meta.events.register("before-call", self._stay_at_endpoint)
        return client

    def _stay_at_endpoint(self, params: dict[str, Any], **_: Any) -> None:
        """Takes away the account id that boto3 puts before the host, even of an endpoint that was given."""
        host = urlsplit(self._options.endpoint_url or "").netloc
        params["url"] = urlsplit(params["url"])._replace(netloc=host).geturl()

    def identity(self) -> str:
        """The ARN that AWS knows us by in this account."""
        if not self._identity:
            self._identity = self.client("sts", self._options.home_region).get_caller_identity()["Arn"]
        return self._identity


@lru_cache(maxsize=1024)
def _account(options: Options, account: str) -> _Account:
    """The credentials that read `account`; those of the source itself for "" and for its own account."""
    if not account:
        return _Account(options, _botocore_session(options.profile))
    own = _account(options, "")
    _, partition, _, _, own_account, _ = own.identity().split(":", 5)
    if options.role is None or account == own_account:
        return own
    from botocore.credentials import DeferredRefreshableCredentials

    # It logs a refused role with a traceback; the observation or the gap says it in a sentence.
    logging.getLogger("botocore.credentials").setLevel(logging.ERROR)
    role = {
        "RoleArn": f"arn:{partition}:iam::{account}:role/{options.role}",
        "RoleSessionName": "control-collector",
    }
    if options.external_id:
        role["ExternalId"] = options.external_id
    sts = own.client("sts", options.home_region)

    def assume() -> dict[str, str]:
        credentials = sts.assume_role(**role)["Credentials"]
        return {
            "access_key": credentials["AccessKeyId"],
            "secret_key": credentials["SecretAccessKey"],
            "token": credentials["SessionToken"],
            "expiry_time": credentials["Expiration"].isoformat(),
        }

    session = _botocore_session(None)
    vars(session)["_credentials"] = DeferredRefreshableCredentials(assume, "assume-role")
    return _Account(options, session)


def _botocore_session(profile: str | None) -> BotocoreSession:
    from botocore.session import Session

    session = Session(profile=profile)
    session.register_component("data_loader", _loader())
    return session


@lru_cache(maxsize=1)
def _loader() -> Loader:
    """One loader for all sessions: parsing a service's description costs more than many calls to it."""
    from botocore.loaders import create_loader

    return create_loader()


def _accounts(options: Options, own: _Account) -> Iterator[tuple[str, str, str]]:
    """Id, name and state of each account of the source."""
    if options.accounts == "organization":
        organizations = own.client("organizations", options.home_region)
        for page in organizations.get_paginator("list_accounts").paginate():
            for account in page["Accounts"]:
                yield account["Id"], account.get("Name", ""), account.get("State") or account["Status"]
    elif options.accounts == "self":
        yield own.identity().split(":")[4], "", "ACTIVE"
    else:
        yield from ((account, "", "ACTIVE") for account in options.accounts)


def _regions(options: Options, account: str) -> Iterator[tuple[str, bool]]:
    """The regions to read in an account, and whether each is enabled there."""
    ec2 = _account(options, account).client("ec2", options.home_region)
    answer = ec2.describe_regions(AllRegions=True)["Regions"]
    enabled = {one["RegionName"] for one in answer if one.get("OptInStatus") != "not-opted-in"}
    if options.regions == "enabled":
        yield from ((region, True) for region in sorted(enabled))
    else:
        yield from ((region, region in enabled) for region in options.regions)


def _classify_answer(error: Any) -> NotCollected:
    answer = error.response.get("Error", {})
    code = answer.get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    action = answer.get("Action") or error.operation_name
    if CREDENTIALS.search(code):
        return NotCollected(Reason.DENIED, f"{action}: credentials not accepted ({code}); renew them")
    if DENIED.search(code):
        by = ", by a service control policy" if "service control policy" in answer.get("Message", "") else ""
        return NotCollected(Reason.DENIED, f"{action} denied ({code}{by})")
    for pattern, reason in (
        (THROTTLED, Reason.THROTTLED),
        (DISABLED, Reason.DISABLED),
        (UNSUPPORTED, Reason.UNSUPPORTED),
        (GONE, Reason.GONE),
    ):
        if pattern.search(code):
            return NotCollected(reason, f"{action}: {code}")
    reason = Reason.UNREACHABLE if status >= 500 else Reason.MALFORMED
    return NotCollected(reason, f"{action}: {code or 'error'} (HTTP {status})")


def _not_offered(url: str) -> NotCollected | None:
    """The reason if no address is known for a service in a region, because AWS does not offer it there.

    Judged by botocore's list of regions, and only once there was no answer: a list that is older than the
    offer then changes nothing. A region that the list does not know at all may be misspelt, or new.
    """
    from botocore.exceptions import UnknownRegionError

    found = OF_A_REGION.match(url)
    if not found:
        return None
    service, region = found.groups()
    try:
        partition = _endpoints().get_partition_for_region(region)
    except UnknownRegionError:
        return None
    regions = _endpoints().get_available_endpoints(service, partition)
    known = region in _endpoints().get_available_endpoints("ec2", partition)
    if not known or not regions or region in regions:
        return None
    return NotCollected(Reason.UNSUPPORTED, f"{service} is not offered in {region}")


@lru_cache(maxsize=1)
def _endpoints() -> EndpointResolver:
    from botocore.regions import EndpointResolver

    return EndpointResolver(_loader().load_data("endpoints"))


def _share_waits(client: Any, pace: Pace) -> None:
    """Has a client wait for a service where another of its source was told to slow down, and tell the others.

    AWS says that it is too much (`Throttling`, `SlowDown`, ...), not for how long: the clients' own retries
    wait a random part of 1 s, 2 s, 4 s, ... and at most 20 s. All of the source wait the whole of it before
    they call that service again, whatever account and region they read: a few seconds, where asking on would
    use up what the account's other users have. What a client has on its way arrives.

    boto3's retries of the mode `adaptive` slow down before they are told to, but each client counts for
    itself, with no way to give it another's counter; so `standard`, and this.
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
    """
    service = client.meta.service_model.service_name

    def before(**_: Any) -> None:
        pace.wait(math.inf, service)

    def after(response: Any, attempts: int, **_: Any) -> None:
        """Told of each answer before boto3 decides whether to try again; leaves that to it."""
        code = str(response[1].get("Error", {}).get("Code", "")) if response else ""
        if THROTTLED.search(code):
            pace.hold(min(2.0 ** (attempts - 1), LONGEST_BACKOFF), service)

    client.meta.events.register("before-send", before)
    client.meta.events.register_first("needs-retry", after)


def _name_action(parsed: dict[str, Any], model: OperationModel, **_: Any) -> None:
    """Says in an error which IAM action it was; boto3 knows the operation's name only."""
    if "Error" in parsed:
        parsed["Error"]["Action"] = action_of(model)


def _refuse_unreadable(operation_model: OperationModel, response_dict: Mapping[str, Any], **_: Any) -> None:
    """Refuses a body that is cut short, a proxy's page or broken JSON.

    boto3 would make an empty answer of it, which would look as if there were nothing to see.
    """
    body, headers = response_dict["body"], response_dict["headers"]
    if response_dict["status_code"] >= 300 or operation_model.http["method"] == "HEAD":
        return
    if not isinstance(body, bytes):  # a stream, which is read by whoever asked for it
        return
    stated = headers.get("content-length", "")
    cut = stated.isdigit() and int(stated) != len(body) and "content-encoding" not in headers
    output = operation_model.output_shape
    text = body.strip()
    is_object = not text or (text[:1], text[-1:]) == (b"{", b"}")
    is_json = "json" in operation_model.service_model.resolved_protocol
    broken = is_json and not is_object and output is not None and "payload" not in output.serialization
    if cut or broken or "html" in headers.get("content-type", ""):
        raise NotCollectedError(Reason.MALFORMED, f"{action_of(operation_model)}: {UNREADABLE}")


def _code(error: Exception) -> str:
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def _codes(absent: str | tuple[str, ...]) -> tuple[str, ...]:
    return (absent,) if isinstance(absent, str) else absent
