from __future__ import annotations

from gfm_core.report.lettering import fitted, font_for, one_line


def test_a_text_that_fits_stays() -> None:
    assert fitted("forest", font_for("forest", 16), 500) == "forest"


def test_a_long_text_is_cut_to_the_width_with_an_ellipsis() -> None:
    font = font_for("x", 16)
    cut = fitted("a very long class name " * 10, font, 200)
    assert cut.endswith("…")
    assert 150 < font.getlength(cut) <= 200


def test_line_breaks_become_spaces_and_an_empty_name_is_said() -> None:
    assert one_line("two\nlines\tand  more") == "two lines and more"
    assert one_line(" \n") == "(no name)"


def test_latin_text_is_written_in_the_font_that_is_the_same_everywhere() -> None:
    assert font_for("Wald", 16).getname() == font_for("forest, water", 16).getname()
    assert font_for("Wald", 16).getname()[0] == "Aileron"  # inside Pillow
