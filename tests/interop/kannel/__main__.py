"""Record the real Kannel, look at what was recorded, run ours against it: `python -m tests.interop.kannel`."""

import argparse
import asyncio
import difflib
import json
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.interop.kannel.compare import RECORDED, as_text, expected, recorded
from tests.interop.kannel.differences import difference
from tests.interop.kannel.row import Row
from tests.interop.kannel.side import Outcome, run_all
from tests.interop.kannel.table import ROWS


def _chosen(pattern: str) -> list[Row]:
    return [row for row in ROWS if re.search(pattern, row.name)]


def _run(side: str, rows: Sequence[Row], wanted: dict[str, Outcome] | None, keep: str | None) -> dict[str, Outcome]:
    if keep:
        return asyncio.run(run_all(side, rows, Path(keep).absolute(), wanted))
    with tempfile.TemporaryDirectory() as directory:
        return asyncio.run(run_all(side, rows, Path(directory), wanted))


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.interop.kannel", description=__doc__)
    options.add_argument("what", choices=("record", "show", "ask", "compare"))
    options.add_argument("pattern", nargs="?", default="", help="rows whose name it is found in (a regular expression)")
    options.add_argument("--kannel", action="store_true", help="compare the real Kannel of this machine")
    options.add_argument("--keep", help="a new directory for confs and logs")
    options.add_argument("--all", action="store_true", help="also what may differ")
    options.add_argument("-q", action="store_true", help="names only")
    given = options.parse_intermixed_args()
    rows = _chosen(given.pattern)
    if given.what == "record":
        found = _run("kannel", ROWS, None, given.keep)
        RECORDED.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        print(f"{len(found)} rows recorded")
        return 0
    if given.what == "ask":
        for name, outcome in _run("kannel", rows, None, given.keep).items():
            print(f"== {name}\n{as_text(outcome)}")
        return 0
    known = recorded()
    if given.what == "show":
        for row in rows:
            print(f"== {row.name}\n-- {row.ask or row.mo}\n{as_text(known[row.name])}")
        return 0
    side, wanted = ("kannel", known) if given.kannel else ("smppgw", expected())
    found = _run(side, rows, wanted, given.keep)
    differ = 0
    for row in rows:
        want, have = as_text(known[row.name]), as_text(found[row.name])
        may = None if given.all or given.kannel else difference(row.name)
        if want == have and may and may.always:
            print(f"== {row.name} does not differ any more, though: {may.why}")
        if want != have and not may:
            differ += 1
            print(f"== {row.name}" + ("" if given.q else f"\n-- {row.ask or row.mo}"))
            if not given.q:
                print(
                    "\n".join(
                        difflib.unified_diff(want.splitlines(), have.splitlines(), "kannel", "here", "", "", 1, "")
                    )
                )
    print(f"{differ} of {len(rows)} differ")
    return bool(differ)


if __name__ == "__main__":
    sys.exit(main())
