from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio
from affine import Affine

from gfm_core.classes import MapClass
from gfm_core.errors import OutputError
from gfm_core.report.palette import with_colours
from gfm_core.report.style import class_colormap, write_class_style, write_confidence_style, write_embedding_style

AWKWARD = (
    "forest", "water, deep", "\"quoted\" <b> & 'x'", "Gewässer 水域 🌊", "two\nlines", "carriage\r\nreturn", "x" * 200,
    " leading and trailing ", "\ttab", "", "<![CDATA[no]]>", "&amp;",
)  # fmt: skip
# What QGIS 3.22.16 itself wrote for a paletted raster: elements inside <pipe>, in order, with their attributes.
QGIS_PIPE = {
    "provider": set(),
    "rasterrenderer": {"type", "opacity", "alphaBand", "nodataColor", "band"},
    "brightnesscontrast": {"contrast", "gamma", "brightness"},
    "huesaturation": {
        "colorizeRed", "saturation", "colorizeBlue", "colorizeOn", "grayscaleMode", "invertColors", "colorizeGreen",
        "colorizeStrength",
    },
    "rasterresampler": {"maxOversampling"},
    "resamplingStage": set(),
}  # fmt: skip


PLACE = Affine(10, 0, 500_000, 0, -10, 5_800_000)


def awkward_classes() -> tuple[MapClass, ...]:
    return with_colours(tuple(MapClass(code, name, name) for code, name in enumerate(AWKWARD, start=1)))


def write_map(path: Path, classes: tuple[MapClass, ...], dtype: str = "uint8") -> Path:
    with rasterio.open(
        path, "w", driver="GTiff", width=8, height=8, count=1, dtype=dtype, nodata=0, transform=PLACE
    ) as dataset:
        dataset.write(np.ones((1, 8, 8), dtype))
        dataset.write_colormap(1, class_colormap(classes))
    return path


def pipe_of(qml: Path) -> ElementTree.Element:
    pipe = ElementTree.parse(qml).getroot().find("pipe")
    assert pipe is not None
    return pipe


def test_the_qml_is_built_as_qgis_builds_it_and_lists_only_the_classes(tmp_path: Path) -> None:
    classes = awkward_classes()
    qml, _ = write_class_style(tmp_path / "map.tif", classes)
    assert qml == tmp_path / "map.qml"
    pipe = pipe_of(qml)
    assert {element.tag: set(element.attrib) for element in pipe} == QGIS_PIPE
    assert [element.tag for element in pipe] == list(QGIS_PIPE)
    entries = list(pipe.iter("paletteEntry"))
    assert [entry.get("label") for entry in entries] == list(AWKWARD)
    assert [entry.get("value") for entry in entries] == [str(item.code) for item in classes]
    assert entries[0].get("color") == "#{:02x}{:02x}{:02x}".format(*(classes[0].colour or ()))


def test_the_attribute_table_and_category_names_keep_every_name_exactly(tmp_path: Path) -> None:
    classes = awkward_classes()
    _, aux = write_class_style(tmp_path / "map.tif", classes, counts={1: 41})
    root = ElementTree.parse(aux).getroot()
    categories = [element.text or "" for element in root.iter("Category")]
    assert categories == ["", *AWKWARD]
    usages = [element.findtext("Usage") for element in root.iter("FieldDefn")]
    assert usages == ["5", "1", "2", "0", "6", "7", "8"]  # gdal.h: MinMax, PixelCount, Name, Generic, Red, Green, Blue
    rows = [[cell.text or "" for cell in row] for row in root.iter("Row")]
    assert [row[2] for row in rows] == list(AWKWARD)
    assert rows[0][:2] == ["1", "41"]
    assert tuple(map(int, rows[0][4:])) == classes[0].colour


@pytest.mark.skipif(shutil.which("gdalinfo") is None, reason="gdalinfo (gdal-bin) is not installed")
def test_gdal_reads_back_names_colours_and_table(tmp_path: Path) -> None:
    classes = awkward_classes()
    path = write_map(tmp_path / "map.tif", classes)
    write_class_style(path, classes)
    told = json.loads(subprocess.run(["gdalinfo", "-json", path], capture_output=True, check=True).stdout)
    assert told["bands"][0]["categories"] == ["", *AWKWARD]
    assert tuple(told["bands"][0]["colorTable"]["entries"][2][:3]) == classes[1].colour
    if "rat" in told:  # told by gdalinfo since GDAL 3.0
        assert [row["f"][1] for row in told["rat"]["row"]] == list(AWKWARD)


def test_the_colour_table_reads_back_and_nodata_is_transparent(tmp_path: Path) -> None:
    classes = awkward_classes()
    with rasterio.open(write_map(tmp_path / "map.tif", classes)) as dataset:
        table = dataset.colormap(1)
    assert table[0] == (0, 0, 0, 0)
    assert [table[item.code][:3] for item in classes] == [item.colour for item in classes]


def test_300_classes_in_16_bits(tmp_path: Path) -> None:
    classes = with_colours(tuple(MapClass(code, f"class {code}", code) for code in range(1, 301)))
    path = write_map(tmp_path / "map.tif", classes, "uint16")
    qml, _ = write_class_style(path, classes)
    with rasterio.open(path) as dataset:
        assert dataset.colormap(1)[300][:3] == classes[-1].colour
    assert len(list(pipe_of(qml).iter("paletteEntry"))) == 300


def test_original_values_are_in_the_table(tmp_path: Path) -> None:
    classes = with_colours((MapClass(1, "-3", -3), MapClass(2, "2.5", 2.5)))
    _, aux = write_class_style(tmp_path / "map.tif", classes)
    assert [row[2].text for row in ElementTree.parse(aux).getroot().iter("Row")] == ["-3", "2.5"]


def test_what_xml_cannot_hold_is_replaced_not_refused(tmp_path: Path) -> None:
    classes = with_colours((MapClass(1, "bell\x07 and \ud800", 1),))
    qml, aux = write_class_style(tmp_path / "map.tif", classes)
    assert next(pipe_of(qml).iter("paletteEntry")).get("label") == "bell\ufffd and \ufffd"
    assert "bell\ufffd" in aux.read_text(encoding="utf-8")


def test_confidence_is_a_fixed_ramp_from_0_to_100_that_gets_lighter(tmp_path: Path) -> None:
    pipe = pipe_of(write_confidence_style(tmp_path / "map_confidence.tif"))
    items = list(pipe.iter("item"))
    assert [float(item.get("value", "nan")) for item in items] == [0, 25, 50, 75, 100]
    colours = [bytes.fromhex(item.get("color", "")[1:]) for item in items]
    luma = [0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in colours]  # Rec. 709
    assert luma == sorted(luma)
    renderer = pipe.find("rasterrenderer")
    assert renderer is not None
    assert (renderer.get("classificationMin"), renderer.get("classificationMax")) == ("0", "100")


def test_embedding_shows_the_bands_over_their_ranges(tmp_path: Path) -> None:
    qml = write_embedding_style(tmp_path / "emb.tif", (4, 1, 5), ((-1.5, 1.25), (-2, 2), (0, 0.125)))
    renderer = pipe_of(qml).find("rasterrenderer")
    assert renderer is not None
    assert [renderer.get(name) for name in ("type", "redBand", "greenBand", "blueBand")] == [
        "multibandcolor", "4", "1", "5",
    ]  # fmt: skip
    red = renderer.find("redContrastEnhancement")
    assert red is not None
    assert [red.findtext(name) for name in ("minValue", "maxValue", "algorithm")] == [
        "-1.5", "1.25", "StretchToMinimumMaximum",
    ]  # fmt: skip


def test_statistics_of_an_older_file_are_removed(tmp_path: Path) -> None:
    for write in (write_confidence_style, lambda path: write_embedding_style(path, (1, 2, 3), ((0, 1),) * 3)):
        old = tmp_path / "a.tif.aux.xml"
        old.write_text("<PAMDataset/>")
        write(tmp_path / "a.tif")
        assert not old.exists()


def test_a_style_that_cannot_be_written_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"aux\.xml cannot be written"):
        write_class_style(tmp_path / f"{'n' * 248}.tif", awkward_classes())  # 252 bytes, but .aux.xml makes 260
    with pytest.raises(OutputError, match="none"):
        write_confidence_style(tmp_path / "none" / "a.tif")
    assert not list(tmp_path.glob(".gfm-*"))
