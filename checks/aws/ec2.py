"""Amazon EC2: instances, launch templates, images, addresses and the account's settings, and their tests.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Welcome.html
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from checks._secrets import known_kind
from checks.aws.ssm import managed_nodes
from collector.sdk import (
    NotCollected,
    Resource,
    Verdict,
    check,
    day,
    evidence,
    fail,
    not_applicable,
    ok,
    older_than,
    resource,
)

PRESENT = ("pending", "running", "stopping", "stopped")
"""The states of an instance that still exists. A terminated one is listed for about an hour."""

VOLATILE = ("ClientToken", "State", "StateReason", "StateTransitionReason", "UsageOperationUpdateTime")
IMAGE_VOLATILE = ("ImageAllowed", "LastLaunchedTime", "ScanResults", "StateReason")

GZIP = 31
"""zlib's window bits for gzip, which cloud-init accepts as user data."""
USER_DATA_LIMIT = 1 << 20
"""Bytes read of compressed user data; EC2 takes 16 KiB, so more is no honest script."""


@evidence(
    calls=[
        "ec2:GetImageBlockPublicAccessState",
        "ec2:GetInstanceMetadataDefaults",
        "ec2:GetSerialConsoleAccessStatus",
    ],
    per="region",
)
def settings(aws: Any) -> Iterator[Resource]:
    """The account's own EC2 settings in each region."""
    ec2 = aws.client("ec2")
    yield resource(
        f"arn:aws:ec2:{aws.region}:{aws.account}:settings",
        name=f"EC2 settings of {aws.region}",
        config={
            "ImageBlockPublicAccess": aws.get(
                ec2.get_image_block_public_access_state, "ImageBlockPublicAccessState"
            ),
            "InstanceMetadataDefaults": aws.get(ec2.get_instance_metadata_defaults, "AccountLevel"),
            "SerialConsoleAccess": aws.get(
                ec2.get_serial_console_access_status, "SerialConsoleAccessEnabled"
            ),
        },
    )


@evidence(calls=["ec2:DescribeInstanceAttribute", "ec2:DescribeInstances"], per="region")
def instances(aws: Any) -> Iterator[Resource]:
    """Every instance that is not terminated, its user data replaced by a digest."""
    ec2 = aws.client("ec2")
    present = [{"Name": "instance-state-name", "Values": list(PRESENT)}]
    for reservation in aws.pages(ec2.describe_instances, "Reservations", Filters=present):
        for instance in reservation["Instances"]:
            name = instance["InstanceId"]
            data = aws.get(ec2.describe_instance_attribute, "UserData", InstanceId=name, Attribute="userData")
            yield resource(
                f"arn:aws:ec2:{aws.region}:{aws.account}:instance/{name}",
                name=name,
                config={
                    **{key: value for key, value in instance.items() if key not in VOLATILE},
                    "State": instance["State"]["Name"],
                    "UserData": data if isinstance(data, NotCollected) else _digest(aws, data),
                },
            )


@evidence(calls=["ec2:DescribeLaunchTemplateVersions"], per="region")
def launch_templates(aws: Any) -> Iterator[Resource]:
    """Every launch template in its default and its latest version, user data replaced by a digest."""
    ec2 = aws.client("ec2")
    templates: dict[str, dict[int, Any]] = {}
    wanted = ["$Default", "$Latest"]
    for version in aws.pages(
        ec2.describe_launch_template_versions, "LaunchTemplateVersions", Versions=wanted
    ):
        data = version["LaunchTemplateData"]
        if "UserData" in data:
            data["UserData"] = _digest(aws, {"Value": data["UserData"]})
        templates.setdefault(version["LaunchTemplateId"], {})[version["VersionNumber"]] = version
    for name, versions in templates.items():
        yield resource(
            f"arn:aws:ec2:{aws.region}:{aws.account}:launch-template/{name}",
            name=name,
            config={"Versions": [versions[number] for number in sorted(versions)]},
        )


@evidence(calls=["ec2:DescribeImages"], per="region")
def images(aws: Any) -> Iterator[Resource]:
    """Every machine image (AMI) that the account owns, disabled ones too."""
    ec2 = aws.client("ec2")
    for image in aws.pages(ec2.describe_images, "Images", Owners=["self"], IncludeDisabled=True):
        yield resource(
            f"arn:aws:ec2:{aws.region}::image/{image['ImageId']}",
            config={key: value for key, value in image.items() if key not in IMAGE_VOLATILE},
        )


@evidence(calls=["ec2:DescribeAddresses"], per="region")
def addresses(aws: Any) -> Iterator[Resource]:
    """Every Elastic IP address, and what it leads to."""
    for address in aws.pages(aws.client("ec2").describe_addresses, "Addresses"):
        name = address["AllocationId"]
        yield resource(f"arn:aws:ec2:{aws.region}:{aws.account}:elastic-ip/{name}", config=address)


def _digest(aws: Any, data: Any) -> str | None:
    """User data as a digest that names the kind of secret in it, if its form tells; None for none."""
    encoded = (data or {}).get("Value")
    if not encoded:
        return None
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raw = encoded.encode()
    with suppress(zlib.error):  # raised where it is not compressed
        raw = zlib.decompressobj(GZIP).decompress(raw, USER_DATA_LIMIT)
    digest: str = aws.redact(raw.decode("utf-8", "replace"))
    return digest


def _by_service(instance: Resource) -> Verdict | None:
    """The verdict on an instance that an AWS service runs for the account and nobody else can set up."""
    operator = instance.get("Operator") or {}
    if operator.get("Managed"):
        return not_applicable(f"managed by {operator.get('Principal', 'an AWS service')}")
    return None


@check(settings, severity="medium")
def requires_imdsv2_by_default(region: Resource) -> Verdict:
    """New instances of the region require version 2 of the metadata service

    An instance takes this default unless it says otherwise at launch. Without it, its image decides.

    Risk: the next instance, launched with no thought of it, hands its role's credentials to whoever finds
        a server-side request forgery.
    Fix: aws ec2 modify-instance-metadata-defaults --http-tokens required --region REGION
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetInstanceMetadataDefaults.html
    Verified: 2026-11-25
    """
    defaults = region["InstanceMetadataDefaults"] or {}
    if defaults.get("HttpEndpoint") == "disabled":
        return ok("the metadata service is off by default")
    tokens = defaults.get("HttpTokens", "not set")
    return ok(f"HttpTokens {tokens}") if tokens == "required" else fail(f"HttpTokens {tokens}")


@check(settings, severity="medium")
def blocks_public_images(region: Resource) -> Verdict:
    """The region lets no machine image be shared with everyone

    Risk: one mistaken launch permission publishes an image, with the code and keys that are baked into it.
    Fix: aws ec2 enable-image-block-public-access --image-block-public-access-state block-new-sharing
        --region REGION
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetImageBlockPublicAccessState.html
    Verified: 2026-11-25
    """
    state = region["ImageBlockPublicAccess"]
    return ok(state) if state == "block-new-sharing" else fail(f"public sharing of images is {state}")


@check(settings, severity="low")
def closes_serial_console(region: Resource) -> Verdict:
    """Serial console of instances is closed to the account in the region

    Risk: the console reaches an instance past security groups, bastions and the logs of both.
    Fix: aws ec2 disable-serial-console-access --region REGION
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSerialConsoleAccessStatus.html
    Verified: 2026-11-25
    """
    return ok("closed") if region["SerialConsoleAccess"] is False else fail("the serial console is open")


@check(instances, severity="high")
def instance_requires_imdsv2(instance: Resource) -> Verdict:
    """Instance answers metadata requests of version 2 only

    Risk: a server-side request forgery in anything that runs on the instance reads its role's credentials.
    Fix: aws ec2 modify-instance-metadata-options --instance-id {name} --http-tokens required
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceMetadataOptionsResponse.html
    Verified: 2026-11-25
    """
    if verdict := _by_service(instance):
        return verdict
    options = instance["MetadataOptions"]
    if options["HttpEndpoint"] == "disabled":
        return ok("the metadata service is off")
    tokens = options["HttpTokens"]
    return ok(f"HttpTokens {tokens}") if tokens == "required" else fail(f"HttpTokens {tokens}")


@check(instances, severity="medium")
def instance_has_no_public_address(instance: Resource, *, allowed_tag: str = "public-address") -> Verdict:
    """Instance has no public IPv4 address, unless it is tagged as meant to have one

    `allowed_tag` is the key of that tag. Whether an IPv6 address is reachable depends on routes, which are
    not judged here.

    Risk: the instance can be reached from the internet as soon as a security group is opened by mistake.
    Fix: put the instance behind a load balancer or NAT gateway, and take its address away; or tag it if it
        must face the internet: aws ec2 create-tags --resources {name} --tags Key=public-address,Value=REASON
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceNetworkInterfaceAssociation.html
    Verified: 2026-11-25
    """
    addresses = sorted(_public_addresses(instance))
    if not addresses:
        return ok("no public IPv4 address")
    stated = f"public address {', '.join(addresses)}"
    tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", ())}
    if allowed_tag in tags:
        return ok(f"{stated}, meant to be: tag {allowed_tag}={tags[allowed_tag]}")
    return fail(stated)


def _public_addresses(instance: Resource) -> set[str]:
    associations = [
        address.get("Association") or {}
        for interface in instance.get("NetworkInterfaces", ())
        for address in interface.get("PrivateIpAddresses", ())
    ]
    return {one["PublicIp"] for one in associations if "PublicIp" in one}


@check(instances, severity="low")
def instance_has_profile(instance: Resource) -> Verdict:
    """Instance has an instance profile, so that it needs no stored keys

    Risk: software on it that calls AWS does so with long-lived keys, kept in files and images.
    Fix: aws ec2 associate-iam-instance-profile --instance-id {name} --iam-instance-profile Name=PROFILE
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html
    Verified: 2026-11-25
    """
    if verdict := _by_service(instance):
        return verdict
    profile = instance.get("IamInstanceProfile")
    return ok(f"profile {profile['Arn'].rpartition('/')[2]}") if profile else fail("no instance profile")


@check(instances, managed_nodes, severity="medium")
def instance_is_managed(instance: Resource, *, managed_nodes: list[Resource]) -> Verdict:
    """Running instance is managed by Systems Manager

    Its agent must be in touch: one that is not can neither be patched nor asked. Stopped instances cannot be
    judged.

    Risk: nobody sees which patches it lacks or what is installed on it, and it is reached by SSH keys.
    Fix: give the instance a profile with AmazonSSMManagedInstanceCore and start the agent on it; see
        aws ssm describe-instance-information --filters Key=InstanceIds,Values={name}
    Source: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html
    Verified: 2026-11-25
    """
    if verdict := _by_service(instance):
        return verdict
    if instance["State"] != "running":
        return not_applicable(f"the instance is {instance['State']}")
    for node in managed_nodes:
        if node["InstanceId"] == instance["InstanceId"]:
            status = node["PingStatus"]
            return (ok if status == "Online" else fail)(f"a managed node of Systems Manager, {status}")
    return fail("Systems Manager does not know the instance")


@check(instances, severity="low")
def instance_is_renewed(instance: Resource, *, at: datetime, max_days: int = 180) -> Verdict:
    """Instance was launched or restarted within the time allowed

    LaunchTime starts anew when a stopped instance is started, so a young one may still have an old disk.

    Risk: an instance that nobody replaces gathers unpatched software and changes that no code describes.
    Fix: replace the instance from a current image.
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html
    Verified: 2026-11-25
    """
    launched = f"launched {day(instance['LaunchTime'])}"
    if older_than(instance["LaunchTime"], max_days, at):
        return fail(f"{launched}, more than {max_days} days before the test")
    return ok(launched)


@check(instances, severity="high")
def user_data_holds_no_known_secret(instance: Resource) -> Verdict:
    """User data of the instance holds no secret that its form gives away

    Told by its form are keys of cloud providers, private keys, tokens and passwords in URLs. The text itself
    is never stored, only a keyed digest of it.

    Risk: everyone who may describe the instance, and every process on it, can read the secret.
    Fix: replace the secret, keep the new one in Secrets Manager or Parameter Store, read it at start-up.
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceAttribute.html
    Verified: 2026-11-25
    """
    digest = instance["UserData"]
    if not digest:
        return ok("no user data")
    kind = known_kind(digest)
    return fail(f"user data holds: {kind}") if kind else ok("no known kind of secret in user data")


@check(launch_templates, settings, severity="medium")
def template_requires_imdsv2(template: Resource, *, settings: list[Resource]) -> Verdict:
    """Launch template requires version 2 of the metadata service

    Its default and its latest version are both tested. A version that says nothing takes the region's
    default.

    Risk: every instance an auto scaling group starts from it answers version 1.
    Fix: create a version of {name} with MetadataOptions HttpTokens=required, then make it the default:
        aws ec2 modify-launch-template --launch-template-id {name} --default-version VERSION
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LaunchTemplateInstanceMetadataOptions.html
    Verified: 2026-11-25
    """
    lax = []
    for version in template["Versions"]:
        options = version["LaunchTemplateData"].get("MetadataOptions") or {}
        tokens = options.get("HttpTokens") or _default_tokens(settings)
        if tokens != "required" and options.get("HttpEndpoint") != "disabled":
            lax.append(f"version {version['VersionNumber']}: HttpTokens {tokens}")
    return fail("; ".join(lax)) if lax else ok("neither default nor latest version allows version 1")


def _default_tokens(settings: list[Resource]) -> str:
    for region in settings:
        return str((region["InstanceMetadataDefaults"] or {}).get("HttpTokens", "not set"))
    return "not set"


@check(launch_templates, severity="high")
def template_holds_no_known_secret(template: Resource) -> Verdict:
    """User data of the launch template holds no secret that its form gives away

    Its default and its latest version are both tested.

    Risk: everyone who may describe launch templates can read the secret, and every instance carries it.
    Fix: replace the secret, keep the new one in Secrets Manager, make a version without it the default and
        delete the old ones.
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLaunchTemplateVersions.html
    Verified: 2026-11-25
    """
    found = [
        f"version {version['VersionNumber']}: {kind}"
        for version in template["Versions"]
        if (kind := known_kind(version["LaunchTemplateData"].get("UserData") or ""))
    ]
    return fail("; ".join(found)) if found else ok("no known kind of secret in user data")


@check(images, severity="critical")
def image_is_not_public(image: Resource) -> Verdict:
    """Machine image is not shared with everyone

    The region's block stops new sharing only: an image that was public before it stays public, and fails.

    Risk: anyone can start the image and read the code, configuration and keys on it.
    Fix: aws ec2 reset-image-attribute --image-id {name} --attribute launchPermission
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Image.html
    Verified: 2026-11-25
    """
    return fail("launch permission for everyone") if image["Public"] else ok("not public")


@check(instances, severity="low")
def instance_stands_in_one_subnet(instance: Resource) -> Verdict:
    """Instance stands in one subnet only, so that it joins no networks that are kept apart

    Firewalls and routers that are meant to stand in two are accepted by an exception.

    Risk: who takes over the instance crosses from one network to the other, past every rule between them.
    Fix: aws ec2 detach-network-interface --attachment-id ID, of the interface in the other subnet of {name}
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceNetworkInterface.html
    Verified: 2026-11-25
    """
    if verdict := _by_service(instance):
        return verdict
    subnets = sorted({one["SubnetId"] for one in instance["NetworkInterfaces"]})
    stated = f"interfaces in {', '.join(subnets) or 'no subnet'}"
    return fail(stated) if len(subnets) > 1 else ok(stated)


@check(launch_templates, severity="medium")
def template_gives_no_public_address(template: Resource) -> Verdict:
    """Launch template does not ask for a public IPv4 address

    Its default and its latest version are both tested. A version that says nothing takes the subnet's
    setting, which is tested itself.

    Risk: every instance that is started from it faces the internet.
    Fix: create a version of {name} without AssociatePublicIpAddress, then make it the default: aws ec2
        modify-launch-template --launch-template-id {name} --default-version VERSION
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LaunchTemplateInstanceNetworkInterfaceSpecification.html
    Verified: 2026-11-25
    """
    asking = [
        f"version {version['VersionNumber']}"
        for version in template["Versions"]
        for interface in version["LaunchTemplateData"].get("NetworkInterfaces", ())
        if interface.get("AssociatePublicIpAddress")
    ]
    if asking:
        return fail(f"a public address is asked for by {', '.join(dict.fromkeys(asking))}")
    return ok("neither default nor latest version asks for a public address")


@check(addresses, severity="low")
def address_is_used(address: Resource) -> Verdict:
    """Elastic IP address leads to something

    Risk: an address nobody looks after stays in allow lists and DNS records, for whatever is put behind it.
    Fix: take it out of DNS and of allow lists, then: aws ec2 release-address --allocation-id {name}
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Address.html
    Verified: 2026-11-25
    """
    if service := address.get("ServiceManaged"):
        return not_applicable(f"managed by {service}")
    if "AssociationId" not in address:
        return fail(f"{address['PublicIp']} leads to nothing")
    to = address.get("InstanceId") or address.get("NetworkInterfaceId") or "a network interface"
    return ok(f"{address['PublicIp']} leads to {to}")
