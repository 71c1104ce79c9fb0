"""A virtual raster over parts that lie side by side on one grid (GDAL's VRT format)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from affine import Affine

_TYPES = {"uint8": "Byte", "float32": "Float32"}


@dataclass(frozen=True, slots=True)
class VrtBand:
    """What a band of the whole tells."""

    name: str
    scale: float
    offset: float


@dataclass(frozen=True, slots=True)
class VrtPart:
    """One file: its first row and column in the whole, and its shape."""

    path: Path
    row: int
    col: int
    shape: tuple[int, int]


@dataclass(frozen=True, slots=True)
class VrtGrid:
    """The whole: shape, CRS as WKT, transform, type of its numbers and nodata."""

    shape: tuple[int, int]
    crs: str
    transform: Affine
    dtype: str
    nodata: float


def write_vrt(
    path: Path, grid: VrtGrid, bands: Sequence[VrtBand], parts: Sequence[VrtPart], tags: Mapping[str, str]
) -> None:
    """Write `path`, naming parts by their way from it; each part holds all `bands`."""
    root = ET.Element("VRTDataset", rasterXSize=str(grid.shape[1]), rasterYSize=str(grid.shape[0]))
    ET.SubElement(root, "SRS").text = grid.crs
    ET.SubElement(root, "GeoTransform").text = ", ".join(repr(float(value)) for value in grid.transform.to_gdal())
    metadata = ET.SubElement(root, "Metadata")
    for key, value in tags.items():
        ET.SubElement(metadata, "MDI", key=key).text = value
    for number, band in enumerate(bands, start=1):
        element = ET.SubElement(root, "VRTRasterBand", dataType=_TYPES[grid.dtype], band=str(number))
        ET.SubElement(element, "Description").text = band.name
        ET.SubElement(element, "NoDataValue").text = str(grid.nodata)
        if grid.dtype == "uint8":
            ET.SubElement(element, "Offset").text = repr(band.offset)
            ET.SubElement(element, "Scale").text = repr(band.scale)
        for part in parts:
            _add_source(element, path, part, number)
    path.write_bytes(ET.tostring(root, encoding="utf-8"))


def _add_source(band: ET.Element, vrt: Path, part: VrtPart, number: int) -> None:
    source = ET.SubElement(band, "SimpleSource")
    relative = os.path.relpath(part.path, vrt.parent)
    ET.SubElement(source, "SourceFilename", relativeToVRT="1").text = Path(relative).as_posix()
    ET.SubElement(source, "SourceBand").text = str(number)
    height, width = map(str, part.shape)
    ET.SubElement(source, "SrcRect", xOff="0", yOff="0", xSize=width, ySize=height)
    ET.SubElement(source, "DstRect", xOff=str(part.col), yOff=str(part.row), xSize=width, ySize=height)
