"""`gfm doctor`."""

from __future__ import annotations

import json
import sys

import click


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--for-qgis", is_flag=True, help="Check nothing; only tell the QGIS plugin of this environment.")
def doctor_command(as_json: bool, for_qgis: bool) -> None:
    """Check the installation: each part, its version, and the mend where something is wrong.

    \b
    gfm doctor --json
    """
    if for_qgis:
        click.echo(_told_to_qgis())
        return
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


def _told_to_qgis() -> str:
    """One line, also where nothing could be written: whatever calls this goes on, and the user can choose in QGIS."""
    from gfm_core.errors import OutputError
    from gfm_core.tools.environment import write_environment

    try:
        return f"{write_environment()}: tells the QGIS plugin of this environment"
    except OutputError as error:
        return f"QGIS was not told of this environment: {error}"
