"""The load tool and the SMSC of a measurement: ours, or another one that `SMPPLOAD` in the environment names."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from benchmarks.processes import Cores, FailedError, Program

SMPPGW = (sys.executable, "-m", "smppgw.cli")
SYSTEM_ID, PASSWORD = "load", "secret"


@dataclass(frozen=True, slots=True)
class Plan:
    """A load to make."""

    port: int
    count: int
    links: int = 4
    window: int = 250
    rate: float = 0.0
    patience: float = 30.0
    """Seconds without a receipt after which the rest of them are missing."""
    account: str = SYSTEM_ID
    prefix: str = "4479"
    """Destinations are this and eight digits."""
    first: int = 0
    """The smallest number of these digits."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the load tool saw; times in milliseconds but for those that end in `_s`."""

    submitted: int
    accepted: int
    accepted_per_s: float
    response_p50: float
    response_p99: float
    receipts: int
    end_to_end_s: float
    """From the first submit to the last receipt."""
    end_to_end_per_s: float
    receipt_p50: float
    receipt_p99: float
    lost: int
    """Submits without an answer and accepted messages without a receipt."""
    repeated: int
    """Receipts beyond the first of a message."""
    mismatched: int
    """Receipts of messages that nobody submitted, or (our own tool looks at that, too) with the number of another."""
    tool_cpu_s: float


class Tools(Protocol):
    """A load tool and the SMSC that goes with it."""

    name: str

    def smsc(self, port: int, at: Path, *, delay: float, receipts: bool = True) -> Program: ...
    def load(self, plan: Plan, at: Path) -> Program: ...
    def outcome(self, load: Program, at: Path) -> Outcome: ...
    def arrived(self, smsc: Program) -> tuple[int, int]:
        """Of an SMSC that was stopped: messages that it took, and how many of them it had taken before."""
        ...


class OwnTools:
    """`smppgw load` and `smppgw simulate smsc`."""

    name = "smppgw load"

    def __init__(self, cores: Cores) -> None:
        self._cores = cores.tools

    def smsc(self, port: int, at: Path, *, delay: float, receipts: bool = True) -> Program:
        options = [] if receipts else ["--no-receipts"]
        command = [
            *SMPPGW, "simulate", "smsc", "--port", str(port), "--receipt-delay", f"{delay}", "--window", "1000",
            "--keep", "1000", *options,
        ]  # fmt: skip
        return Program(command, self._cores, at / "smsc.out")

    def load(self, plan: Plan, at: Path) -> Program:
        command = [
            *SMPPGW, "load", "--port", str(plan.port), "--system-id", plan.account, "--binds", str(plan.links),
            "--window", str(plan.window), "--count", str(plan.count), "--rate", str(plan.rate),
            "--prefix", plan.prefix, "--start", str(plan.first),
            "--receipt-timeout", str(plan.patience), "--json", str(at / f"{plan.account}.json"),
        ]  # fmt: skip
        (at / f"{plan.account}.json").unlink(missing_ok=True)
        return Program(command, self._cores, at / f"{plan.account}.out", {"SMPPGW_PASSWORD": PASSWORD})

    def outcome(self, load: Program, at: Path) -> Outcome:
        del at
        found = _read(load.output.with_suffix(".json"), load)
        return Outcome(
            submitted=found["submitted"],
            accepted=found["accepted"],
            accepted_per_s=found["accepted_per_s"],
            response_p50=found["response_ms"]["p50"],
            response_p99=found["response_ms"]["p99"],
            receipts=found["receipts"],
            end_to_end_s=found["receipt_s"],
            end_to_end_per_s=found["receipts_per_s"],
            receipt_p50=found["receipt_ms"]["p50"],
            receipt_p99=found["receipt_ms"]["p99"],
            lost=found["lost"] + found["to_come"],
            repeated=found["duplicated"],
            mismatched=found["unknown"] + found["mismatched"],
            tool_cpu_s=found["cpu_s"],
        )

    def arrived(self, smsc: Program) -> tuple[int, int]:
        found = _last(smsc)
        return found["submits"], found["duplicates"]


class OutsideTools:
    """A binary with the commands `sink` and `blast` and one JSON object as its report."""

    def __init__(self, binary: Path, cores: Cores) -> None:
        self.name = binary.name
        self._binary = binary
        self._cores = cores.tools

    def smsc(self, port: int, at: Path, *, delay: float, receipts: bool = True) -> Program:
        milliseconds = int(delay * 1000) if receipts else 10**9
        command = [str(self._binary), "sink", "--port", str(port), "--dlr-delay-ms", str(milliseconds)]
        return Program(command, self._cores, at / "smsc.out")

    def load(self, plan: Plan, at: Path) -> Program:
        command = [
            str(self._binary), "blast", "--host", "127.0.0.1", "--port", str(plan.port), "--system-id", plan.account,
            "--password", PASSWORD, "--conns", str(plan.links), "--window", str(plan.window),
            "--count", str(plan.count), "--rate", str(plan.rate), "--dlr", "--wait-dlr-s", str(plan.patience),
            "--dst-prefix", plan.prefix, "--dst-start", str(plan.first),
        ]  # fmt: skip
        return Program(command, self._cores, at / f"{plan.account}.out")

    def outcome(self, load: Program, at: Path) -> Outcome:
        del at
        found = _read(load.output, load)
        return Outcome(
            submitted=found["submitted"],
            accepted=found["ok"],
            accepted_per_s=found["submit_rate"],
            response_p50=found["resp_ms"]["p50"],
            response_p99=found["resp_ms"]["p99"],
            receipts=found["receipts"],
            end_to_end_s=found["e2e_s"],
            end_to_end_per_s=found["e2e_rate"],
            receipt_p50=found["e2e_ms"]["p50"],
            receipt_p99=found["e2e_ms"]["p99"],
            lost=found["no_resp"] + found["missing"],
            repeated=found["dup"],
            mismatched=found["unmatched"],
            tool_cpu_s=found["cpu_s"],
        )

    def arrived(self, smsc: Program) -> tuple[int, int]:
        found = _last(smsc)
        return found["submit_ok"], found["dup_dst"]


def tools(cores: Cores) -> Tools:
    """Those that the environment asks for."""
    binary = os.environ.get("SMPPLOAD")
    if not binary:
        return OwnTools(cores)
    if not os.access(binary, os.X_OK):
        raise FailedError(f"SMPPLOAD={binary} is no program")
    return OutsideTools(Path(binary), cores)


def _read(path: Path, load: Program) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        raise FailedError(f"{load.name} made no report: {load.last_words()}") from None
    return found


def _last(program: Program) -> dict[str, Any]:
    """The last JSON object that it printed."""
    for line in reversed(program.output.read_text(errors="replace").splitlines()):
        if line.startswith("{"):
            found: dict[str, Any] = json.loads(line)
            return found
    raise FailedError(f"{program.name} printed no counters: {program.last_words()}")
