"""The contrast of the theme's colours, computed as WCAG 2.2 does, in both themes."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

CONFIG = Path(__file__).parents[1] / ".streamlit" / "config.toml"
# Success criteria 1.4.3 (text) and 1.4.11 (graphics).
TEXT, GRAPHIC = 4.5, 3.0
BADGES = ("red", "green", "yellow", "orange", "blue", "violet", "gray")
SURFACES = ("backgroundColor", "secondaryBackgroundColor")

Theme = Mapping[str, Any]


def load(name: str) -> Theme:
    theme: Theme = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"][name]
    return theme


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


each_theme = pytest.mark.parametrize("name", ["light", "dark"])


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@each_theme
def test_text_is_readable_on_every_surface(name: str) -> None:
    theme = load(name)
    surfaces = [theme[key] for key in SURFACES] + [theme["sidebar"][key] for key in SURFACES]
    for surface in surfaces:
        assert contrast(theme["textColor"], surface) >= 7
        assert contrast(theme["linkColor"], surface) >= TEXT
    assert contrast(theme["codeTextColor"], theme["codeBackgroundColor"]) >= TEXT
    header = theme["dataframeHeaderBackgroundColor"]
    assert contrast(theme["dataframeHeaderTextColor"], header) >= TEXT


@each_theme
def test_a_primary_button_is_readable_and_seen(name: str) -> None:
    theme = load(name)
    # Streamlit writes white on it in both themes.
    assert contrast("#FFFFFF", theme["primaryColor"]) >= TEXT
    assert contrast(theme["primaryColor"], theme["backgroundColor"]) >= GRAPHIC


@each_theme
@pytest.mark.parametrize("colour", BADGES)
def test_a_badge_is_readable(name: str, colour: str) -> None:
    theme = load(name)
    text = theme[f"{colour}TextColor"]
    for surface in (theme[f"{colour}BackgroundColor"], *(theme[key] for key in SURFACES)):
        assert contrast(text, surface) >= TEXT, surface


@each_theme
def test_chart_colours_stand_out_and_differ(name: str) -> None:
    theme = load(name)
    colours = theme["chartCategoricalColors"]
    assert len(set(colours)) == len(colours) == 8
    for colour in (*colours, theme["grayColor"]):
        assert contrast(colour, theme["backgroundColor"]) >= GRAPHIC, colour
