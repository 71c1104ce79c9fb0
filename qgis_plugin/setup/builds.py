"""Which build of torch suits this computer: it is most of what an environment weighs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from ..environment import clean_environ

NEED_CPU = 1.6  # GB on the disk, measured on Linux; most of it is torch
NEED_GPU = 7.0  # with NVIDIA's libraries
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CUDA_INDEX = "https://download.pytorch.org/whl/cu126"  # Windows: the registry's torch knows no graphics card there

_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)


def has_nvidia() -> bool:
    """Whether there is a graphics card of NVIDIA with its driver."""
    with suppress(OSError, subprocess.TimeoutExpired):
        ran = subprocess.run(
            ["nvidia-smi", "-L"], stdin=subprocess.DEVNULL, capture_output=True, env=clean_environ(), timeout=20,
            check=False, creationflags=_NO_WINDOW,
        )  # fmt: skip
        return ran.returncode == 0 and b"GPU" in ran.stdout
    return False


@dataclass(frozen=True)
class Torch:
    """A build of torch: the arguments that choose it, and what to say of it."""

    arguments: tuple[str, ...] = ()
    text: str = "torch as the registry has it"
    need: float = NEED_CPU


# A registry's torch for Linux brings NVIDIA's libraries, of no use without such a card.
LARGE = Torch((), "torch as the registry has it, with NVIDIA's libraries", NEED_GPU)


def local_cpu_torch(offered: Sequence[str], pins: str) -> Torch | None:
    """The newest CPU build among what pip's own settings offer, within the tested range."""
    versions = [version for version in _versions(offered) if "+cpu" in version and _in_range(version, pins)]
    return Torch((f"torch=={versions[0]}",), f"torch {versions[0]}") if versions else None


def cpu_index_torch(offered: Sequence[str]) -> Torch | None:
    """The CPU builds of PyTorch's own index, if it answered and has one for this Python."""
    if not any("+cpu" in version for version in _versions(offered)):
        return None
    return Torch(("--extra-index-url", CPU_INDEX), "the CPU build of torch")


def default_torch(*, nvidia: bool, offline: bool) -> Torch:
    """Where no CPU build is to be looked for, or none was found."""
    if sys.platform == "win32" and nvidia and not offline:
        return Torch(("--extra-index-url", CUDA_INDEX), "torch for NVIDIA's graphics cards", NEED_GPU)
    if sys.platform == "linux" and not offline:
        return LARGE
    return Torch()


def _versions(offered: Sequence[str]) -> list[str]:
    """What `pip index versions` lists, the newest first."""
    for line in offered:
        if line.startswith("Available versions:"):
            return [version.strip() for version in line.partition(":")[2].split(",")]
    return []


def _in_range(version: str, pins: str) -> bool:
    """Whether the pins allow it: `torch>=2.6,<2.15`."""
    found = re.search(r"^torch>=([\d.]+),<([\d.]+)", pins, re.MULTILINE)
    return found is None or _number(found[1]) <= _number(version) < _number(found[2])


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:2])
