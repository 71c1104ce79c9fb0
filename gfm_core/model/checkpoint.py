"""Checkpoints: one safetensors file with weights in bf16 and a JSON header that says what they are.

Nothing here unpickles. A file is read whole, checked from the outside inwards, and refused with one sentence.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from gfm_core.assets import model_files
from gfm_core.errors import CheckpointError, ParameterError
from gfm_core.grid import CORE, HALO, WINDOW
from gfm_core.model.config import ARCHITECTURE, ModelConfig
from gfm_core.model.encoder import CellEncoder
from gfm_core.model.jepa import JepaModel, build_encoder, build_model
from gfm_core.model.tokens import BAND_VOCABULARY
from gfm_core.whole import write_whole

FORMAT_VERSION = 1
BEST = "model.safetensors"  # the checkpoint of a training run's folder

_KEY = "jepa_gfm"  # the one entry of safetensors' own metadata: several would be written in random order
_LATENT_RANGE = 4.0  # standard deviations of a layer-normed latent that 8 bits cover when nothing was measured
_PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A checkpoint in memory: `encoder` in float32, eval mode, without gradients; `sha256` of the whole file.

    `header` is the JSON header: `quantisation` (per group `scale` and `offset` `[D]`: value = byte * scale + offset,
    bytes 1-255), `training_data`, `licences`, `numbers` and what the writer added.
    """

    encoder: CellEncoder
    config: ModelConfig
    header: dict[str, Any]
    sha256: str
    name: str
    path: Path


def save_checkpoint(
    path: Path, model: JepaModel | CellEncoder, header: Mapping[str, Any], *, config: ModelConfig | None = None
) -> None:
    """Write `model` beside `path` and rename it, so that a file with this name is whole.

    A `JepaModel` brings its context encoder (what loads), its predictor (for `--init`) and its configuration; a bare
    encoder needs `config`. `header` adds to, or overrides, the entries that every checkpoint has.
    """
    if isinstance(model, JepaModel):
        parts: dict[str, nn.Module] = {"encoder": model.context, "predictor": model.predictor}
        config = model.config
    else:
        parts = {"encoder": model}
    if config is None:
        raise ParameterError("config is missing; give the ModelConfig that the encoder was built from.")
    weights = {
        f"{part}.{name}": tensor.detach().to("cpu", torch.bfloat16).contiguous()
        for part, module in parts.items()
        for name, tensor in module.state_dict().items()
    }
    text = json.dumps({**_standard_header(config), **header}, sort_keys=True, allow_nan=False)
    write_whole(Path(path), safetensors.torch.save(weights, {_KEY: text}))


def load_checkpoint(path: Path, *, name: str | None = None) -> LoadedModel:
    """Read and check a checkpoint; raises `CheckpointError` for anything that is not one of ours, whole, and finite."""
    path = Path(path)
    header, weights, digest = _read(path)
    config = _config(path, header)
    encoder = _filled(path, config, _part(weights, "encoder"))
    return LoadedModel(encoder, config, header, digest, name or path.stem, path)


def load_jepa(path: Path, *, seed: int = 0) -> JepaModel:
    """A checkpoint to train on: its encoder as context and target, and its predictor (a fresh one if it has none)."""
    path = Path(path)
    header, weights, _ = _read(path)
    config, encoder = _config(path, header), _part(weights, "encoder")
    _check_shapes(path, config, encoder)
    model = build_model(config, seed)
    predictor = _part(weights, "predictor")
    for module, state in ((model.context, encoder), (model.target, encoder), (model.predictor, predictor)):
        if state:
            _fill(path, module, state)
    return model


def load_model(model: str | Path) -> LoadedModel:
    """A packaged model by name (`nano`), a checkpoint file, or a run folder (its `model.safetensors`)."""
    packaged = model_files()
    if str(model) in packaged:
        return load_checkpoint(packaged[str(model)], name=str(model))
    path = Path(model)
    if path.is_dir():
        if not (path / BEST).is_file():
            raise CheckpointError(f"{path} holds no {BEST}; give the folder of a training run, or a checkpoint file.")
        return load_checkpoint(path / BEST, name=path.resolve().name)
    if not path.is_file():
        known = ", ".join(packaged) or "none"
        raise CheckpointError(f"model {model} is neither a file nor a packaged model ({known}); check the name.")
    return load_checkpoint(path)


def default_quantisation(dim: int) -> dict[str, list[float]]:
    """Scale and offset of bytes 1-255 over +-4: what a latent fits in when no data was measured."""
    scale = 2 * _LATENT_RANGE / 254
    return {"scale": [scale] * dim, "offset": [-_LATENT_RANGE - scale] * dim}


# ---- Writing --------------------------------------------------------------------------------------------------------


def _standard_header(config: ModelConfig) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "architecture": ARCHITECTURE,
        "config": config.to_dict(),
        "band_vocabulary": list(BAND_VOCABULARY),
        "window": {"cells": WINDOW, "core": CORE, "halo": HALO},
        "quantisation": {"network": default_quantisation(config.dim)},
        "training_data": [],
        "licences": [],
        "numbers": {},
    }


# ---- Reading, from the outside inwards ------------------------------------------------------------------------------


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor], str]:
    """Header, float32 weights and sha256 of a file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror}); check the file name.") from error
    if data.startswith(_PICKLES):
        raise CheckpointError(
            f"{path.name} is a pickle, which can run code when opened; jepa-gfm reads only its own .safetensors files."
        )
    header = _header(path, data)
    _check_version(path, header)
    try:
        stored = safetensors.torch.load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path.name} is cut off or damaged; copy or download it again.") from error
    weights = {key: tensor.float() for key, tensor in stored.items() if tensor.is_floating_point()}
    broken = next((key for key, tensor in weights.items() if not bool(tensor.isfinite().all())), None)
    if broken is not None:
        raise CheckpointError(f"{path.name} holds weights that are not numbers ({broken}); train or download it again.")
    return header, weights, hashlib.sha256(data).hexdigest()


def _header(path: Path, data: bytes) -> dict[str, Any]:
    """Our header out of safetensors' own: 8 bytes of length, then JSON."""
    foreign = CheckpointError(f"{path.name} is not a checkpoint of jepa-gfm; give a .safetensors file that it wrote.")
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or data[8:9] != b"{":
        raise foreign
    if length > len(data) - 8:
        raise CheckpointError(f"{path.name} is cut off or damaged; copy or download it again.")
    try:
        outer = json.loads(data[8 : 8 + length])
        header = json.loads(outer["__metadata__"][_KEY])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise foreign from error
    if not isinstance(header, dict):
        raise foreign
    return header


def _check_version(path: Path, header: Mapping[str, Any]) -> None:
    version = header.get("format_version")
    if not isinstance(version, int) or version < 1:
        raise CheckpointError(f"{path.name} does not say its format version; copy or download it again.")
    if version > FORMAT_VERSION:
        raise CheckpointError(
            f"{path.name} was made by a newer version of jepa-gfm (format {version}, this one reads {FORMAT_VERSION}); "
            f"update jepa-gfm."
        )
    wanted = {"architecture": ARCHITECTURE, **{key: _standard_window(key) for key in ("window", "band_vocabulary")}}
    for key, value in wanted.items():
        if header.get(key) != value:
            raise CheckpointError(
                f"{path.name} has another {key.replace('_', ' ')} ({_short(header.get(key))}) than this version of "
                f"jepa-gfm ({_short(value)}); use the version that made it."
            )


def _standard_window(key: str) -> Any:
    return {"window": {"cells": WINDOW, "core": CORE, "halo": HALO}, "band_vocabulary": list(BAND_VOCABULARY)}[key]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _config(path: Path, header: Mapping[str, Any]) -> ModelConfig:
    try:
        config = ModelConfig.from_dict(header["config"])
        latents = header["quantisation"]["network"]
        fits = all(len(latents[key]) == config.dim for key in ("scale", "offset"))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path.name} describes a network that cannot be built; download it again.") from error
    if not fits:
        raise CheckpointError(f"{path.name} has a quantisation for another size of latents; download it again.")
    return config


def _part(weights: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    return {key.removeprefix(f"{part}."): tensor for key, tensor in weights.items() if key.startswith(f"{part}.")}


def _filled(path: Path, config: ModelConfig, state: Mapping[str, Tensor]) -> CellEncoder:
    """An encoder with these weights, ready to use."""
    _check_shapes(path, config, state)
    with torch.random.fork_rng(devices=[]):  # loading a model must not change the caller's random numbers
        encoder = build_encoder(config)
    _fill(path, encoder, state)
    return encoder.requires_grad_(False).eval()


def _check_shapes(path: Path, config: ModelConfig, state: Mapping[str, Tensor]) -> None:
    """Compare what the header claims with the weights *before* a network of that size is built."""
    hidden = int(config.dim * config.mlp_ratio)
    claims = {
        f"encoder.transformer.blocks.{config.depth - 1}.up.weight": (hidden, config.dim),
        f"fusion.layers.{config.fusion_layers - 1}.up.weight": (hidden, config.dim),
        "tokeniser.bands.norm.weight": (config.band_dim,),
    }
    if any(key not in state or tuple(state[key].shape) != shape for key, shape in claims.items()):
        raise _other_network(path)


def _other_network(path: Path) -> CheckpointError:
    return CheckpointError(f"{path.name} holds the weights of another network than its header says; download it again.")


def _fill(path: Path, module: nn.Module, state: Mapping[str, Tensor]) -> None:
    try:
        module.load_state_dict({key: tensor.clone() for key, tensor in state.items()}, strict=True, assign=True)
    except RuntimeError as error:
        raise _other_network(path) from error
