from __future__ import annotations

from pathlib import Path

import pytest

from gfm_core.classes import MapClass
from gfm_core.report.palette import OKABE_ITO, _difference, _lab, theme_of, with_colours


def named(*names: str) -> tuple[MapClass, ...]:
    return tuple(MapClass(code, name, name) for code, name in enumerate(names, start=1))


def colours(*names: str) -> list[tuple[int, int, int] | None]:
    return [item.colour for item in with_colours(named(*names))]


def test_lab_is_that_of_the_standard_for_pure_red() -> None:
    assert _lab((255, 0, 0)) == pytest.approx((53.24, 80.09, 67.20), abs=0.05)  # CIE values of sRGB red under D65


def test_water_is_blue_and_forest_green_in_six_languages() -> None:
    for water in ("water", "Gewässer", "eau", "agua", "água", "acqua"):
        red, green, blue = colours(water)[0] or (0, 0, 0)
        assert blue > green > red, water
    for forest in ("forest", "Nadelwald", "Forêt", "bosque", "floresta", "bosco"):
        red, green, blue = colours(forest)[0] or (0, 0, 0)
        assert green > max(red, blue), forest


def test_the_particular_comes_before_the_general() -> None:
    assert theme_of("flooded vegetation") is theme_of("wetland")
    assert theme_of("burnt forest") is theme_of("burned area")
    assert theme_of("coffee plantation") is not theme_of("bare soil")


@pytest.mark.parametrize("name", ["non-forest", "no water", "kein Wald", "class 7", "season", "first", "", "水域"])
def test_a_name_that_speaks_of_no_land_cover_has_no_theme(name: str) -> None:
    assert theme_of(name) is None


def test_names_without_a_theme_follow_okabe_and_ito() -> None:
    assert colours("alpha", "beta", "gamma") == list(OKABE_ITO[:3])


@pytest.mark.parametrize("count", [2, 8, 20, 300, 3000])
def test_no_two_classes_share_a_colour(count: int) -> None:
    found = colours(*[f"class {number}" for number in range(count)])
    assert len(set(found)) == count


def test_classes_of_one_theme_get_shades_that_can_be_told_apart() -> None:
    found = colours("grass", "meadow", "pasture", "rangeland", "lawn", "savanna")
    labs = [_lab(colour) for colour in found if colour is not None]
    apart = [_difference(one, other) for place, one in enumerate(labs) for other in labs[:place]]
    assert len(labs) == 6
    assert min(apart) > 10  # CIE 1976; 2 is just noticeable


def test_the_same_classes_get_the_same_colours() -> None:
    names = ("farm", "alpha", "water", "beta", "grass", "meadow")
    assert colours(*names) == colours(*names)


def test_a_colour_that_a_class_has_already_stays_and_is_not_given_twice() -> None:
    mine = (MapClass(1, "alpha", 1), MapClass(2, "beta", 2, OKABE_ITO[0]))
    first, second = with_colours(mine)
    assert second.colour == OKABE_ITO[0]
    assert first.colour == OKABE_ITO[1]


def test_the_style_of_the_labels_comes_first_and_fills_only_what_it_knows(tmp_path: Path) -> None:
    labels = tmp_path / "labels.gpkg"
    entries = '<paletteEntry value="1" color="#010203" label=""/><paletteEntry value="2" color="#010203" label=""/>'
    labels.with_suffix(".qml").write_text(
        f'<qgis><pipe><rasterrenderer type="paletted"><colorPalette>{entries}</colorPalette></rasterrenderer>'
        "</pipe></qgis>"
    )
    first, second, third = with_colours((MapClass(1, "a", 1), MapClass(2, "b", 2), MapClass(3, "water", 3)), labels)
    assert first.colour == (1, 2, 3)
    assert second.colour not in (None, (1, 2, 3))  # the style gives both one colour; a map must not
    assert third.colour == colours("water")[0]


def test_a_colour_of_the_style_that_another_class_has_already_is_not_given_twice(tmp_path: Path) -> None:
    (tmp_path / "labels.qml").write_text(
        '<qgis><rasterrenderer type="paletted"><paletteEntry value="2" color="#010203" label=""/>'
        "</rasterrenderer></qgis>"
    )
    first, second = with_colours((MapClass(1, "a", 1, (1, 2, 3)), MapClass(2, "b", 2)), tmp_path / "labels.tif")
    assert first.colour == (1, 2, 3)
    assert second.colour != (1, 2, 3)


def test_labels_without_a_style_or_that_do_not_exist_are_no_error(tmp_path: Path) -> None:
    assert with_colours(named("water"), tmp_path / "none.gpkg") == with_colours(named("water"))
