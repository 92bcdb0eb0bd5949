"""AWS Certificate Manager: certificates, and their tests.

Certificates whose keys an ACME client holds are not listed unless asked for by name, and are not read: ACM
neither keeps nor uses their keys.
https://docs.aws.amazon.com/acm/latest/APIReference/Welcome.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from collector.sdk import (
    Resource,
    Verdict,
    check,
    day,
    evidence,
    fail,
    instant,
    not_applicable,
    ok,
    resource,
)

KEY_TYPES = (
    "EC_prime256v1",
    "EC_secp384r1",
    "EC_secp521r1",
    "RSA_1024",
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
)
"""All there are: unless they are named, only RSA keys of up to 2,048 bits are listed."""

UNISSUED = ("FAILED", "PENDING_VALIDATION", "VALIDATION_TIMED_OUT")


@evidence(calls=["acm:ListCertificates"], per="region")
def certificates(aws: Any) -> Iterator[Resource]:
    """Every certificate, with keys of any type."""
    acm = aws.client("acm")
    includes = {"keyTypes": list(KEY_TYPES)}
    for certificate in aws.pages(acm.list_certificates, "CertificateSummaryList", Includes=includes):
        yield resource(
            certificate["CertificateArn"], name=certificate.get("DomainName", ""), config=certificate
        )


def _stated(certificate: Resource) -> str:
    return f"{certificate['Status']}, {'in use' if certificate.get('InUse') else 'not in use'}"


@check(certificates, severity="high")
def is_valid(certificate: Resource, *, at: datetime) -> Verdict:
    """Certificate is neither expired nor revoked

    Risk: clients are turned away, or taught to click warnings off.
    Fix: request or import a new certificate and put it in the old one's place; delete the old one: aws acm
        delete-certificate --certificate-arn ARN
    Source: https://docs.aws.amazon.com/acm/latest/APIReference/API_CertificateSummary.html
    Verified: 2026-11-25
    """
    stated = _stated(certificate)
    if certificate["Status"] in UNISSUED:
        return not_applicable(f"never issued: {stated}")
    if certificate["Status"] != "ISSUED":
        return fail(stated)
    ends = instant(certificate["NotAfter"])
    if ends is None or ends <= at:
        return fail(f"expired {day(ends)}, {stated}")
    return ok(f"valid till {day(ends)}")


@check(certificates, severity="medium")
def is_not_expiring(certificate: Resource, *, at: datetime, min_days: int = 30) -> Verdict:
    """Certificate is valid for some time yet

    ACM begins to renew its own certificates well before that, so one of them that comes so close was not
    renewed.

    Risk: the certificate expires before anyone has seen that its renewal fails or that nobody renews it.
    Fix: for one that ACM issued, mend its validation (aws acm describe-certificate --certificate-arn ARN);
        for an imported one, import its successor
    Source: https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html
    Verified: 2026-11-25
    """
    if certificate["Status"] != "ISSUED":
        return not_applicable(f"not valid now: {_stated(certificate)}")
    ends = instant(certificate["NotAfter"])
    stated = f"valid till {day(ends)}"
    if ends is None or ends - at < timedelta(days=min_days):
        return fail(f"{stated}, less than {min_days} days after the test")
    return ok(stated)


@check(certificates, severity="low")
def renews_itself(certificate: Resource) -> Verdict:
    """Certificate in use is renewed by ACM

    An imported certificate never is, so somebody must import the next one in time.

    Risk: renewal rests on somebody's memory.
    Fix: request the certificate from ACM, validated by DNS: aws acm request-certificate --domain-name
        {name} --validation-method DNS
    Source: https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html
    Verified: 2026-11-25
    """
    if certificate["Status"] != "ISSUED" or not certificate["InUse"]:
        return not_applicable(_stated(certificate))
    eligibility = certificate.get("RenewalEligibility", "not stated")
    stated = f"{certificate['Type']}, renewal {eligibility}"
    return ok(stated) if eligibility == "ELIGIBLE" else fail(stated)


@check(certificates, severity="medium")
def key_is_strong(certificate: Resource, *, min_rsa_bits: int = 2048, min_ec_bits: int = 256) -> Verdict:
    """Certificate's key is long enough

    Risk: a key of 1,024 bits of RSA is within reach of those who would forge it.
    Fix: request or import a certificate with a longer key
    Source: https://docs.aws.amazon.com/acm/latest/APIReference/API_CertificateSummary.html
    Verified: 2026-11-25
    """
    algorithm = certificate["KeyAlgorithm"]
    bits = int(re.findall(r"\d{3,}", algorithm)[0])
    least = min_rsa_bits if algorithm.startswith("RSA") else min_ec_bits
    return ok(algorithm) if bits >= least else fail(f"{algorithm}, fewer than {least} bits")
