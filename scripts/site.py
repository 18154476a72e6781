"""Hooks of mkdocs: the README is a page too, and what pages link to outside docs/ is beside them."""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
README = "ten-minutes.md"
"""Its name on the site, where README.md would be the first page."""

OUTSIDE = re.compile(r"(\]\(|src=\"|srcset=\")(?:\.\./)([\w./-]+)")


def on_files(files: Files, config: Any) -> Files:
    """Add what is linked to. A folder has no page, and stays a link to nothing but its name."""
    files.append(File.generated(config, README, content=_readme()))
    for name in sorted(
        {found[2] for file in files.documentation_pages() for found in OUTSIDE.finditer(file.content_string)}
    ):
        if (ROOT / name).is_file() and name != "README.md":
            files.append(File.generated(config, _beside(name), content=(ROOT / name).read_bytes()))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    return OUTSIDE.sub(lambda found: found[1] + _beside(found[2]), markdown)


def _beside(name: str) -> str:
    """Where a file of the repository is on the site: other Markdown is no page of it."""
    name = posixpath.normpath(name)
    if name == "README.md":
        return README
    return name + ".txt" if name.endswith(".md") else name


def _readme() -> str:
    """With links as pages of docs/ have them."""
    text = (ROOT / "README.md").read_text()
    return re.sub(r"(\]\(|src=\"|srcset=\")(?!https?:|#)([\w./-]+)", _moved, text)


def _moved(found: re.Match[str]) -> str:
    return found[1] + (found[2].removeprefix("docs/") if found[2].startswith("docs/") else "../" + found[2])
