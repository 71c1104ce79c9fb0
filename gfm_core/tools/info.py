"""Info: what a file is, as it is understood here, and why."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gfm_core.assets import model_files
from gfm_core.embedding.file import EmbeddingFile, is_embedding, open_embedding
from gfm_core.errors import CheckpointError, GfmError
from gfm_core.heads.store import load_head
from gfm_core.model.checkpoint import BEST, LoadedModel, load_checkpoint, load_model
from gfm_core.model.jepa import parameter_counts
from gfm_core.raster.argument import parse_argument
from gfm_core.raster.source import describe_source, open_source


def info(file: str | Path) -> dict[str, Any]:
    """A raster, embedding, head or model (file, run or name) as plain values, and as lines of `text` for people."""
    path = Path(parse_argument(str(file)).path)
    if str(file) in model_files() and not path.exists():
        return _model(load_model(str(file)))
    if (path / BEST).is_file():
        return _model(load_model(path))
    if path.suffix in (".safetensors", ".head") and path.is_file():
        return _own_file(path)
    if path.is_file() and is_embedding(path):
        return _embedding(open_embedding(path))
    sources = open_source(file)
    plain = [json.loads(json.dumps(asdict(source), default=str)) for source in sources]
    return {
        "kind": "raster", "file": str(file), "sources": plain,
        "text": [line for source in sources for line in describe_source(source)],
    }  # fmt: skip


def _own_file(path: Path) -> dict[str, Any]:
    """A checkpoint, else a head; raises the checkpoint's error where it is neither."""
    try:
        model = load_checkpoint(path)
    except CheckpointError as error:
        try:
            head, meta = load_head(path)
        except GfmError:
            raise error from None
        names = [item.name for item in head.classes]
        text = [f"{path.name}: classifier of {len(names)} classes", f"  classes: {', '.join(names)}",
                f"  groups: {', '.join(meta['groups'])}", f"  model: {meta['model'].get('name', 'none')}"]  # fmt: skip
        return {"kind": "head", "file": str(path), "classes": names, "meta": meta, "text": text}
    return _model(model)


def _model(model: LoadedModel) -> dict[str, Any]:
    counts = parameter_counts(model.config)
    parts = ", ".join(f"{name} {counts[name]:,}" for name in ("tokeniser", "fusion", "encoder", "predictor"))
    text = [
        f"{model.path.name}: model {model.name}, size {model.config.name}, {counts['embeds']:,} parameters embed",
        f"  parameters: {parts}; {counts['trains']:,} learn in training", f"  sha256 {model.sha256}",
    ]  # fmt: skip
    text += [f"  {name}: {json.dumps(value)[:300]}" for name, value in model.header.items() if name != "quantisation"]
    return {
        "kind": "model", "file": str(model.path), "name": model.name, "sha256": model.sha256,
        "parameters": counts["embeds"], "parameters_by_network": counts, "header": model.header, "text": text,
    }  # fmt: skip


def _embedding(made: EmbeddingFile) -> dict[str, Any]:
    rows, cols = made.cells.shape
    text = [
        f"{made.path.name}: embedding of {rows} x {cols} cells of {made.lattice.cell_size:g} m, {made.dtype}",
        f"  groups: {', '.join(f'{name} ({len(bands)} bands)' for name, bands in made.groups.items())}",
        f"  model: {made.model.get('name', 'none')} {made.model.get('sha256', '')[:12]}",
        *(
            f"  from: {', '.join(source['paths'])} ({source['modality']}, {source['date'] or 'no date'})"
            for source in made.sources
        ),
        f"  parameters: {json.dumps(made.parameters)}",
        f"  versions: {', '.join(f'{name} {number}' for name, number in made.versions.items())}",
    ]
    return {
        "kind": "embedding", "file": str(made.path), "cell_size": made.lattice.cell_size, "shape": [rows, cols],
        "groups": {name: len(bands) for name, bands in made.groups.items()}, "model": made.model,
        "sources": list(made.sources), "parameters": made.parameters, "versions": made.versions, "text": text,
    }  # fmt: skip
