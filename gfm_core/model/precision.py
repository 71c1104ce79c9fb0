"""Which number format the network runs in: by a rule on the chip, never by timing, since that would change bytes."""

from __future__ import annotations

import functools
from pathlib import Path

import torch

from gfm_core.errors import ParameterError

_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})  # units that multiply bf16; without them it is emulated and slower


def resolve_precision(precision: str, device: torch.device | str) -> torch.dtype:
    """`auto`, `float32` or `bf16` → the dtype of matrix products on `device`; other words raise `ParameterError`."""
    if precision not in ("auto", "float32", "bf16"):
        raise ParameterError(f"precision cannot be {precision!r}; use auto, float32 or bf16.")
    if precision != "auto":
        return torch.bfloat16 if precision == "bf16" else torch.float32
    match torch.device(device).type:
        case "cuda":
            able = torch.cuda.get_device_capability(device)[0] >= 8
        case "cpu":
            able = bool(_BF16_FLAGS & cpu_flags())
        case _:
            able = False
    return torch.bfloat16 if able else torch.float32


@functools.cache
def cpu_flags(cpuinfo: str = "/proc/cpuinfo") -> frozenset[str]:
    """What the CPU can do, as Linux names it; empty where the system does not tell."""
    try:
        lines = Path(cpuinfo).read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return frozenset()
    flags = (line.partition(":")[2] for line in lines if line.startswith(("flags", "Features")))
    return frozenset(next(flags, "").split())
