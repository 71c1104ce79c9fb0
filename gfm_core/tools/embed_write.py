"""What Embed writes: one file, or parts under a virtual raster; a picture, a style, and on request STAC items."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from gfm_core.embedding.file import EmbeddingFile, write_mosaic
from gfm_core.embedding.kept import Kept
from gfm_core.embedding.make import Recipe, embedding_columns, make_embedding, stored_bytes
from gfm_core.embedding.pipeline import Engine, tile_side
from gfm_core.errors import ParameterError
from gfm_core.grid import CellRange, tiles_with_pieces
from gfm_core.parameters import EmbedParameters
from gfm_core.progress import Reporter
from gfm_core.raster.finish import as_cog
from gfm_core.raster.stack import Stack
from gfm_core.raster.write import Outputs
from gfm_core.report.pictures import pca_preview, rgb_bands
from gfm_core.report.style import write_embedding_style

_PREVIEW_CELLS = 512  # along the longer side of the picture
_RANGE_CELLS = 160  # along a side: enough to know the range of a band
_PART_BYTES = 1_000_000_000  # of a part without compression, or one row of tiles


@dataclass(frozen=True, slots=True)
class Making:
    """With what an embedding is made."""

    recipe: Recipe
    engine: Engine | None
    kept: Kept


def in_parts(output: Path) -> bool:
    """Whether an output is a virtual raster over parts."""
    return output.suffix.lower() == ".vrt"


def output_paths(parameters: EmbedParameters) -> tuple[Path, ...]:
    """All that a run writes: the embedding, its picture and, if wanted, its STAC item or the folder of its parts."""
    output = parameters.output
    if in_parts(output) and parameters.cog:
        raise ParameterError(f"{output.name} is a virtual raster, which has no layout for the web; leave --cog out.")
    item = (stac_path(output),) if parameters.stac and not in_parts(output) else ()
    return (*output_folders(parameters), output, preview_path(output), *item)


def output_folders(parameters: EmbedParameters) -> tuple[Path, ...]:
    """Those of them that are folders."""
    return (parts_folder(parameters.output),) if in_parts(parameters.output) else ()


def preview_path(output: Path) -> Path:
    """`OUT.tif` → `OUT_pca.png`."""
    return output.with_name(f"{output.stem}_pca.png")


def stac_path(output: Path) -> Path:
    """Where the STAC item of an embedding lies."""
    return output.with_suffix(".json")


def parts_folder(output: Path) -> Path:
    """Where the parts under a virtual raster lie."""
    return output.with_name(f"{output.stem}_parts")


def write_embedding(
    parameters: EmbedParameters, outputs: Outputs, stack: Stack, making: Making, reporter: Reporter
) -> None:
    """Make everything that the parameters ask for, in the outputs' hidden places."""
    if in_parts(parameters.output):
        _write_parts(parameters, outputs, stack, making, reporter)
        return
    picture = preview_path(parameters.output)
    made = make_embedding(
        outputs.partial(parameters.output), stack, making.recipe, making.engine, threads=parameters.threads,
        reporter=reporter, kept=making.kept,
    )  # fmt: skip
    write_preview(made, outputs.partial(picture))
    if parameters.cog:
        as_cog(made.path)
    if parameters.stac:
        place = outputs.partial(stac_path(parameters.output))
        _write_item(made, parameters.output, place, picture=picture, cog=parameters.cog)


def _write_parts(
    parameters: EmbedParameters, outputs: Outputs, stack: Stack, making: Making, reporter: Reporter
) -> None:
    output, folder = parameters.output, parts_folder(parameters.output)
    hidden = outputs.partial(folder)
    hidden.mkdir()
    strips = list(_strips(stack, making.recipe))
    parts = []
    for number, cells in enumerate(strips):
        name = f"{output.stem}_{number:04d}.tif"
        made = make_embedding(
            hidden / name, replace(stack, cells=cells), making.recipe, making.engine, threads=parameters.threads,
            reporter=reporter.step(number / len(strips), (number + 1) / len(strips)), kept=making.kept,
        )  # fmt: skip
        if parameters.stac:
            _write_item(made, folder / name, stac_path(hidden / name), picture=None, cog=False)
        parts.append(made)
    columns = embedding_columns(stack, making.recipe)
    whole = outputs.partial(output)
    # The picture is taken while the parts lie in their hidden place; then the whole names their final one.
    seen = write_mosaic(whole, stack, columns, parts, hidden)
    write_preview(seen, outputs.partial(preview_path(output)))
    write_mosaic(whole, stack, columns, parts, whole.parent / folder.name)


def _strips(stack: Stack, recipe: Recipe) -> Iterator[CellRange]:
    """The cells cut into strips of whole rows of pieces, none much larger than `_PART_BYTES`."""
    cells = stack.cells
    pieces = [tile.piece for tile in tiles_with_pieces(cells, tile_side(stack))]
    tops = sorted({max(piece.row, cells.row) for piece in pieces})
    width = replace(cells, rows=pieces[0].rows)
    along = max(1, _PART_BYTES // stored_bytes(embedding_columns(stack, recipe), recipe.dtype, width))
    starts = tops[::along]
    for start, stop in zip(starts, [*starts[1:], cells.stop[0]], strict=True):
        yield CellRange(start, cells.col, stop - start, cells.cols)


def _write_item(made: EmbeddingFile, final: Path, place: Path, *, picture: Path | None, cog: bool) -> None:
    from gfm_core.tools.stac import stac_item  # pystac is slow to load

    item = stac_item(made, final, picture=picture, cog=cog)
    place.write_text(json.dumps(item, indent=2) + "\n", encoding="utf-8")


def write_preview(embedding: EmbeddingFile, path: Path) -> None:
    """The picture of the embedding, and its style in QGIS: the three bands that vary most as red, green, blue."""
    group = "network" if "network" in embedding.groups else next(iter(embedding.groups))
    stored = embedding.read_small(group, _PREVIEW_CELLS)
    pca_preview(path, stored, nodata=0 if embedding.dtype == "uint8" else None)
    thinned = stored[:, :: -(-stored.shape[1] // _RANGE_CELLS), :: -(-stored.shape[2] // _RANGE_CELLS)]
    chosen, ranges = rgb_bands(embedding.values_of(group, thinned).reshape(len(stored), -1))
    first = embedding.groups[group].start
    write_embedding_style(embedding.path, tuple(first + band for band in chosen), ranges)
