from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gfm_core.errors import ParameterError
from gfm_core.model import precision
from gfm_core.model.precision import cpu_flags, resolve_precision


@pytest.mark.parametrize(
    ("flags", "dtype"),
    [
        ("fpu avx2 avx512f", torch.float32),
        ("fpu avx512f avx512_bf16", torch.bfloat16),
        ("fpu amx_bf16", torch.bfloat16),
        ("", torch.float32),
    ],
)
def test_auto_follows_the_flags_of_the_cpu(monkeypatch: pytest.MonkeyPatch, flags: str, dtype: torch.dtype) -> None:
    monkeypatch.setattr(precision, "cpu_flags", lambda: frozenset(flags.split()))
    assert resolve_precision("auto", "cpu") is dtype


def test_what_the_user_asks_for_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "cpu_flags", lambda: frozenset({"avx512_bf16"}))
    assert resolve_precision("float32", "cpu") is torch.float32
    assert resolve_precision("bf16", torch.device("cpu")) is torch.bfloat16


def test_other_words_are_refused() -> None:
    with pytest.raises(ParameterError, match="float16"):
        resolve_precision("float16", "cpu")


def test_flags_are_read_from_cpuinfo(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nflags\t\t: fpu sse avx512_bf16\nbogomips: 1\n")
    assert cpu_flags(str(cpuinfo)) == {"fpu", "sse", "avx512_bf16"}
    assert cpu_flags(str(tmp_path / "none")) == frozenset()
