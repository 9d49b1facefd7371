#!/usr/bin/env python3
# Kills, damages and starves the real program, and compares what is left with an oracle outside it.
"""Usage: rig.py [--full] [BAR...]                     each bar, then its canary; a table
       rig.py BAR --seed N --count N [--unsafe SWITCH]  one row again

Without --full it is the quick tier, of three minutes. The program is $MILLRACE_BIN/millrace. A bar
passes with no anomaly; its canary is the same program with one protection switched off, and must
fail it.
"""
import argparse
import dataclasses
import math
import subprocess
import sys
import time
from collections.abc import Callable

import allocations
import call_faults
import checkpoint_damage
import combined_kills
import demo_kills
import epoch_faults
import epoch_power
import journal_damage
import journal_kills
import poison_records
import power_images
import slow_sinks
import spilled_kills
import stalls
import stuck_sinks
import topology_kills
import topology_rescales
import topology_stops
import wrong_clocks


def no_strace():
    """Why system calls cannot be traced here; "" when they can."""
    try:
        done = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True,
                              check=False)
    except FileNotFoundError:
        return "strace is not installed"
    return "" if done.returncode == 0 else "strace may not trace here"


@dataclasses.dataclass
class Bar:
    name: str
    promise: str  # of docs/reliability.md
    what: str
    run: Callable  # of seed, count, unsafe; gives cases, anomalies, times to the first record in s
    quick: tuple  # seeds, and cases for each
    full: tuple
    canary: str  # the switch of --unsafe that must fail it ...
    sign: str  # ... with an anomaly of this name
    missing: Callable = lambda: ""  # why it cannot run here


BARS = [
    Bar("kills", "R1", "kill -9 at random, three producers", journal_kills.kills,
        (2, 20), (10, 100), "no-dedup", "duplicate"),
    Bar("fence", "R1", "a second writer beside one that was stopped", journal_kills.fence,
        (1, 1), (10, 1), "no-fence", "two-writers"),
    Bar("calls", "R2", "killed at the N-th write, sync, rename; most of them again in recovery",
        call_faults.kills, (1, 16), (3, 1000), "no-dedup", "duplicate", no_strace),
    Bar("errors", "R3", "the N-th write, sync, rename fails, once or for ever",
        call_faults.errors, (1, 16), (1, 2000), "no-dedup", "duplicate", no_strace),
    Bar("short", "R3", "a write is cut short, as on a full disk", call_faults.short_writes,
        (1, 16), (1, 300), "no-dedup", "duplicate"),
    Bar("power", "R4", "loss of power: unsynced sectors and names gone", power_images.power,
        (1, 24), (6, 60), "no-fsync", "lost-write", no_strace),
    Bar("atomic", "R4", "loss of power around a transaction: all of it or nothing",
        power_images.atomic, (1, 24), (3, 60), "no-fsync", "lost-write", no_strace),
    Bar("epoch-power", "R4", "loss of power of a topology with epochs: journals and files",
        epoch_power.power, (1, 10), (6, 60), "no-fsync", "duplicate", no_strace),
    Bar("topology", "R1", "kill -9 at random, journal to journal, exactly once, windows open",
        topology_kills.kills, (1, 24), (10, 100), "no-dedup", "duplicate"),
    Bar("combined", "R1", "kill -9 at random, joins, tables, patterns, calls open",
        combined_kills.kills, (1, 12), (10, 100), "no-dedup", "duplicate"),
    Bar("combined-rescales", "R10", "the same, rescaled at random, one of six killed",
        combined_kills.rescales, (1, 12), (10, 100), "no-dedup", "duplicate"),
    Bar("combined-calls", "R2", "the same, killed at the N-th call, and in recovery",
        combined_kills.call_kills, (1, 3), (1, 500), "no-dedup", "duplicate", no_strace),
    Bar("spilled", "R1", "kill -9 at random, most keys of aggregates, joins, tables on disk",
        spilled_kills.kills, (1, 6), (10, 30), "no-dedup", "duplicate"),
    Bar("spilled-rescales", "R10", "the same, rescaled at random, one of six killed",
        spilled_kills.rescales, (1, 6), (5, 30), "no-dedup", "duplicate"),
    Bar("spilled-calls", "R2", "the same, killed at the N-th call, and in recovery",
        spilled_kills.call_kills, (1, 3), (1, 300), "no-dedup", "duplicate", no_strace),
    Bar("spilled-errors", "R3", "the same, a call fails, once or for ever",
        spilled_kills.call_errors, (1, 3), (3, 100), "no-dedup", "duplicate", no_strace),
    Bar("demo-kills", "R1", "kill -9 at random, the demo's topology at its own interval",
        demo_kills.kills, (1, 3), (10, 100), "no-dedup", "duplicate"),
    Bar("rescales", "R1", "components rescaled at random, one of six killed in the middle",
        topology_rescales.rescales, (1, 12), (10, 100), "no-dedup", "duplicate"),
    Bar("stops", "R17", "SIGTERM under load: drained in 5 s, nothing read twice",
        topology_stops.stops, (1, 8), (10, 100), topology_stops.OLDER_EPOCH, "replayed"),
    Bar("epoch-calls", "R2", "a topology with epochs killed at the N-th call, and in recovery",
        epoch_faults.kills, (1, 5), (1, 1000), "no-dedup", "duplicate", no_strace),
    Bar("epoch-errors", "R3", "a call of a topology with epochs fails, once or for ever",
        epoch_faults.errors, (1, 5), (1, 1000), "no-dedup", "duplicate", no_strace),
    Bar("epoch-short", "R3", "a topology with epochs on a disk that is soon full",
        epoch_faults.short_writes, (1, 3), (1, 300), "no-dedup", "duplicate"),
    Bar("every-kth", "R15", "every k-th checkpoint fails; half of the runs are killed too",
        epoch_faults.every_kth, (1, 4), (3, 80), "no-dedup", "duplicate", no_strace),
    Bar("checkpoints", "R5", "one flipped bit of a checkpoint, one cut short, or all damaged",
        checkpoint_damage.damage, (1, 26), (4, 550), checkpoint_damage.NO_CHECKSUM, "served"),
    Bar("damage", "R5", "one flipped bit; 1 of 11: a file cut short", journal_damage.damage,
        (1, 220), (4, 550), "no-checksum", "served"),
    Bar("poison", "R14", "1 % of the records do not fit", poison_records.poison,
        (1, 20_000), (1, 1_000_000), poison_records.SMALL_BOUND, "lost-letter"),
    Bar("allocations", "R6", "an allocation fails, once or for ever; 1 of 5: little address space",
        allocations.allocations, (1, 6), (2, 300), "no-dedup", "duplicate", allocations.missing),
    Bar("clocks", "R11", "the wall clock is wrong, or jumps by hours and decades",
        wrong_clocks.clocks, (1, 4), (4, 60), wrong_clocks.BY_CLOCK, "clock-bound",
        wrong_clocks.missing),
    Bar("slow-sink", "R12", "a source ten times as fast as the sink for so many seconds, in 512 MB",
        slow_sinks.slow_sinks, (1, 2), (1, 180), slow_sinks.LITTLE, "memory"),
    Bar("stuck-sink", "R13", "a sink that takes nothing more, 50 page clients that never read",
        stuck_sinks.stuck_sinks, (1, 2), (5, 20), stuck_sinks.NEVER_STUCK, "unnamed"),
    Bar("stalls", "-", "the longest gap that a consumer sees at half of capacity (a figure)",
        stalls.stalls, (1, 2), (1, 60), stalls.NO_EPOCHS, "unmeasured"),
]
SHOWN = 5  # anomalies of a row


@dataclasses.dataclass
class Row:
    bar: Bar
    seeds: range
    count: int
    unsafe: str = ""
    cases: int = 0
    seconds: float = 0
    bad_seed: int = 0

    def __post_init__(self):
        self.anomalies = []
        self.restarts_s = []

    def run(self):
        started = time.monotonic()
        for seed in self.seeds:
            cases, anomalies, restarts_s = self.bar.run(seed, self.count, self.unsafe)
            self.cases += cases
            self.restarts_s += restarts_s
            self.anomalies += anomalies
            if anomalies:
                self.bad_seed = seed
                break
        self.seconds = time.monotonic() - started
        return self

    def passed(self):
        if self.unsafe == self.bar.canary:
            return any(f"{self.bar.sign}: " in one for one in self.anomalies)
        return not self.anomalies

    def restart(self):
        """The 99th percentile of what the bar times: mostly from a start to its first record."""
        if not self.restarts_s or self.unsafe:
            return "-"
        times = sorted(self.restarts_s)
        return f"{times[math.ceil(len(times) * 0.99) - 1] * 1000:.0f} ms"

    def repeats(self):
        seed = self.bad_seed or self.seeds[0]
        unsafe = f" --unsafe {self.unsafe}" if self.unsafe else ""
        return f"tests/rig/rig.py {self.bar.name} --seed {seed} --count {self.count}{unsafe}"

    def cells(self):
        what = f"{self.bar.what}, `--unsafe {self.unsafe}`" if self.unsafe else self.bar.what
        good = "caught" if self.unsafe == self.bar.canary else "passed"
        verdict = good if self.passed() else "FAILED"
        seeds = f"{self.seeds[0]} to {self.seeds[-1]}" if len(self.seeds) > 1 else self.seeds[0]
        return (self.bar.promise, what, seeds, self.cases, len(self.anomalies), self.restart(),
                f"{self.seconds:.0f} s", verdict, f"`{self.repeats()}`")


HEAD = ("bar", "what", "seeds", "cases", "anomalies", "time p99", "took", "verdict", "again")


def show(cells):
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def run_row(row):
    row.run()
    show(row.cells())
    if not row.passed():
        for anomaly in row.anomalies[:SHOWN]:
            print(f"  {anomaly}", file=sys.stderr)
    return row.passed()


def run_all(bars, full):
    """Every bar, then its canary with few cases: one anomaly is enough."""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    show(HEAD)
    show(["---"] * len(HEAD))
    for bar in bars:
        why = bar.missing()
        if why:
            counts["skipped"] += 1
            show((bar.promise, bar.what, "-", 0, 0, "-", "-", f"skipped: {why}", "-"))
            continue
        seeds, count = bar.full if full else bar.quick
        for row in (Row(bar, range(1, seeds + 1), count),
                    Row(bar, range(1, 4), bar.quick[1], bar.canary)):
            counts["passed" if run_row(row) else "failed"] += 1
    print(", ".join(f"{count} {name}" for name, count in counts.items()))
    return counts["failed"] == 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__.removeprefix("Usage: "))
    parser.add_argument("bars", nargs="*", metavar="BAR", choices=[[], *(b.name for b in BARS)])
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--count", type=int)
    parser.add_argument("--unsafe", default="")
    given = parser.parse_args()
    bars = [bar for bar in BARS if not given.bars or bar.name in given.bars]
    if given.seed is None:
        return run_all(bars, given.full)
    good = True
    show(HEAD)
    for bar in bars:
        count = given.count or bar.quick[1]
        good &= run_row(Row(bar, range(given.seed, given.seed + 1), count, given.unsafe))
    return good


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
