from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from gfm_core.errors import LabelError
from gfm_core.labels.categories import read_raster_labels
from gfm_core.labels.read import RasterLabels, read_labels

AUX = """<PAMDataset><PAMRasterBand band="1">{}</PAMRasterBand></PAMDataset>"""
CATEGORIES = "<CategoryNames><Category>Unclassified</Category><Category>Wald &amp; Wiese</Category></CategoryNames>"
TABLE = """<GDALRasterAttributeTable>
<FieldDefn index="0"><Name>Value</Name><Type>0</Type><Usage>5</Usage></FieldDefn>
<FieldDefn index="1"><Name>Area</Name><Type>1</Type><Usage>0</Usage></FieldDefn>
<FieldDefn index="2"><Name>Bezeichnung</Name><Type>2</Type><Usage>2</Usage></FieldDefn>
<Row index="0"><F>1</F><F>2.5</F><F>Forest, "mixed"</F></Row><Row index="1"><F>7</F><F>1</F><F>水</F></Row>
</GDALRasterAttributeTable>"""


def write(path: Path, values: Any, *, dtype: str = "uint8", tags: dict[str, str] | None = None, **profile: Any) -> Path:
    array = np.asarray(values, dtype=dtype)
    array = array if array.ndim == 3 else array[None]
    count, height, width = array.shape
    with rasterio.open(
        path, "w", driver="GTiff", dtype=dtype, count=count, height=height, width=width, crs="EPSG:32633",
        transform=from_origin(500_000, 5_000_000, 10, 10), **profile,
    ) as sink:  # fmt: skip
        sink.write(array)
        sink.update_tags(**(tags or {}))
    return path


def test_pixels_of_nodata_are_no_labels(tmp_path: Path) -> None:
    labels = read_labels(write(tmp_path / "l.tif", [[0, 1, 7]], nodata=0))
    assert isinstance(labels, RasterLabels)
    assert labels.codes == {1.0: 1, 7.0: 7}


def test_zero_without_nodata_is_a_class_and_said(tmp_path: Path) -> None:
    labels = read_raster_labels(str(write(tmp_path / "l.tif", [[0, 1, 7]])))
    assert [item.value for item in labels.classes] == [0, 1, 7]
    assert [item.code for item in labels.classes] == [1, 2, 3]
    assert "Value 0 of l.tif is taken as a class; declare it nodata" in " ".join(labels.notes)


def test_names_come_from_the_attribute_table(tmp_path: Path) -> None:
    path = write(tmp_path / "l.tif", [[0, 1, 7]], nodata=0)
    path.with_name("l.tif.aux.xml").write_text(AUX.format(TABLE), encoding="utf-8")
    assert [(item.code, item.name, item.value) for item in read_labels(path).classes] == [
        (1, 'Forest, "mixed"', 1),
        (7, "水", 7),
    ]


def test_a_value_named_unclassified_is_no_label(tmp_path: Path) -> None:
    path = write(tmp_path / "l.tif", [[0, 1, 7]])
    path.with_name("l.tif.aux.xml").write_text(AUX.format(CATEGORIES), encoding="utf-8")
    labels = read_labels(path)
    assert [item.name for item in labels.classes] == ["Wald & Wiese", "7"]
    assert "named 'Unclassified' and is not used" in " ".join(labels.notes)


@pytest.mark.parametrize(
    "tags", [{"CLASS_1": "water", "class_7_name": "bare"}, {"classes": '{"1":"water","7":"bare"}'}]
)
def test_names_come_from_tags(tmp_path: Path, tags: dict[str, str]) -> None:
    path = write(tmp_path / "l.tif", [[0, 1, 7]], nodata=0, tags=tags)
    assert [item.name for item in read_labels(path).classes] == ["water", "bare"]


def test_a_broken_sidecar_costs_only_the_names(tmp_path: Path) -> None:
    path = write(tmp_path / "l.tif", [[0, 1, 7]], nodata=0)
    path.with_name("l.tif.aux.xml").write_text("<PAMDataset><PAMRasterBand")
    assert [item.name for item in read_labels(path).classes] == ["1", "7"]


def test_negative_and_fractional_values_are_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "l.tif", [[-9999, -2, 0.1]], dtype="float32", nodata=-9999)
    assert [item.value for item in read_labels(path).classes] == [-2, 0.1]


def test_a_picture_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "rgb.tif", np.zeros((3, 2, 2)), photometric="RGB")
    with pytest.raises(LabelError, match=r"rgb\.tif is a picture"):
        read_labels(path)


def test_a_raster_of_measurements_is_refused(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((300, 300))
    with pytest.raises(LabelError, match="holds more than 65535 values"):
        read_labels(write(tmp_path / "height.tif", values, dtype="float32"))


def test_one_class_or_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"All labels of one\.tif are of one class"):
        read_labels(write(tmp_path / "one.tif", [[0, 4]], nodata=0))
    with pytest.raises(LabelError, match=r"none\.tif has no labels"):
        read_labels(write(tmp_path / "none.tif", [[0, 0]], nodata=0))


def test_a_raster_cut_off_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "cut.tif", np.random.default_rng(0).integers(1, 9, (400, 400)))
    path.write_bytes(path.read_bytes()[:80_000])
    with pytest.raises(LabelError, match=r"cut\.tif"):
        read_labels(path)
