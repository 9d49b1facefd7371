# The sketches beside those of Apache DataSketches, over the same values.
"""Needs the package datasketches and MILLRACE_BIN, the folder of the program."""
import json
import math
import os
import pathlib
import random
import subprocess
import tempfile
import unittest

import datasketches

MILLRACE = pathlib.Path(os.environ["MILLRACE_BIN"]) / "millrace"
SHARES = (0, 0.01, 0.25, 0.5, 0.75, 0.99, 1)
# Four standard errors: of thirty comparisons one in five hundred runs would miss it, and the values
# are drawn from one seed, so that they never do or always.
DISTINCT_BOUND = 4 * 0.0163
RANK_BOUND = 0.0165  # DataSketches' own for k = 200, two-sided, 99 %; ours is 0.01

TOPOLOGY = """
name: sketches
spouts:
  - id: in
    type: csv
    with: {path: in.csv, fields: {stream: text, n: int, x: double}}
bolts:
  - id: sketch
    type: aggregate
    with:
      window: global()
      values:
        kinds: distinct_approx(n)
%s
  - {id: out, type: print}
streams:
  - {from: in, to: sketch, grouping: {type: fields, args: [stream]}}
  - {from: sketch, to: out}
""" % "\n".join(f'        q{i}: "quantile(x, {share})"' for i, share in enumerate(SHARES))


def drawn():
    """Streams of (n, x): few values and many, even and skewed, ascending and with a long tail."""
    rng = random.Random(20240229)
    streams = {"small": [(i % 50, float(i)) for i in range(300)],
               "ascending": [(i, float(i)) for i in range(200_000)],
               "even": [(rng.randrange(1 << 40), rng.random()) for _ in range(100_000)],
               "skewed": [(int(rng.paretovariate(0.7)) % (1 << 50), rng.gauss(0, 1))
                          for _ in range(100_000)],
               "tailed": [(rng.randrange(5_000), rng.lognormvariate(0, 3)) for _ in range(100_000)]}
    return streams


class Sketches(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.streams = drawn()
        rows = [f"{name},{n},{x!r}" for name, values in cls.streams.items() for n, x in values]
        random.Random(7).shuffle(rows)
        with tempfile.TemporaryDirectory() as folder:
            where = pathlib.Path(folder)
            (where / "in.csv").write_text("stream,n,x\n" + "\n".join(rows) + "\n")
            (where / "sketches.yaml").write_text(TOPOLOGY)
            done = subprocess.run([MILLRACE, "run", "sketches.yaml", "--parallelism", "2",
                                   "--executors", "2"], cwd=where, capture_output=True, check=True,
                                  timeout=300, stdin=subprocess.DEVNULL)
        cls.rows = {row["stream"]: row for row in
                    map(json.loads, done.stdout.decode().splitlines())}

    def test_every_stream_is_there(self):
        self.assertEqual(set(self.rows), set(self.streams))

    def test_distinct(self):
        for name, values in self.streams.items():
            with self.subTest(name):
                theirs = datasketches.hll_sketch(12, datasketches.tgt_hll_type.HLL_8)
                for n, _ in values:
                    theirs.update(n)
                truth = len({n for n, _ in values})
                ours = self.rows[name]["kinds"]
                self.assertLessEqual(abs(ours - truth), DISTINCT_BOUND * truth)
                self.assertLessEqual(abs(theirs.get_estimate() - truth), DISTINCT_BOUND * truth)
                self.assertLessEqual(abs(ours - theirs.get_estimate()),
                                     math.sqrt(2) * DISTINCT_BOUND * truth)

    def test_quantiles(self):
        for name, values in self.streams.items():
            theirs = datasketches.kll_doubles_sketch(200)
            for _, x in values:
                theirs.update(x)
            ordered = sorted(x for _, x in values)
            for i, share in enumerate(SHARES):
                with self.subTest(name, share=share):
                    ours = self.rows[name][f"q{i}"]
                    self.assertIn(ours, ordered)
                    for value in (ours, theirs.get_quantile(share)):
                        rank = sum(x <= value for x in ordered) / len(ordered)
                        self.assertLessEqual(abs(rank - share), RANK_BOUND)
                    # What the other one says of the rank of our value.
                    self.assertLessEqual(abs(theirs.get_rank(ours, True) - share), 2 * RANK_BOUND)
            self.assertEqual(self.rows[name]["q0"], ordered[0])
            self.assertEqual(self.rows[name][f"q{len(SHARES) - 1}"], ordered[-1])


if __name__ == "__main__":
    unittest.main()
