"""Bad weather over AWS: what a run says when calls are denied, throttled, cut off or answered with nonsense.

Everything goes over HTTP through boto3 as in production; only the wait between two tries is left out.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from checks.aws import s3
from collector.demo.aws import ACCOUNT, Server, serve
from collector.engine.collect import Redactor, collect
from collector.engine.prove import verdicts
from collector.model import Gap, NotCollected, Observation, Outcome, Reason, Scope, State
from collector.platforms import Context, aws
from collector.platforms.pace import Pace
from collector.sdk import Check, Evidence, Resource, evidence, resource

AT = datetime(2026, 3, 31, 6, tzinfo=UTC)
HERE = Scope("aws", "aws", "account", ACCOUNT)
REDACT = Redactor(b"a key of this test")
AWKWARD = "a b/c\\d \"e\" 'f' <g> & % + ünï 😀"

BUCKETS: Mapping[str, Any] = {
    "s3.ListBuckets": {"Buckets": [{"Name": "one"}, {"Name": "two"}]},
    "s3.GetBucketAcl": {"Grants": []},
    "s3.GetBucketEncryption": {"ServerSideEncryptionConfiguration": {"Rules": []}},
    "s3.GetBucketLifecycleConfiguration": [{"error": "NoSuchLifecycleConfiguration", "status": 404}],
    "s3.GetBucketLogging": {},
    "s3.GetBucketPolicy": [{"error": "NoSuchBucketPolicy", "status": 404}],
    "s3.GetBucketReplication": [{"error": "ReplicationConfigurationNotFoundError", "status": 404}],
    "s3.GetObjectLockConfiguration": [{"error": "ObjectLockConfigurationNotFoundError", "status": 404}],
    "s3.GetPublicAccessBlock": [{"error": "NoSuchPublicAccessBlockConfiguration", "status": 404}],
    "s3.GetBucketVersioning": {"Status": "Enabled"},
}


def listing(*found: Mapping[str, Any]) -> dict[str, Any]:
    return {"Users": list(found), "IsTruncated": False}


def user(name: str) -> dict[str, Any]:
    return {
        "UserName": name,
        "UserId": "AIDAEXAMPLE",
        "Path": "/",
        "Arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
        "CreateDate": "2026-01-01T00:00:00Z",
    }


def function(name: str) -> dict[str, Any]:
    return {
        "FunctionName": name,
        "FunctionArn": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:{name}",
        "Description": "",
        "Environment": {"Variables": {}},
    }


def role(name: str) -> dict[str, Any]:
    return {
        "RoleName": name,
        "RoleId": "AROAEXAMPLE",
        "Path": "/",
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
        "CreateDate": "2026-01-01T00:00:00Z",
    }


@evidence(calls=["iam:ListUsers"], per="account")
def users(aws: Any) -> Iterator[Resource]:
    """Users, whose listing is XML."""
    for user in aws.pages(aws.client("iam").list_users, "Users"):
        yield resource(user["Arn"], name=user["UserName"], config=user)


@evidence(calls=["dynamodb:ListTables"], per="account")
def tables(aws: Any) -> Iterator[Resource]:
    """Tables, whose listing is JSON."""
    for name in aws.pages(aws.client("dynamodb").list_tables, "TableNames"):
        yield resource(f"arn:aws:dynamodb:::table/{name}", config={})


@evidence(calls=["ssm:DescribeParameters", "ssm:ListTagsForResource"], per="account")
def parameters(aws: Any) -> Iterator[Resource]:
    """Parameters and their tags, read by the parameter's name."""
    ssm = aws.client("ssm")
    for one in aws.pages(ssm.describe_parameters, "Parameters"):
        tags = aws.get(
            ssm.list_tags_for_resource, "TagList", ResourceType="Parameter", ResourceId=one["Name"]
        )
        yield resource(f"arn:aws:ssm:::{one['Name']}", name=one["Name"], config={**one, "Tags": tags})


@evidence(calls=["iam:ListRoles", "iam:ListRoleTags"], per="account")
def roles(aws: Any) -> Iterator[Resource]:
    """Roles and their tags, read by the role's name."""
    iam = aws.client("iam")
    for one in aws.pages(iam.list_roles, "Roles"):
        tags = aws.all(iam.list_role_tags, "Tags", RoleName=one["RoleName"])
        yield resource(one["Arn"], name=one["RoleName"], config={"Tags": tags})


@evidence(calls=["lambda:ListFunctions"], per="account")
def functions(aws: Any) -> Iterator[Resource]:
    """Functions, with their environment redacted."""
    for one in aws.pages(aws.client("lambda").list_functions, "Functions"):
        variables = one["Environment"]["Variables"]
        hidden = {name: aws.redact(value) for name, value in variables.items()}
        yield resource(one["FunctionArn"], config={"Environment": hidden, "Description": one["Description"]})


@evidence(calls=["s3:ListAllMyBuckets"], per="account")
def overreaching(aws: Any) -> Iterator[Resource]:
    """Declares one call and makes two."""
    client = aws.client("s3")
    for bucket in aws.pages(client.list_buckets, "Buckets"):
        yield resource(bucket["Name"], config={"Acl": aws.get(client.get_bucket_acl, Bucket=bucket["Name"])})


@evidence(calls=["iam:DeleteUser"], per="account")
def destructive(aws: Any) -> Iterator[Resource]:
    """Declares a call that writes."""
    yield resource("gone", config=aws.get(aws.client("iam").delete_user, UserName="one"))


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    aws._account.cache_clear()


def quick() -> Pace:
    """Whose waits are over at once."""
    times = [0.0]
    return Pace(lambda: times[-1], lambda seconds: times.append(times[-1] + seconds))


def read(server: Server, *wanted: Evidence, **options: Any) -> list[Observation]:
    given = {"endpoint_url": server.url, "attempts": 2, "timeout": 5, **options}
    return collect(HERE, aws.Options.model_validate(given), wanted, Context(REDACT, pace=quick()), lambda: AT)


def observe(answers: Mapping[str, Any], wanted: Evidence, **options: Any) -> Observation:
    with serve(answers, moto=False) as server:
        observation = read(server, wanted, **options)[0]
    assert not server.unanswered
    return observation


def outcomes(check: Check, *observations: Observation) -> dict[str, str]:
    judged = verdicts([check], observations)[check.id]
    return {result.resource.rpartition(":")[2]: result.verdict.outcome for _, result in judged}


def failure(observation: Observation) -> tuple[State, Reason | None, str]:
    return observation.state, observation.reason, observation.detail


def plan(server: Server, **options: Any) -> list[Scope | Gap]:
    given = {"endpoint_url": server.url, "attempts": 1, "regions": ["eu-west-1"], **options}
    return list(aws.plan("aws", aws.Options.model_validate(given)))


def test_who_logged_in_anew_is_known_from_the_next_run_on() -> None:
    account = "444455556666"
    other = {"Account": account, "Arn": f"arn:aws:iam::{account}:user/x", "UserId": "x"}
    with serve(BUCKETS, moto=False) as server:
        plan(server)
        server.give({"sts.GetCallerIdentity": other})
        scopes = [one for one in plan(server) if isinstance(one, Scope)]
    assert {one.place for one in scopes} == {account}


# One call


def test_a_denied_call_leaves_only_its_own_checks_untested() -> None:
    versioning = [
        {"when": {"Bucket": "two"}, "error": "AccessDenied"},
        {"answer": {"Status": "Enabled"}},
    ]
    seen = observe({**BUCKETS, "s3.GetBucketVersioning": versioning}, s3.buckets)
    assert seen.state is State.COMPLETE
    assert seen.gaps == {"denied: s3:GetBucketVersioning denied (AccessDenied)": 1}
    assert outcomes(s3.keeps_versions, seen) == {"one": "pass", "two": "not_tested"}
    assert outcomes(s3.requires_tls, seen) == {"one": "fail", "two": "fail"}


def test_a_denial_by_service_control_policy_is_named() -> None:
    message = (
        "not authorized to perform: s3:ListAllMyBuckets with an explicit deny in a service control policy"
    )
    denied = [{"error": "AccessDenied", "message": message}]
    seen = observe({**BUCKETS, "s3.ListBuckets": denied}, s3.buckets)
    assert seen.detail == "s3:ListAllMyBuckets denied (AccessDenied, by a service control policy)"


def test_what_is_deleted_while_it_is_read_is_gone() -> None:
    gone = [{"when": {"Bucket": "two"}, "error": "NoSuchBucket", "status": 404}]
    answers = {
        operation: gone + (given if isinstance(given, list) else [{"answer": given}])
        for operation, given in BUCKETS.items()
        if operation != "s3.ListBuckets"
    }
    seen = observe({**BUCKETS, **answers}, s3.buckets)
    assert seen.state is State.COMPLETE
    follow_up = set(s3.buckets.calls) - {"s3:ListAllMyBuckets"}
    assert set(seen.gaps) == {f"gone: {action}: NoSuchBucket" for action in follow_up}
    assert outcomes(s3.keeps_versions, seen) == {"one": "pass", "two": "not_tested"}


def test_a_listing_within_a_resource_keeps_what_was_read() -> None:
    answers = {
        "iam.ListRoles": {"Roles": [role("one")]},
        "iam.ListRoleTags": [
            {"when": {"Marker": "2"}, "error": "AccessDenied"},
            {"answer": {"Tags": [{"Key": "a", "Value": "b"}], "IsTruncated": True, "Marker": "2"}},
        ],
    }
    seen = observe(answers, roles)
    missing = NotCollected(Reason.DENIED, "iam:ListRoleTags denied (AccessDenied)")
    assert seen.resources[0][2] == {"Tags": [{"Key": "a", "Value": "b"}, missing.to_json()]}


# A listing


@pytest.mark.parametrize(
    ("case", "reason", "detail"),
    [
        ({"error": "AccessDenied"}, Reason.DENIED, "s3:ListAllMyBuckets denied (AccessDenied)"),
        ({"throttle": True}, Reason.THROTTLED, "s3:ListAllMyBuckets: SlowDown"),
        ({"status": 503}, Reason.UNREACHABLE, "s3:ListAllMyBuckets: ServiceUnavailable (HTTP 503)"),
        (
            {"garbage": True},
            Reason.MALFORMED,
            "the answer could not be read: it is cut off or not what AWS documents",
        ),
        (
            {"error": "ExpiredToken"},
            Reason.DENIED,
            "s3:ListAllMyBuckets: credentials not accepted (ExpiredToken); renew them",
        ),
        ({"error": "NotSignedUp", "status": 403}, Reason.DISABLED, "s3:ListAllMyBuckets: NotSignedUp"),
    ],
    ids=["denied", "throttled", "unreachable", "malformed", "expired", "disabled"],
)
def test_a_listing_that_fails_says_why(case: dict[str, Any], reason: Reason, detail: str) -> None:
    seen = observe({**BUCKETS, "s3.ListBuckets": [case]}, s3.buckets)
    assert (seen.state, seen.reason) == (State.FAILED, reason)
    assert seen.detail.endswith(detail)
    expected = Outcome.NOT_APPLICABLE if reason is Reason.DISABLED else Outcome.NOT_TESTED
    assert outcomes(s3.keeps_versions, seen) == {ACCOUNT: expected}


def test_throttling_that_passes_leaves_no_trace() -> None:
    answers = {"iam.ListUsers": [{"throttle": True, "times": 2}, {"answer": listing(user("one"))}]}
    with serve(answers, moto=False) as server:
        (seen,) = read(server, users, attempts=3)
    assert (seen.state, seen.gaps, len(seen.resources)) == (State.COMPLETE, {}, 1)
    assert server.requests["iam.ListUsers"] == 3


@pytest.mark.parametrize("fault", [{"cut": True}, {"garbage": True}], ids=["cut", "garbage"])
@pytest.mark.parametrize(
    ("wanted", "operation", "first", "second"),
    [
        (
            users,
            "iam.ListUsers",
            {"answer": {"Users": [user("one")], "IsTruncated": True, "Marker": "2"}},
            {"when": {"Marker": "2"}, "answer": listing(user("two"))},
        ),
        (
            tables,
            "dynamodb.ListTables",
            {"answer": {"TableNames": ["one"], "LastEvaluatedTableName": "one"}},
            {"when": {"ExclusiveStartTableName": "one"}, "answer": {"TableNames": ["two"]}},
        ),
        (
            functions,
            "lambda.ListFunctions",
            {"answer": {"Functions": [function("one")], "NextMarker": "2"}},
            {"when": {"Marker": "2"}, "answer": {"Functions": [function("two")]}},
        ),
    ],
    ids=["xml", "json", "rest-json"],
)
def test_a_second_page_that_cannot_be_read_leaves_the_first(
    wanted: Evidence,
    operation: str,
    first: dict[str, Any],
    second: dict[str, Any],
    fault: dict[str, Any],
) -> None:
    seen = observe({operation: [second | fault, first]}, wanted)
    assert (seen.state, seen.reason) == (State.PARTIAL, Reason.MALFORMED)
    assert seen.detail.endswith("the answer could not be read: it is cut off or not what AWS documents")
    assert [name for _, name, _ in seen.resources] == ["one"]


def test_no_answer_in_time_is_unreachable() -> None:
    slow = [{"answer": listing(), "delay": 0.5}]
    seen = observe({"iam.ListUsers": slow}, users, timeout=0.1, attempts=1)
    assert (seen.state, seen.reason) == (State.FAILED, Reason.UNREACHABLE)
    assert seen.detail.endswith("(ReadTimeoutError)")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://macie2.ap-south-2.amazonaws.com/", Reason.UNSUPPORTED),
        ("https://dax.eu-west-1.amazonaws.com/", Reason.UNREACHABLE),
        ("https://s3.us-nowhere-1.amazonaws.com/", Reason.UNREACHABLE),
        ("https://unknown-service.eu-west-1.amazonaws.com/", Reason.UNREACHABLE),
        ("http://127.0.0.1:1/", Reason.UNREACHABLE),
    ],
)
def test_no_address_where_a_region_lacks_the_service_is_nothing_to_test(url: str, reason: Reason) -> None:
    """As boto3 raises it where a name has no address; botocore's own list says what is offered where."""
    missing = aws.classify(EndpointConnectionError(endpoint_url=url, error="no such name"))
    assert missing is not None
    assert missing.reason is reason
    if reason is Reason.UNSUPPORTED:
        assert missing.detail == "macie2 is not offered in ap-south-2"


def test_nobody_listening_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    options = aws.Options.model_validate({"endpoint_url": url, "attempts": 1})
    (seen,) = collect(HERE, options, [users], Context(REDACT, pace=quick()), lambda: AT)
    assert failure(seen) == (
        State.FAILED,
        Reason.UNREACHABLE,
        f"no answer from {url}/ (EndpointConnectionError)",
    )


# Much, little and odd


def test_an_empty_account_is_completely_read() -> None:
    for wanted, operation, answer in (
        (users, "iam.ListUsers", listing()),
        (tables, "dynamodb.ListTables", {"TableNames": []}),
        (s3.buckets, "s3.ListBuckets", {"Buckets": []}),
        (functions, "lambda.ListFunctions", {}),
    ):
        seen = observe({operation: answer}, wanted)
        assert failure(seen) == (State.COMPLETE, None, "")
        assert seen.resources == ()


def test_ten_thousand_users_in_pages() -> None:
    pages = [
        {
            **({"when": {"Marker": str(page)}} if page else {}),
            "answer": {
                "Users": [user(f"user-{page:02}-{number:03}") for number in range(1000)],
                "IsTruncated": page < 9,
                **({"Marker": str(page + 1)} if page < 9 else {}),
            },
        }
        for page in reversed(range(10))
    ]
    with serve({"iam.ListUsers": pages}, moto=False) as server:
        (seen,) = read(server, users)
    assert (seen.state, len(seen.resources)) == (State.COMPLETE, 10_000)
    assert server.requests["iam.ListUsers"] == 10


def test_awkward_names_go_there_and_back() -> None:
    tags = [{"Key": AWKWARD, "Value": AWKWARD}]
    seen = observe(
        {
            "ssm.DescribeParameters": {"Parameters": [{"Name": AWKWARD, "Type": "SecureString"}]},
            "ssm.ListTagsForResource": [{"when": {"ResourceId": AWKWARD}, "answer": {"TagList": tags}}],
        },
        parameters,
    )
    assert seen.resources == (
        (
            f"arn:aws:ssm:::{AWKWARD}",
            AWKWARD,
            {"Name": AWKWARD, "Type": "SecureString", "Tags": tags},
        ),
    )
    seen = observe(
        {
            "iam.ListRoles": {"Roles": [role(AWKWARD)]},
            "iam.ListRoleTags": [{"when": {"RoleName": AWKWARD}, "answer": {"Tags": tags}}],
        },
        roles,
    )
    assert [(name, config) for _, name, config in seen.resources] == [(AWKWARD, {"Tags": tags})]


def test_secrets_are_redacted() -> None:
    password, key = "correct horse", "AKIAABCDEFGHIJKLMNOP"
    one = {**function("one"), "Description": f"uses {key}"}
    one["Environment"] = {"Variables": {"PASSWORD": password, "KEY": key}}
    seen = observe({"lambda.ListFunctions": {"Functions": [one]}}, functions)
    config = seen.resources[0][2]
    assert password not in str(seen)
    assert key not in str(seen)
    assert config["Environment"]["PASSWORD"].startswith("redacted:")
    assert config["Environment"]["KEY"].startswith("redacted:AWS access key:")
    assert config["Description"].startswith("redacted:AWS access key:")


# Only reading, and only what was declared


def test_an_undeclared_call_never_leaves() -> None:
    with serve(BUCKETS, moto=False) as server:
        (seen,) = read(server, overreaching)
    assert (seen.state, seen.reason) == (State.FAILED, Reason.MALFORMED)
    assert "s3:GetBucketAcl is not among the calls this evidence declares" in seen.detail
    assert server.requests == {"sts.GetCallerIdentity": 1, "s3.ListBuckets": 1}


def test_a_declared_write_is_refused() -> None:
    with serve({}, moto=False) as server:
        (seen,) = read(server, destructive)
    assert seen.state == State.FAILED
    assert "iam:DeleteUser, which is not a read" in seen.detail
    assert server.requests == {"sts.GetCallerIdentity": 1}


# Credentials, accounts and regions


def test_expired_credentials_fail_everything_with_the_same_advice() -> None:
    answers = {**BUCKETS, "sts.GetCallerIdentity": [{"error": "ExpiredToken", "status": 403}]}
    with serve(answers, moto=False) as server:
        seen = read(server, s3.buckets, users)
    assert {failure(one) for one in seen} == {
        (
            State.FAILED,
            Reason.DENIED,
            "sts:GetCallerIdentity: credentials not accepted (ExpiredToken); renew them",
        )
    }


def test_no_credentials_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with serve(BUCKETS, moto=False) as server:
        (seen,) = read(server, s3.buckets)
    assert failure(seen) == (
        State.FAILED,
        Reason.DENIED,
        "no AWS credentials found; set a profile or the environment's keys",
    )
    assert not server.requests


def test_a_profile_that_does_not_exist() -> None:
    with serve(BUCKETS, moto=False) as server:
        (seen,) = read(server, s3.buckets, profile="nobody")
    assert failure(seen) == (State.FAILED, Reason.DENIED, "The config profile (nobody) could not be found")


def test_a_region_that_is_off_is_a_gap() -> None:
    regions = [
        {"RegionName": "eu-west-1", "OptInStatus": "opt-in-not-required"},
        {"RegionName": "ap-east-1", "OptInStatus": "not-opted-in"},
    ]
    with serve({"ec2.DescribeRegions": {"Regions": regions}}, moto=False) as server:
        planned = plan(server, regions=["eu-west-1", "ap-east-1"])
    off = NotCollected(Reason.DISABLED, f"region ap-east-1 is not enabled in account {ACCOUNT}")
    assert planned == [
        HERE,
        Scope("aws", "aws", "region", ACCOUNT, "eu-west-1"),
        Gap("aws", f"{ACCOUNT}/ap-east-1", off),
    ]


def test_a_role_that_one_account_of_three_denies(caplog: pytest.LogCaptureFixture) -> None:
    second, third = "222233334444", "333344445555"
    answers = {
        "organizations.ListAccounts": {
            "Accounts": [
                {"Id": one, "Name": name, "State": "ACTIVE", "Status": "ACTIVE"}
                for one, name in ((ACCOUNT, "main"), (second, "closed to us"), (third, "open"))
            ]
        },
        "sts.AssumeRole": [
            {"when": {"RoleArn": f"arn:aws:iam::{second}:role/auditor"}, "error": "AccessDenied"},
            {
                "answer": {
                    "Credentials": {
                        "AccessKeyId": "ASIAIOSFODNN7EXAMPLE",
                        "SecretAccessKey": "opens-nothing",
                        "SessionToken": "opens-nothing-either",
                        "Expiration": "2099-01-01T00:00:00Z",
                    }
                }
            },
        ],
        **BUCKETS,
    }
    with serve(answers, moto=False) as server:
        options = {"accounts": "organization", "role": "auditor"}
        planned = plan(server, **options)
        given = aws.Options.model_validate({"endpoint_url": server.url, "attempts": 1, **options})
        seen = {
            scope.place: collect(scope, given, [s3.buckets], Context(REDACT), lambda: AT)[0]
            for scope in planned
            if isinstance(scope, Scope) and scope.kind == "account"
        }
    denied = NotCollected(Reason.DENIED, "sts:AssumeRole denied (AccessDenied)")
    assert [one for one in planned if isinstance(one, Gap)] == [Gap("aws", second, denied)]
    assert [one.place for one in planned if isinstance(one, Scope) and one.kind == "region"] == [
        ACCOUNT,
        third,
    ]
    assert seen[ACCOUNT].state is State.COMPLETE
    assert seen[third].state is State.COMPLETE
    assert failure(seen[second]) == (State.FAILED, denied.reason, denied.detail)
    assert not caplog.records


# The stand-in itself


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (
            {"s3.ListBuckets": {"Bucket": []}},
            "s3.ListBuckets: ListBucketsOutput has no Bucket; it has Buckets",
        ),
        (
            {"s3.ListBuckets": {"Buckets": [{"Name": 1}]}},
            r"s3.ListBuckets.Buckets\[0\].Name: 1 is int, .*; quote it",
        ),
        ({"s3.ListBucket": {}}, "s3.ListBucket: "),
        ({"s4.ListBuckets": {}}, "s4.ListBuckets: Unknown service: 's4'"),
        ({"s3.GetBucketVersioning": {"Status": "enabled"}}, "'enabled' is not one of Enabled, Suspended"),
        ({"s3.ListBuckets": [{"anwser": {}}]}, r"s3.ListBuckets\[0\]: a case has no anwser"),
        ({"s3.GetBucketAcl": [{"when": {"Bukket": "a"}}]}, r"s3.GetBucketAcl\[0\].when: .* has no Bukket"),
        ({"iam.ListUsers": {"Users": [{"CreateDate": "yesterday"}]}}, "'yesterday' is no ISO 8601 time"),
    ],
)
def test_an_answer_that_aws_cannot_give_is_refused(answers: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        serve(answers, moto=False)


def test_an_operation_without_an_answer_is_remembered() -> None:
    with serve({}, moto=False) as server:
        (seen,) = read(server, users)
    assert server.unanswered == ["iam.ListUsers"]
    assert seen.state is State.FAILED


def test_moto_answers_the_rest() -> None:
    versioning = [{"when": {"Bucket": "one"}, "answer": {"Status": "Enabled"}}]
    with serve({"s3.GetBucketVersioning": versioning}, moto=True) as server:
        import boto3

        s3_client = boto3.client("s3", endpoint_url=server.url, region_name="us-east-1")
        for name in ("one", "two"):
            s3_client.create_bucket(Bucket=name)
        (seen,) = read(server, s3.buckets)
    assert seen.state is State.COMPLETE
    assert outcomes(s3.keeps_versions, seen) == {"one": "pass", "two": "fail"}
