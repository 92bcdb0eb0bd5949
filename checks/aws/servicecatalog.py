"""AWS Service Catalog: with whom its portfolios are shared, and what is tested on it.

https://docs.aws.amazon.com/servicecatalog/latest/dg/API_DescribePortfolioShares.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from checks.aws._listed import listed
from collector.sdk import Resource, Verdict, check, evidence, fail, ok, resource


@evidence(calls=["servicecatalog:DescribePortfolioShares", "servicecatalog:ListPortfolios"], per="region")
def portfolios(aws: Any) -> Iterator[Resource]:
    """Every portfolio of the account with the single accounts it is shared with.

    Shares with the organisation or its units are of another type, and not asked for.
    """
    client = aws.client("servicecatalog")
    for one in aws.pages(client.list_portfolios, "PortfolioDetails"):
        shares = listed(
            client.describe_portfolio_shares,
            "PortfolioShareDetails",
            "PageToken",
            "NextPageToken",
            PortfolioId=one["Id"],
            Type="ACCOUNT",
        )
        yield resource(
            one["ARN"],
            name=one["DisplayName"],
            config={
                "Id": one["Id"],
                "DisplayName": one["DisplayName"],
                "Accounts": sorted(share["PrincipalId"] for share in shares),
            },
        )


@check(portfolios, severity="medium")
def portfolio_is_shared_within_organization(
    portfolio: Resource, *, known_accounts: Sequence[str] = ()
) -> Verdict:
    """Service Catalog portfolio is shared through the organisation only

    A share with a single account stays when that account leaves the organisation. `known_accounts` are
    those that may have one.

    Risk: an account that nobody remembers can start your products and read their templates.
    Fix: aws servicecatalog delete-portfolio-share --portfolio-id ID --account-id ACCOUNT, and share with
        --organization-node instead
    Source: https://docs.aws.amazon.com/servicecatalog/latest/dg/API_DescribePortfolioShares.html
    Verified: 2026-11-25
    """
    accounts = portfolio["Accounts"]
    unknown = [one for one in accounts if one not in known_accounts]
    if unknown:
        return fail(f"shared with single accounts {', '.join(unknown)}")
    return ok(f"single accounts it is shared with: {', '.join(accounts) or 'none'}")
