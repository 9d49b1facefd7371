# R11: the machine's clock is wrong, or jumps while the program runs; event time does not care.
"""libfaketime sets the wall clock of the program alone, before it starts and also while it runs.

The oracle's topology lives under a clock after the other, and is killed or stopped in between: what
it computes by event time must be what it is under the right clock. Then a topology whose windows
are cut by the clock runs while that jumps by hours and decades: it must work no more than before,
and show the times it was told, or the clock never reached it.
"""
import contextlib
import glob
import json
import os
import pathlib
import random
import signal
import subprocess
import tempfile
import time

from epoch_faults import INTERVAL, RECORDS, SPEED, summary_of
from journal_oracle import BIN, PATIENCE_S
from topology_kills import Topology, Truth

LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"
RIGHT = "+0"
CLOCKS = (RIGHT, "+1h", "-1h", "+1d", "-57y", "+12y")  # of 2026: 1969, and behind 2038-01-19
DECADES = ("-57y", "+12y")
BY_CLOCK = "by-clock"  # of --unsafe
DRAINED_S = 5
BUSY_SHARE = 0.6  # of a processor; in fact it is below 0.1
EPOCH_MS = 100
TOPOLOGY = """
name: clocked
spouts:
  - id: in
    type: lines
    with: {{exec: "while :; do echo a; echo b; sleep 0.02; done", field: k, ingestion_time: true}}
bolts:
  - {{id: cut, type: count, with: {{window: tumbling(1s).by_clock(), as: n}}}}
  - {{id: early, type: count, with: {{window: tumbling(1s).early(every(100ms).by_clock()), as: n}}}}
  - {{id: session, type: count, with: {{window: session(300ms), as: n}}}}
  - {{id: cuts, type: log, with: {{path: {folder}/cuts.jsonl}}}}
  - {{id: earlies, type: log, with: {{path: {folder}/earlies.jsonl}}}}
  - {{id: sessions, type: log, with: {{path: {folder}/sessions.jsonl}}}}
streams:
  - {{from: in, to: cut, grouping: {{type: fields, args: [k]}}}}
  - {{from: in, to: early, grouping: {{type: fields, args: [k]}}}}
  - {{from: in, to: session, grouping: {{type: fields, args: [k]}}}}
  - {{from: cut, to: cuts}}
  - {{from: early, to: earlies}}
  - {{from: session, to: sessions}}
"""


def missing():
    return "" if glob.glob(LIBRARY) else "libfaketime is not installed"


class Clock:
    """What the programs that get `environment()` take for the time."""

    def __init__(self, folder):
        self.file = pathlib.Path(folder) / "clock"
        self.set(RIGHT)

    def set(self, offset):
        aside = self.file.with_suffix(".new")
        aside.write_text(offset)
        aside.rename(self.file)

    def environment(self):
        # Clocks that only count from some start are right on a machine whose wall clock is wrong.
        return {**os.environ, "LD_PRELOAD": glob.glob(LIBRARY)[0], "FAKETIME_NO_CACHE": "1",
                "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}


def life(topology, clock, chance):
    """One life, killed or stopped, under one clock or many; what was wrong with it."""
    clock.set(chance.choice(CLOCKS))
    process = subprocess.Popen(topology.command(chance.choice((1, 2)), SPEED),
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, env=clock.environment())
    end = time.monotonic() + 0.1 + 0.3 * chance.random()
    jumps = chance.random() < 0.7
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
        if jumps:
            clock.set(chance.choice(CLOCKS))
    stops = chance.choice((signal.SIGTERM, signal.SIGKILL))
    process.send_signal(stops)
    said = process.communicate(timeout=PATIENCE_S)[1].decode()
    if process.returncode in (0, -stops):  # SIGTERM ends at once what does not run yet
        return []
    return [f"it ended with {process.returncode}: {said}"]


def lives(folder, chance, count):
    """`count` lives over one input, and one more that ends; what was wrong."""
    truth = Truth(chance.randrange(1 << 30), RECORDS)
    topology = Topology(folder, truth, INTERVAL, "")
    clock = Clock(folder)
    for turn in range(count):
        wrong = life(topology, clock, chance) + topology.anomalies(truth)
        if wrong:
            return [f"life {turn + 1}: {one}" for one in wrong]
    clock.set(chance.choice(CLOCKS[1:]))
    done = subprocess.run(topology.command(1), capture_output=True, check=False,
                          timeout=PATIENCE_S, stdin=subprocess.DEVNULL, env=clock.environment())
    if done.returncode:
        return [f"the last run ended with {done.returncode}: {done.stderr.decode()}"]
    return topology.anomalies(truth, complete=True)


def run_by_clock(folder, chance, hops, step_s=0.25):
    """A topology that looks at the clock, while that jumps: what was wrong."""
    folder = pathlib.Path(folder)
    clock = Clock(folder)
    (folder / "clocked.yaml").write_text(TOPOLOGY.format(folder=folder))
    process = subprocess.Popen(
        [BIN / "millrace", "run", folder / "clocked.yaml", "--headless", "--json", "--state-dir",
         folder / "clocked", "--checkpoint-interval", f"{EPOCH_MS}ms"], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clock.environment())
    for hop in range(hops):
        time.sleep(step_s)
        clock.set(DECADES[0] if hop == 0 else chance.choice(CLOCKS))
    clock.set(DECADES[1])
    time.sleep(2)  # two of its windows end
    asked = time.monotonic()
    process.terminate()
    out, said = process.communicate(timeout=PATIENCE_S)
    took_s = time.monotonic() - asked
    if process.returncode:
        return [f"it ended with {process.returncode}: {said.decode()}"]
    if took_s > DRAINED_S:
        return [f"slow: it drained for {took_s:.1f} s"]
    return storms(summary_of(out))


def storms(summary):
    """Timers that fired again and again."""
    uptime_ms = summary["uptime_ms"]
    found = []
    if summary["cpu_ms"] > uptime_ms * BUSY_SHARE:
        found.append(f"storm: {summary['cpu_ms']} ms of a processor in {uptime_ms} ms")
    epochs = summary["checkpoints"]["completed"]
    if not uptime_ms / EPOCH_MS / 4 < epochs <= uptime_ms / EPOCH_MS + 2:
        found.append(f"storm: {epochs} epochs in {uptime_ms} ms")
    rows = summary["components"]["early"]["emitted"]
    if rows > 4 * uptime_ms / 100:
        found.append(f"storm: {rows} early rows in {uptime_ms} ms")
    return found


def years_shown(folder):
    lines = (pathlib.Path(folder) / "cuts.jsonl").read_text().splitlines()
    return {json.loads(line)["window_start"][:4] for line in lines}


def clocks(seed, count, unsafe=""):
    """`count` lives of the oracle's topology, and as many jumps of the other one's clock."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="millrace-rig-") as folder:
        wrong = [] if unsafe else lives(folder, chance, count)
        wrong += run_by_clock(folder, chance, count)
        years = years_shown(folder)
        now = time.gmtime().tm_year
        if str(now + 12) not in years:
            wrong.append(f"unfaked: a clock of {now + 12} was set, and windows are of {years}")
        if unsafe == BY_CLOCK:  # judged as what does not depend on the clock
            wrong += [f"clock-bound: a window of {year}" for year in years - {str(now)}]
        return count, wrong, []
