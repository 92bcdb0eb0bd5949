"""Device assurance in Okta: what a device must be like to sign in. Identity Engine only.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/DeviceAssurance/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.okta._org import ENGINE, address, bare, only_identity_engine
from checks.okta.org import settings
from checks.okta.sign_on import policies
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

ENCRYPTABLE = frozenset({"ANDROID", "MACOS", "WINDOWS"})
"""Platforms whose disk Okta Verify can look at. On an iPhone it is encrypted once there is a passcode."""


@evidence(
    calls=[ENGINE, "GET /api/v1/device-assurances"], per="org", permissions=["okta.deviceAssurance.read"]
)
def assurances(okta: Any) -> Iterator[Resource]:
    """Every device assurance policy: what a device of one platform must be like."""
    only_identity_engine(okta, "device assurance")
    for one in okta.pages("/api/v1/device-assurances"):
        yield resource(address(okta, f"device-assurances/{one['id']}"), name=one["name"], config=bare(one))


def _chrome(policy: Resource) -> Any:
    """What is asked of the device through Chrome, as an alternative to Okta Verify."""
    return (policy.get("thirdPartySignalProviders") or {}).get("dtc") or {}


@check(settings, policies, severity="medium")
def sign_in_looks_at_device(org: Resource, *, policies: list[Resource]) -> Verdict:
    """Some app asks what the device is like before it opens

    Risk: company data is opened on devices that nobody looks after.
    Fix: Security > Authentication Policies > a policy > Add rule > Device state is: Registered, Managed, with
        a device assurance policy.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicyRules
    Verified: 2026-11-25
    """
    found = sorted(
        {
            policy.name
            for policy in policies
            if policy["Policy"]["status"] == "ACTIVE"
            for rule in policy["Rules"]
            if rule["status"] == "ACTIVE" and _asks(rule)
        }
    )
    if found:
        return ok(f"policies with a rule on devices: {', '.join(found)}")
    return fail("no active rule of an app sign-on policy asks for an assured or managed device")


def _asks(rule: Any) -> bool:
    device = (rule.get("conditions") or {}).get("device") or {}
    return bool((device.get("assurance") or {}).get("include") or device.get("managed"))


@check(assurances, severity="medium")
def assurance_asks_for_encrypted_disk(policy: Resource) -> Verdict:
    """Device assurance asks for an encrypted disk

    Risk: whoever finds the device reads its disk.
    Fix: Security > Device Assurance Policies > {name} > Edit > Disk encryption: on.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/DeviceAssurance/#tag/DeviceAssurance/operation/listDeviceAssurancePolicies
    Verified: 2026-11-25
    """
    if policy["platform"] not in ENCRYPTABLE:
        return not_applicable(f"Okta does not ask this of {policy['platform']}")
    asked = (policy.get("diskEncryptionType") or {}).get("include") or []
    if asked:
        return ok(f"asks for {', '.join(asked)}")
    return ok("asks for it through Chrome") if _chrome(policy).get("diskEncrypted") else fail("not asked")


@check(assurances, severity="medium")
def assurance_asks_for_screen_lock(policy: Resource) -> Verdict:
    """Device assurance asks for a screen lock

    Risk: whoever picks up the device is signed in.
    Fix: Security > Device Assurance Policies > {name} > Edit > Lock screen: on.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/DeviceAssurance/#tag/DeviceAssurance/operation/listDeviceAssurancePolicies
    Verified: 2026-11-25
    """
    asked = [one for one in (policy.get("screenLockType") or {}).get("include") or [] if one != "NONE"]
    if asked:
        return ok(f"asks for {', '.join(asked)}")
    return ok("asks for it through Chrome") if _chrome(policy).get("screenLockSecured") else fail("not asked")


@check(assurances, severity="medium")
def assurance_asks_for_current_system(policy: Resource) -> Verdict:
    """Device assurance asks for a current operating system

    That the version it names is still current is for people to judge.

    Risk: weaknesses that were mended long ago are open on the device.
    Fix: Security > Device Assurance Policies > {name} > Edit > OS version: a dynamic version, or at least X.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/DeviceAssurance/#tag/DeviceAssurance/operation/listDeviceAssurancePolicies
    Verified: 2026-11-25
    """
    for version in (
        policy.get("osVersion"),
        *(policy.get("osVersionConstraints") or []),
        _chrome(policy).get("osVersion"),
    ):
        wanted = version or {}
        if wanted.get("minimum"):
            return ok(f"at least {wanted['minimum']}")
        if dynamic := wanted.get("dynamicVersionRequirement"):
            behind = dynamic.get("distanceFromLatestMajor", 0)
            return ok(f"{dynamic.get('type')}: at most {behind} major versions behind the latest")
    return fail("any version will do")
