"""`gfm doctor`."""

from __future__ import annotations

import json
import sys

import click


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor_command(as_json: bool) -> None:
    """Check the installation: each part, its version, and the mend where something is wrong.

    \b
    gfm doctor --json
    """
    from gfm_core.tools.doctor import check_installation

    checks = check_installation()
    if as_json:
        click.echo(json.dumps([check.to_dict() for check in checks], indent=2))
    else:
        for check in checks:
            click.echo(f"{'ok  ' if check.ok else 'FAIL'} {check.name}: {check.found}")
            if check.mend:
                click.echo(f"     {check.mend}")
    sys.exit(0 if all(check.ok for check in checks) else 1)
