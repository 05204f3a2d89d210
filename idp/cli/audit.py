"""`idp audit`: looks through the audit log, proves it, takes it elsewhere."""

import click

from idp.cli.audit_entries import export, list_entries, streams
from idp.cli.audit_proofs import check, checkpoint, prove
from idp.cli.audit_verify import verify


@click.group(commands=[list_entries, verify, checkpoint, prove, check, export, streams])
def audit() -> None:
    """Look through the audit log, prove it, take it elsewhere."""
