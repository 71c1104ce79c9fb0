"""Product folders as agencies ship them (.SAFE, R10m/R20m/R60m, Landsat Collection 2): band files -> datasets.

The band files of one grid become one dataset, as the text of a GDAL VRT, with the product's metadata as tags; what the
bands are is then guessed as for any other file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import rasterio

from gfm_core.errors import InputError

_RASTERS = (".tif", ".tiff", ".jp2", ".img", ".vrt")
# T33UUU_20170216T102101_B02.jp2 and ..._B02_10m.jp2; LC08_L2SP_..._T1_SR_B4.TIF and ..._ST_B10.TIF and ..._B4.TIF
_SENTINEL2 = re.compile(r"^(?P<product>.*T\d\d[A-Z]{3}_\d{8}T\d{6})_(?P<band>B\d\d|B8A)(?:_\d\dm)?$", re.IGNORECASE)
_LANDSAT = re.compile(r"^(?P<product>L[COTEM]\d\d_.+?)_(?P<band>(?:SR_|ST_)?B\d{1,2})$", re.IGNORECASE)
_GDAL_TYPES = {
    "uint8": "Byte", "int8": "Int8", "uint16": "UInt16", "int16": "Int16", "uint32": "UInt32", "int32": "Int32",
    "float32": "Float32", "float64": "Float64",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Product:
    """One dataset: what rasterio opens, its name for messages, and the local files behind it."""

    path: str
    name: str
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class _BandFile:
    path: Path
    product: str
    band: str
    width: int
    height: int
    dtype: str
    wkt: str
    transform: tuple[float, float, float, float, float, float]  # as GDAL writes it

    @property
    def grid(self) -> tuple[object, ...]:
        return self.product, self.wkt, self.width, self.height, self.transform


def products_in(path: Path) -> tuple[Product, ...]:
    """The datasets of a folder, or of the product whose metadata file (MTD_*.xml) is given; () if there are none.

    Band files of a known product are joined by grid, each band at its finest; in any other folder each raster is a
    dataset of its own.
    """
    folder = path if path.is_dir() else path.parent
    if not path.is_dir() and not path.name.upper().startswith("MTD_"):
        return ()
    files = sorted(file for file in _walk(folder) if file.suffix.lower() in _RASTERS)
    found = [(file, match) for file in files if (match := _band_match(file.stem))]
    if not found:
        return tuple(Product(str(file), file.name, (file,)) for file in files if file.parent == folder)
    groups: dict[tuple[object, ...], list[_BandFile]] = {}
    for member in _finest([_band_file(file, match["product"], match["band"].upper()) for file, match in found]):
        groups.setdefault(member.grid, []).append(member)
    tags = _metadata(folder)
    return tuple(_joined(folder, members, tags) for members in groups.values())


def _walk(folder: Path) -> Iterator[Path]:
    """Files of a product: previews and quality masks lie in folders that are left out."""
    for item in sorted(folder.iterdir()):
        if item.is_dir():
            if item.name.upper() not in ("QI_DATA", "AUX_DATA", "PREVIEW", "HTML", "REP_INFO"):
                yield from _walk(item)
        else:
            yield item


def _band_match(stem: str) -> re.Match[str] | None:
    return _SENTINEL2.match(stem) or _LANDSAT.match(stem)


def _band_file(path: Path, product: str, band: str) -> _BandFile:
    try:
        with rasterio.open(path) as dataset:
            wkt = dataset.crs.to_wkt() if dataset.crs else ""
            return _BandFile(
                path, product, band, dataset.width, dataset.height, dataset.dtypes[0], wkt, dataset.transform.to_gdal()
            )
    except rasterio.errors.RasterioIOError as error:
        raise InputError(f"{path} cannot be read as a raster; copy or download the product again.") from error


def _finest(members: Sequence[_BandFile]) -> list[_BandFile]:
    """Each band of each product once, at its finest: L2A folders hold coarser copies."""
    best: dict[tuple[str, str], _BandFile] = {}
    for member in members:
        key = (member.product, member.band)
        if key not in best or abs(member.transform[1]) < abs(best[key].transform[1]):
            best[key] = member
    return sorted(best.values(), key=lambda member: (abs(member.transform[1]), member.product, _order(member.band)))


def _order(band: str) -> tuple[float, str]:
    number = re.search(r"(\d+)(A?)$", band)
    return (int(number[1]) + (0.5 if number[2] else 0.0) if number else 0.0), band


def _metadata(folder: Path) -> dict[str, str]:
    """Coding and baseline from a Sentinel-2 product's own metadata file, as the tags that a GeoTIFF would have."""
    for above in (folder, *folder.parents[:4]):
        files = sorted(above.glob("MTD_MSI*.xml"))
        if files:
            return _read_metadata(files[0])
    return {}


def _read_metadata(path: Path) -> dict[str, str]:
    try:
        root = ET.parse(path).getroot()
    except ET.ParseError:
        return {}
    wanted = {
        "PROCESSING_BASELINE", "BOA_QUANTIFICATION_VALUE", "QUANTIFICATION_VALUE", "BOA_ADD_OFFSET", "RADIO_ADD_OFFSET",
        "PRODUCT_URI", "PRODUCT_START_TIME",
    }  # fmt: skip
    tags: dict[str, str] = {}
    for element in root.iter():
        if element.tag in wanted and element.text:
            tags.setdefault(element.tag, element.text.strip())
    return tags


def _joined(folder: Path, members: Sequence[_BandFile], tags: dict[str, str]) -> Product:
    """One dataset of the band files that share a grid."""
    first = members[0]
    size = f"{abs(first.transform[1]):g}m"
    product = folder.name if folder.suffix.upper() == ".SAFE" else first.product
    root = ET.Element("VRTDataset", rasterXSize=str(first.width), rasterYSize=str(first.height))
    ET.SubElement(root, "SRS").text = first.wkt
    ET.SubElement(root, "GeoTransform").text = ", ".join(repr(value) for value in first.transform)
    metadata = ET.SubElement(root, "Metadata")
    for key, value in tags.items():
        ET.SubElement(metadata, "MDI", key=key).text = value
    for number, member in enumerate(members, start=1):
        _add_band(root, number, member)
    return Product(ET.tostring(root, encoding="unicode"), f"{product}_{size}", tuple(member.path for member in members))


def _add_band(root: ET.Element, number: int, member: _BandFile) -> None:
    band = ET.SubElement(root, "VRTRasterBand", dataType=_GDAL_TYPES[member.dtype], band=str(number))
    ET.SubElement(band, "Description").text = member.band
    ET.SubElement(band, "NoDataValue").text = "0"  # of both products, though the JPEG 2000 files do not say so
    source = ET.SubElement(band, "SimpleSource")
    ET.SubElement(source, "SourceFilename", relativeToVRT="0").text = str(member.path)
    ET.SubElement(source, "SourceBand").text = "1"
