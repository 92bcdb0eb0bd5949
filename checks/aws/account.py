"""The AWS account and its regions as such: what every other module's checks can attach to.

https://docs.aws.amazon.com/accounts/latest/reference/API_GetAlternateContact.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import Resource, Verdict, check, evidence, fail, ok, resource


@evidence(calls=["account:GetAlternateContact"], per="account")
def account(aws: Any) -> Iterator[Resource]:
    """The account, with the contacts it names beside its owner. Telephone numbers are left out."""
    client = aws.client("account")
    contacts = {}
    for kind in ("SECURITY", "OPERATIONS", "BILLING"):
        contact = aws.get(
            client.get_alternate_contact,
            "AlternateContact",
            absent="ResourceNotFoundException",
            AlternateContactType=kind,
        )
        if isinstance(contact, dict):
            contact.pop("PhoneNumber", None)
        contacts[kind.capitalize()] = contact
    yield resource(
        f"arn:aws:iam::{aws.account}:root",
        name=aws.account,
        config={"AccountId": aws.account, "Contacts": contacts},
    )


@evidence(calls=[], per="region")
def region(aws: Any) -> Iterator[Resource]:
    """Each region that is read in the account."""
    yield resource(
        f"arn:aws:ec2:{aws.region}:{aws.account}:region", name=aws.region, config={"Region": aws.region}
    )


ROOT = "the root user's address"
"""Where AWS writes for want of a contact."""


def _registered(account: Resource, kind: str) -> Verdict:
    contact = account["Contacts"][kind]
    if not contact:
        return fail(f"no {kind.lower()} contact; AWS writes to {ROOT} only")
    return ok(f"{kind.lower()} contact {contact['EmailAddress']}")


@check(account, severity="medium")
def has_security_contact(account: Resource) -> Verdict:
    """Account names a security contact

    Risk: notices of abuse, exposed keys and vulnerabilities go to a mailbox that no security person reads.
    Fix: aws account put-alternate-contact --alternate-contact-type SECURITY --name NAME --title TITLE
        --email-address ADDRESS --phone-number NUMBER
    Source: https://docs.aws.amazon.com/accounts/latest/reference/API_GetAlternateContact.html
    Verified: 2026-11-25
    """
    return _registered(account, "Security")


@check(account, severity="low")
def has_operations_contact(account: Resource) -> Verdict:
    """Account names an operations contact

    Risk: notices of outages, retirements and forced maintenance reach nobody who can act on them.
    Fix: aws account put-alternate-contact --alternate-contact-type OPERATIONS --name NAME --title TITLE
        --email-address ADDRESS --phone-number NUMBER
    Source: https://docs.aws.amazon.com/accounts/latest/reference/API_GetAlternateContact.html
    Verified: 2026-11-25
    """
    return _registered(account, "Operations")


@check(account, severity="low")
def has_billing_contact(account: Resource) -> Verdict:
    """Account names a billing contact

    Risk: unpaid or unexpected bills, often the first sign of misuse, are seen late.
    Fix: aws account put-alternate-contact --alternate-contact-type BILLING --name NAME --title TITLE
        --email-address ADDRESS --phone-number NUMBER
    Source: https://docs.aws.amazon.com/accounts/latest/reference/API_GetAlternateContact.html
    Verified: 2026-11-25
    """
    return _registered(account, "Billing")


@check(account, severity="low")
def contacts_differ(account: Resource) -> Verdict:
    """Account's security, operations and billing contacts are not one and the same

    Where no contact is named AWS writes to the root user's address, so two that are not named are the same.

    Risk: an abuse notice waits among invoices in a mailbox that nobody reads for it.
    Fix: aws account put-alternate-contact --alternate-contact-type SECURITY --name NAME --title TITLE
        --email-address ADDRESS --phone-number NUMBER, with an address that its readers share
    Source: https://docs.aws.amazon.com/accounts/latest/reference/API_AlternateContact.html
    Verified: 2026-11-25
    """
    contacts = account["Contacts"]
    kinds = ("Security", "Operations", "Billing")
    read_by = {kind: contacts[kind]["EmailAddress"].lower() if contacts[kind] else ROOT for kind in kinds}
    stated = ", ".join(f"{kind.lower()}: {address}" for kind, address in read_by.items())
    return ok(stated) if len(set(read_by.values())) == len(kinds) else fail(stated)
