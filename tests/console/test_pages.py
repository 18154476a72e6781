"""What a browser gets is whole, comes from here alone, and can be read."""

import re

import pytest

from smppgw.console import pages

FILES = pages.load()
TEXTS = {name: file.body.decode() for name, file in FILES.items()}


def test_every_file_that_is_named_is_there() -> None:
    for name, text in TEXTS.items():
        folder = name.rpartition("/")[0]
        named = re.findall(r'(?:href|src)="(/[^"]+)"', text) + re.findall(r'from "(\.[^"]+)"', text)
        for each in named:
            parts = each.lstrip("/").split("/") if each.startswith("/") else [*folder.split("/"), *each.split("/")]
            path: list[str] = []
            for part in parts:
                path = path[:-1] if part == ".." else path if part in {"", "."} else [*path, part]
            assert "/".join(path) in FILES, f"{name} names {each}"


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_comes_from_elsewhere(name: str) -> None:
    addresses = re.findall(
        r"(?:https?:)?//[\w.-]+\.\w+[^\s\"']*", re.sub(r"^\s*//.*$", "", TEXTS[name], flags=re.MULTILINE)
    )
    assert [each for each in addresses if not each.startswith("http://www.w3.org/")] == []


@pytest.mark.parametrize("name", [name for name in TEXTS if name.endswith((".js", ".html"))])
def test_no_markup_is_made_of_texts_and_no_script_is_inline(name: str) -> None:
    for danger in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "style="):
        assert danger not in TEXTS[name]
    assert not re.search(r"<script(?![^>]*\ssrc=)", TEXTS[name])
    assert not re.search(r"<[^>]+\son\w+=", TEXTS[name])


@pytest.mark.parametrize("name", [name for name in TEXTS if name.endswith(".js")])
def test_a_script_opens_with_what_it_knows(name: str) -> None:
    assert re.match(r"// [A-Z].*\.$", TEXTS[name].splitlines()[0])


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", block))


def light(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    channels = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((light(one), light(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


LIGHT, *DARK = [
    found for block in re.findall(r"\{[^{}]*\}", TEXTS["style.css"]) if "panel" in (found := colours(block))
]


@pytest.mark.parametrize("theme", [LIGHT, *DARK], ids=["light", "dark", "dark by hand"])
@pytest.mark.parametrize("ink", ["text", "soft", "accent", "ok", "warn", "bad", "off"])
@pytest.mark.parametrize("paper", ["panel", "ground", "hover"])
def test_words_can_be_read(theme: dict[str, str], ink: str, paper: str) -> None:
    assert contrast(theme[ink], theme[paper]) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, *DARK], ids=["light", "dark", "dark by hand"])
def test_words_on_buttons_can_be_read(theme: dict[str, str]) -> None:
    assert contrast(theme["on"], theme["accent"]) >= 4.5
    assert contrast(theme["panel"], theme["bad"]) >= 4.5


def test_dark_by_hand_is_dark_by_the_system() -> None:
    assert DARK[0] == DARK[1]
