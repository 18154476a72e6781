"""docs/ as a site: every page is on it, it builds without a warning, and the reference says what the models say."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conf.shown import TABLES, lines
from tests.kit import ROOT

PAGES = {page.name for page in (ROOT / "docs").glob("*.md")}


def test_the_reference_is_what_its_script_writes() -> None:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "scripts/reference.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    written = script.written()
    assert (ROOT / "docs/reference.md").read_text() == written, "run .venv/bin/python scripts/reference.py"


def test_the_reference_has_every_key_of_the_example() -> None:
    page = (ROOT / "docs/reference.md").read_text()
    parts = re.split(r"^## \[+([\w.]+)\]+$", page, flags=re.MULTILINE)
    told = dict(zip(parts[1::2], parts[2::2], strict=True))
    for line in lines():
        if line.table in TABLES and not line.key.endswith(("_env", "_file")):
            names = [name for name in told if re.fullmatch(name.replace("NAME", r"\w+"), line.table)]
            assert any(f"| `{line.key}` |" in told[name] for name in names), f"{line.table}.{line.key}"


def test_every_page_can_be_reached_from_the_first_one_and_is_in_the_menu() -> None:
    menu = (ROOT / "mkdocs.yml").read_text().partition("\nnav:")[2]
    assert sorted(re.findall(r"[\w-]+\.md", menu)) == sorted({*PAGES, "ten-minutes.md"})
    index = (ROOT / "docs/index.md").read_text()
    assert set(re.findall(r"\]\(([\w-]+\.md)\)", index)) == PAGES - {"index.md"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(made)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return made


def test_the_site_builds_and_its_links_lead_somewhere(site: Path) -> None:
    for page in site.glob("*.html"):
        for link in re.findall(r'<a [^>]*href="([^"#:]+?)(?:#[^"]*)?"', page.read_text()):
            if page.name != "404.html" and link not in {".", "benchmarks/results"}:
                assert (site / link).exists(), f"{page.name}: {link}"
    assert {page.stem for page in site.glob("*.html")} >= {name.removesuffix(".md") for name in PAGES} | {"ten-minutes"}


def test_no_page_of_the_site_asks_another_host_for_fonts_or_scripts(site: Path) -> None:
    for page in site.glob("*.html"):
        assert not re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="https?://', page.read_text()), page.name
