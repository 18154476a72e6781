"""Every benchmark in turn: `python -m benchmarks [--quick] [NAME ...]`."""

import argparse
import subprocess
import sys

QUICK = {
    "codec": (),
    "session": (),
    "store": ("--quick",),
    "gateway": ("--quick",),
    "carriers": ("--quick",),
    "sendsms": ("--quick",),
    "rest": ("--quick",),
    "watched": ("--quick",),
}
FULL = {
    "codec": ("--json",),
    "session": ("--json",),
    "store": ("--json",),
    "gateway": (),
    "carriers": (),
    "sendsms": (),
    "rest": (),
    "watched": (),
}


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument("--quick", action="store_true", help="four minutes instead of twenty; writes no results")
    options.add_argument("names", nargs="*", choices=[*FULL, []], metavar="NAME", help=", ".join(FULL))
    chosen = options.parse_args()
    worst = 0
    for name, how in (QUICK if chosen.quick else FULL).items():
        if not chosen.names or name in chosen.names:
            worst = max(worst, subprocess.call([sys.executable, "-m", f"benchmarks.{name}", *how]))
            print(flush=True)
    return worst


if __name__ == "__main__":
    sys.exit(main())
