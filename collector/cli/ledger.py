"""`collector ledger`."""

from __future__ import annotations

from pathlib import Path

import click

from collector.cli.common import config_option, load_config, open_ledger, utc_now


@click.group()
def ledger() -> None:
    """Back up the ledger, take its signed head or an attached file, renew its key.

    The ledger is one file (ledger: in config.yaml). While no run writes, a copy of it is a complete backup;
    `ledger backup` makes one at any time. Its keys are in the file of the same name ending in .key, and go
    into no backup of the ledger: keep them apart.
    """


@ledger.command()
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@config_option
def backup(target: Path, config_file: Path) -> None:
    """Copy the ledger to TARGET, also while a run writes."""
    from collector.ledger.schema import backup as copy

    file = load_config(config_file).ledger
    copy(file, target)
    click.echo(f"{target}: complete copy of {file}, {target.stat().st_size:,} bytes")


@ledger.command()
@config_option
def head(config_file: Path) -> None:
    """Print the signed head of the journal.

    A C2SP checkpoint, to be kept where the ledger's owner cannot reach it. `collector verify --checkpoint
    FILE` proves later that nothing before it was rewritten.
    """
    from collector.ledger.exhibits import head as newest

    with open_ledger(load_config(config_file)) as opened:
        click.echo(newest(opened.db).note, nl=False)


@ledger.command()
@click.argument("digest", metavar="SHA-256")
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@config_option
def attachment(digest: str, target: Path, config_file: Path) -> None:
    """Write a file that was attached, as it was, to TARGET."""
    from collector.report.cells import write_new

    with open_ledger(load_config(config_file)) as opened:
        write_new(target, opened.attachment(digest))
    click.echo(f"{target}: as it was attached, {target.stat().st_size:,} bytes")


@ledger.command()
@config_option
def key(config_file: Path) -> None:
    """Print the public key that the ledger's heads are verified with."""
    with open_ledger(load_config(config_file)) as opened:
        click.echo(opened.verifier)


@ledger.command("new-key")
@config_option
def new_key(config_file: Path) -> None:
    """Make a new signing key.

    When the old one is lost or known to others. Recorded in the journal: heads signed before stay valid
    under the old key.
    """
    from collector.cli.run import actor
    from collector.ledger import history, journal
    from collector.ledger.schema import writing

    config = load_config(config_file)
    with open_ledger(config) as opened:
        name = opened.verifier.partition("+")[0]
    with writing(config.ledger) as db:
        keys = journal.make_keys(config.ledger, name)
        history.renew_key(db, keys, utc_now(), actor())
    click.echo(f"{journal.key_file(config.ledger)}: new key; public key {keys.verifier}")
