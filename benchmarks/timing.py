"""Time small operations and say on what they ran."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
ROUNDS = 5


def microseconds(operation: Callable[[int], None], times: int) -> float:
    """The median over five rounds of what one of `times` operations takes; `operation` loops itself."""
    operation(max(1, times // 10))
    rounds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        operation(times)
        rounds.append((time.perf_counter() - start) / times * 1e6)
    return statistics.median(rounds)


def optimised() -> bool:
    """Whether this interpreter was built with profile-guided optimisation: worth a factor of about 1.5."""
    how = str(sysconfig.get_config_var("CONFIG_ARGS"))
    # Debian calls `make profile-opt` itself, which leaves no mark but that of its packaging.
    return "--enable-optimizations" in how or "/usr/share/python-wheels" in how


def machine() -> dict[str, str | int | bool]:
    """What to name beside every figure."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False, cwd=Path(__file__).parent
    )
    models = [
        line.partition(":")[2].strip()
        for line in (Path("/proc/cpuinfo").read_text() if os.path.exists("/proc/cpuinfo") else "").splitlines()
        if line.startswith("model name")
    ]
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "optimised": optimised(),
        "compiler": platform.python_compiler(),
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count() or 0,
        "system": platform.platform(),
        "commit": commit.stdout.strip(),
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def report(name: str, figures: Mapping[str, float], unit: str = "us") -> None:
    """Print the figures; with --json on the command line write benchmarks/results/NAME.json as well."""
    options = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    options.add_argument("--json", action="store_true", help=f"write benchmarks/results/{name}.json")
    chosen = options.parse_args()
    here = machine()
    print(f"{name}: {unit} per operation, median of {ROUNDS}; {here['python']}"
          f" ({'optimised' if here['optimised'] else 'not optimised'}), {here['processor']}")  # fmt: skip
    for what, figure in figures.items():
        print(f"  {what:<46} {figure:8.2f}")
    if chosen.json:
        RESULTS.mkdir(exist_ok=True)
        text = json.dumps({"name": name, "unit": unit, "figures": dict(figures), "machine": here}, indent=2)
        (RESULTS / f"{name}.json").write_text(text + "\n")
