"""Where the network runs."""

from __future__ import annotations

import torch

from gfm_core.errors import ParameterError


def resolve_device(device: str) -> torch.device:
    """`auto` (a GPU if one works, else the CPU), `cpu` or `cuda`; raises `ParameterError` for a GPU that is not
    there."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cuda" and not torch.cuda.is_available():
        raise ParameterError("device cuda is asked for but torch sees no GPU here; use auto or cpu.")
    return torch.device(device)
