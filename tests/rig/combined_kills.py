# R1, R2 and R10 of what combines records: joins, tables, patterns and calls, all of them open.
"""The records of topology_kills.py, in one journal; the oracle computes in closed form

- `pairs`: each record with those of its key that are at most a second later,
- `newest`: each record with the newest positive one of its key that is not later,
- `table`: the changes of the newest record of each key,
- `matches`: each record above 500 with the next one of its key below -500, within five seconds,
- `calls`: each record with the answer of a command that is asked about it,

by event time, ties by place in the input. Killed at random, at another parallelism each time, and
at each system call; rescaled.
"""
import bisect
import collections
import json

from call_faults import visit
from epoch_faults import KILLS, Runs
from topology_kills import Topology, Truth, kills_of, text_of
from topology_rescales import rescales_of

WITHIN_MS = 1000
MATCHED_MS = 5000

COMBINED = """\
  - {{id: positive, type: filter, with: {{where: v > 0}}}}
  - {{id: joined, type: join, with: {{left: in, after: 1s}}}}
  - {{id: valid, type: as_of, with: {{left: in, kind: left}}}}
  - {{id: rows, type: table}}
  - id: matched
    type: match
    with:
      stages:
        - {{begin: up, where: v > 500}}
        - {{followed_by: down, where: v < -500}}
      within: 5s
      values: {{up: up.n, down: down.n}}
"""
TO_COMBINED = """\
  - {{from: in, to: positive}}
  - {{from: in, to: joined, grouping: {{type: fields, args: [k]}}}}
  - {{from: in, to: joined, grouping: {{type: fields, args: [k]}}}}
  - {{from: in, to: valid, grouping: {{type: fields, args: [k]}}}}
  - {{from: positive, to: valid, grouping: {{type: fields, args: [k]}}}}
  - {{from: in, to: rows, grouping: {{type: fields, args: [k]}}}}
  - {{from: in, to: matched, grouping: {{type: fields, args: [k]}}}}
  - {{from: matched, to: matches}}
  - {{from: joined, to: pairs}}
  - {{from: valid, to: newest}}
  - {{from: rows, to: table}}
"""
CALL = """\
  - id: asked
    type: call
    with:
      exec: >-
        sed -u -E 's/.*"v":(-?[0-9]+).*/{{"echo": \\1}}/'
      fields: {{echo: int}}
      time_out: 60s
"""
TO_CALL = """\
  - {{from: in, to: asked}}
  - {{from: asked, to: calls}}
"""


class CombinedTruth(Truth):
    """What was sent, and all that may come of it. A pair leaves when both are there and an answer
    when it has come, so that their order within a key is nobody's promise."""

    records = 20_000
    unordered = ("pairs", "matches", "calls")

    def __init__(self, seed, records=None):
        super().__init__(seed, records)
        rows = collections.defaultdict(list)
        for record in map(json.loads, self.lines):
            rows[record["k"]].append((record["at"], record["n"], record["v"]))
        self.pairs, self.newest, self.table, self.matches, self.calls = {}, {}, {}, {}, {}
        for key, of_key in rows.items():
            of_key.sort()
            times = [at for at, _, _ in of_key]
            self.pairs[key] = [(n, other) for at, n, _ in of_key for _, other, _ in
                               of_key[bisect.bisect_left(times, at):
                                      bisect.bisect_right(times, at + WITHIN_MS)]]
            positive = [(at, n) for at, n, v in of_key if v > 0]
            self.newest[key] = [(n, self.last_until(positive, at)) for at, n, _ in of_key]
            changes = [("+I", of_key[0][1])]
            for (_, before, _), (_, n, _) in zip(of_key, of_key[1:]):
                changes += [("-U", before), ("+U", n)]
            self.table[key] = changes
            self.matches[key] = list(self.falls(of_key))
            self.calls[key] = [(n, v) for _, n, v in of_key]

    @staticmethod
    def falls(of_key):
        open_ones = []
        for at, n, v in of_key:
            if v < -500:
                yield from ((up, n) for since, up in open_ones if at - since < MATCHED_MS)
                open_ones = []
            elif v > 500:
                open_ones.append((at, n))

    @staticmethod
    def last_until(positive, at):
        place = bisect.bisect_right(positive, (at, float("inf")))
        return positive[place - 1][1] if place else None

    @staticmethod
    def update_of(output, record):
        if output == "table":
            return record["change"], record["n"]
        if output == "matches":
            return record["up"], record["down"]
        return record["n"], record["echo"] if output == "calls" else record.get("right_n")

    def expected(self, output):
        return getattr(self, output)


class CombinedTopology(Topology):
    text = text_of("combined", COMBINED + CALL, TO_COMBINED + TO_CALL)
    outputs_of = {"pairs": "shared", "newest": "shared", "table": "own", "matches": "own",
                  "calls": "shared"}
    rescaled = ("joined", "valid", "rows", "matched")


class CombinedRuns(Runs):
    records = 1000  # each is asked about, and strace stops the one who answers, too
    truth_type = CombinedTruth
    topology_type = CombinedTopology


def kills(seed, count, unsafe=""):
    return kills_of(CombinedTruth, CombinedTopology, seed, count, unsafe)


def rescales(seed, count, unsafe=""):
    return rescales_of(CombinedTruth, CombinedTopology, seed, count, unsafe)


def call_kills(seed, count, unsafe=""):
    return visit(CombinedRuns, seed, count, KILLS, unsafe, Runs.killed)
