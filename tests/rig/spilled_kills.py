# R1, R2, R3 and R10 of keyed state that lies on disk: aggregates, joins, tables and patterns.
"""The verbs and the oracle of topology_kills.py and combined_kills.py, of so many keys in so little
memory that most of them lie on disk. Killed at random, at each system call, the calls for the files
of rows on disk among them, or one of these calls fails; rescaled. A run whose rows are not on disk
proves nothing, so it is an anomaly: "unspilled".
"""
import functools
import pathlib
import shutil

from call_faults import visit
from combined_kills import COMBINED, TO_COMBINED, CombinedTruth
from epoch_faults import ANYWHERE, CALLS, ERRORS, KILLS, Runs
from topology_kills import AGGREGATES, TO_AGGREGATES, Topology, Truth, kills_of, text_of
from topology_rescales import rescales_of

KEYS = 20_000
LOOKED_UP = ("running", "joined", "valid", "rows", "matched")  # components that bring rows back
KEPT = ("running", "valid", "rows")  # those of which most rows stay on disk to the end
ROWS_NAME = "millrace-rows-"  # files of rows on disk, in the list of what a process has mapped
ROW_CALLS = ("fallocate", "mkdir", "unlink")  # by which they are made


class SpilledTruth(CombinedTruth):
    """A few keys come often, most of them now and then."""

    records = 60_000
    step_ms = 1

    @staticmethod
    def key_of(chance):
        return int(KEYS * chance.random() ** 2)

    @staticmethod
    def update_of(output, record):
        of = Truth if output in ("sums", "windows") else CombinedTruth
        return of.update_of(output, record)


class SpilledTopology(Topology):
    text = text_of("spilled", AGGREGATES + COMBINED, TO_AGGREGATES + TO_COMBINED)
    outputs_of = {"sums": "shared", "windows": "own", "pairs": "shared", "newest": "shared",
                  "table": "own", "matches": "own"}
    rescaled = (*LOOKED_UP, "windowed")
    speeds = (30, 100)
    rescaled_speeds = (10, 20, 40)

    def __init__(self, *words, seen=None):
        """`seen`: a list, to which each one that is killed adds whether it had rows on disk."""
        super().__init__(*words)
        self.seen = [] if seen is None else seen
        self.spill = self.folder / "spill"

    def command(self, parallelism, speed=0, *words):
        return super().command(parallelism, speed, "--state", "disk", "--memory", "16M",
                               "--spill-dir", self.spill, *words)

    def begin_anew(self):
        super().begin_anew()
        shutil.rmtree(self.spill, ignore_errors=True)

    def look(self, process):
        try:
            maps = pathlib.Path(f"/proc/{process.pid}/maps").read_text()
        except OSError:  # it has ended meanwhile
            return
        self.seen.append(ROWS_NAME in maps)

    def ended(self, summary):
        kept = KEPT if summary else ()
        return [f"unspilled: all rows of {name} are in memory" for name in kept
                if not summary["components"][name].get("spilled", {}).get("keys")] + self.left()

    def left(self):
        """An empty one may stay behind who was killed between its making and its unlinking."""
        return [f"leftover: {path}" for path in self.spill.rglob("*")
                if path.is_file() and path.stat().st_size > 0]


class SpilledRuns(Runs):
    records = 15_000
    speed = 0  # as fast as it can
    calls = (*CALLS, "fallocate")
    again = (*Runs.again, *((ANYWHERE, call) for call in ROW_CALLS))
    truth_type = SpilledTruth
    topology_type = SpilledTopology

    def undisturbed(self, summary):
        figures = {name: summary["components"][name].get("spilled", {}) for name in LOOKED_UP}
        half = len(self.truth.sums) / 2
        self.unspilled = [f"unspilled: {name}: {told}" for name, told in figures.items()
                          if not told.get("misses") or name in KEPT and told["keys"] < half]

    def groups_of(self, call, path):
        """The files of rows have names that are made up, so that no call can be told by them."""
        named = () if ROWS_NAME in path else super().groups_of(call, path)
        return (*named, ANYWHERE) if call in ROW_CALLS else named

    def finish(self):
        return self.unspilled + super().finish() + self.topology.left()


def kills(seed, count, unsafe=""):
    seen = []
    topology_type = functools.partial(SpilledTopology, seen=seen)
    done, wrong, times_s = kills_of(SpilledTruth, topology_type, seed, count, unsafe)
    if not wrong and not any(seen):
        wrong.append(f"unspilled: none of {len(seen)} that were killed had rows on disk")
    return done, wrong, times_s


def rescales(seed, count, unsafe=""):
    return rescales_of(SpilledTruth, SpilledTopology, seed, count, unsafe)


def call_kills(seed, count, unsafe=""):
    return visit(SpilledRuns, seed, count, KILLS, unsafe, SpilledRuns.killed)


def call_errors(seed, count, unsafe=""):
    return visit(SpilledRuns, seed, count, ERRORS, unsafe, SpilledRuns.failed)
