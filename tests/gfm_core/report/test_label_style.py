from __future__ import annotations

import hashlib
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from gfm_core.report.label_style import StyleColours, label_styles

# The parts that matter of styles saved by QGIS 3.22.16 (both forms of a symbol's properties) and 3.40 (one form, with
# the exact colour behind).
SYMBOL_322 = """<symbol type="fill" name="{name}"><layer class="SimpleFill" enabled="1" pass="0">
<Option type="Map"><Option name="border_width_map_unit_scale" value="3x:0,0,0,0,0,0" type="QString"/>
<Option name="color" value="{colour},255" type="QString"/><Option name="outline_color" value="35,35,35,255"/></Option>
<prop k="color" v="{colour},255"/><prop k="outline_color" v="35,35,35,255"/></layer></symbol>"""
SYMBOL_340 = """<symbol type="fill" name="{name}"><data_defined_properties/><layer class="SimpleFill" enabled="1">
<Option type="Map"><Option name="color" type="QString" value="{colour},255,rgb:0.29,0.85,0.24,1"/>
<Option name="outline_color" type="QString" value="35,35,35,255,rgb:0.13,0.13,0.13,1"/></Option></layer></symbol>"""


UNKNOWN, MANY_BYTES = b'<?xml version="1.0" encoding="foo"?><a/>', b'<?xml version="1.0" encoding="shift_jis"?><a/>'
PLACE = Affine(10, 0, 500_000, 0, -10, 5_800_000)


def vector_qml(symbol: str, attribute: str = "class") -> str:
    return f"""<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.16-Białowieża"><renderer-v2 type="categorizedSymbol" attr="{attribute}"><categories>
<category value="forest" symbol="0" label="Forest" render="true"/>
<category value="wat,er &amp; ice" symbol="1" label="Water" render="true"/>
<category symbol="2" label="Rest"><val type="QString" value="bare"/><val type="QString" value="sand"/></category>
<category value="" symbol="2" label="" render="true"/></categories><symbols>
{symbol.format(name="0", colour="12,34,56")}{symbol.format(name="1", colour="0,0,255")}
{symbol.format(name="2", colour="9,8,7")}</symbols></renderer-v2></qgis>"""


def styles(path: Path, field: str | None = None, layer: str | None = None) -> list[StyleColours]:
    return list(label_styles(path, field=field, layer=layer))


@pytest.mark.parametrize("symbol", [SYMBOL_322, SYMBOL_340], ids=["3.22", "3.40"])
def test_categories_of_a_vector_style_beside_the_file(tmp_path: Path, symbol: str) -> None:
    (tmp_path / "labels.qml").write_text(vector_qml(symbol), encoding="utf-8")
    (style,) = styles(tmp_path / "labels.shp")
    assert style.by_value == {
        "forest": (12, 34, 56), "wat,er & ice": (0, 0, 255), "bare": (9, 8, 7), "sand": (9, 8, 7),
    }  # fmt: skip
    assert style.colour_of("unseen", "Water") == (0, 0, 255)  # by its label


def test_a_style_by_another_field_is_passed_over_unless_it_is_an_expression(tmp_path: Path) -> None:
    path = tmp_path / "labels.shp"
    for attribute, used in (("class", True), ("&quot;CLASS&quot;", True), ("split", False), ("lower(name)", True)):
        path.with_suffix(".qml").write_text(vector_qml(SYMBOL_322, attribute), encoding="utf-8")
        assert bool(styles(path, field="class")) is used, attribute


def test_numbers_match_whatever_way_they_are_written() -> None:
    style = StyleColours({"1": (1, 1, 1), "02": (2, 2, 2), "2.5": (3, 3, 3)}, {})
    assert style.colour_of(1, "") == style.colour_of(1.0, "") == (1, 1, 1)
    assert style.colour_of(2, "") == (2, 2, 2)
    assert style.colour_of("2.5", "") == (3, 3, 3)
    assert style.colour_of(7, "") is None


def geopackage(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")  # as QGIS leaves it: a plain reader would make -wal and -shm files
        database.execute(
            "CREATE TABLE layer_styles (id INTEGER PRIMARY KEY, f_table_name TEXT, styleName TEXT, styleQML TEXT, "
            "useAsDefault BOOLEAN, update_time DATETIME)"
        )
        rows = [
            ("labels", vector_qml(SYMBOL_340.replace("{colour}", "1,1,1")), 0, "2026-02-01T00:00:00Z"),
            ("labels", vector_qml(SYMBOL_340), 1, "2025-01-01T00:00:00Z"),
            ("other", vector_qml(SYMBOL_340.replace("{colour}", "2,2,2")), 1, "2026-03-01T00:00:00Z"),
        ]
        database.executemany(
            "INSERT INTO layer_styles (f_table_name, styleQML, useAsDefault, update_time) VALUES (?, ?, ?, ?)", rows
        )


def test_the_default_style_of_the_layer_in_a_geopackage_and_the_file_stays_untouched(tmp_path: Path) -> None:
    path = tmp_path / "labels with space %20.gpkg"
    geopackage(path)
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    found = styles(path, field="class", layer="labels")
    assert [style.by_value["forest"] for style in found] == [(12, 34, 56), (1, 1, 1)]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert [item.name for item in tmp_path.iterdir()] == [path.name]


def test_a_colour_table_gives_colours_but_not_its_black_gaps(tmp_path: Path) -> None:
    path = tmp_path / "labels.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=4, height=4, count=1, dtype="uint8", nodata=0, transform=PLACE
    ) as dataset:
        dataset.write(np.ones((1, 4, 4), np.uint8))
        dataset.write_colormap(1, {1: (200, 10, 20, 255), 7: (30, 40, 50, 255)})
    (style,) = styles(path)
    assert style.by_value == {"1": (200, 10, 20), "7": (30, 40, 50)}


@pytest.mark.parametrize(
    "content", [b"not xml", b"<qgis><pipe>", b"", b"<qgis/>", bytes(range(256)), UNKNOWN, MANY_BYTES]
)
def test_a_damaged_style_is_no_error(tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "labels.qml").write_bytes(content)
    with caplog.at_level(logging.WARNING, logger="gfm_core"):  # a quiet command may have run in this process
        assert styles(tmp_path / "labels.gpkg") == []
    assert ("labels.qml" in caplog.text) is (content != b"<qgis/>")


def test_a_geopackage_that_is_none_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "labels.gpkg"
    path.write_bytes(b"text in a file named .gpkg")
    assert styles(path) == []


def test_entities_in_a_style_do_not_expand_without_end(tmp_path: Path) -> None:
    inner = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE qgis [<!ENTITY e0 "ha">{inner}]><qgis version="&e9;"/>'
    (tmp_path / "labels.qml").write_text(bomb)
    assert styles(tmp_path / "labels.shp") == []
