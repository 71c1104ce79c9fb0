"""A report for whoever helps: all versions, what the check found, and the log of the last set-up, as one text."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..environment import Check, data_folder

# Variables that decide where packages come from, and how.
_TOLD = re.compile(r"^(PIP_|https?_proxy$|no_proxy$|all_proxy$|SSL_CERT|REQUESTS_CA)", re.IGNORECASE)
_SECRET = re.compile(r"(?<=//)[^/\s@]+@")


def log_file() -> Path:
    """The log of the last set-up."""
    return data_folder() / "setup.log"


def blanked(text: str) -> str:
    """The text without the user names and passwords that stand in addresses."""
    return _SECRET.sub("***@", text)


def report(versions: Mapping[str, str], checks: Sequence[Check], log: str) -> str:
    """The report; `versions` are those that only QGIS knows."""
    parts = {**versions, "system": platform.platform(), "Python of QGIS": platform.python_version()}
    lines = ["JEPA-GFM report", "", *(f"{name}: {text}" for name, text in parts.items())]
    lines += [
        "",
        "Variables",
        *_variables(),
        "",
        "Check",
        *map(_line, checks),
        "",
        "Log of the last set-up",
        log.strip(),
    ]
    return blanked("\n".join(lines)) + "\n"


def last_log() -> str:
    """What the last set-up said, or that there was none."""
    try:
        return log_file().read_text(encoding="utf-8", errors="replace")
    except (OSError, RuntimeError):
        return "none"


def _variables() -> list[str]:
    return [f"{name}={value}" for name, value in sorted(os.environ.items()) if _TOLD.match(name)] or ["none"]


def _line(item: Check) -> str:
    mend = f" - {item.mend}" if item.mend else ""
    return f"{'ok  ' if item.ok else 'FAIL'} {item.name}: {item.found}{mend}"
