# Topologies in YAML: the demo's tables, the mistakes and their messages, properties, the schema.
import csv
import datetime
import gzip
import json
import pathlib
import re
import socket
import threading
import unittest

import harness

DATA = harness.ROOT / "data/wikipedia-edits"
MISTAKES = pathlib.Path(__file__).resolve().parent / "mistakes"

# Beside the example: every expected table of the carried day.
TABLES = """
name: every table
includes: [%s]
bolts:
  - {id: trending csv, type: write_csv, with: {path: "${out}/trending_pages_6h_15m.csv"}}
  - {id: removals csv, type: write_csv, with: {path: "${out}/alerts_big_removal.csv"}}
  - {id: stats, type: aggregate, with: {window: tumbling(5min), values: {edits: count(),
      added: sum(added), deleted: sum(deleted)}}}
  - {id: top channels, type: top, with: {n: 20, by: edits}}
  - {id: channels csv, type: write_csv, with: {path: "${out}/top20_channels_5m.csv"}}
  - {id: pages, type: count, with: {window: tumbling(1h)}}
  - {id: top pages, type: top, with: {n: 10}}
  - {id: pages csv, type: write_csv, with: {path: "${out}/top10_pages_1h.csv"}}
  - {id: totals, type: count, with: {window: global(), as: edits}}
  - {id: totals csv, type: write_csv, with: {path: "${out}/totals_by_channel.csv"}}
  - {id: by kind, type: aggregate, with: {window: "sliding(60min, 5min)", values: {
      people: count(not is_robot and not is_anonymous), robots: sum(is_robot),
      anonymous: count(is_anonymous and not is_robot)}}}
  - {id: kinds csv, type: write_csv, with: {path: "${out}/busiest_wikis_60m_5m.csv"}}
streams:
  - {from: top articles, to: trending csv}
  - {from: alert, to: removals csv}
  - {from: edits, to: stats, grouping: {type: fields, args: [channel]}}
  - {from: stats, to: top channels}
  - {from: top channels, to: channels csv}
  - {from: edits, to: pages, grouping: {type: FIELDS, args: [channel, page]}}
  - {from: pages, to: top pages}
  - {from: top pages, to: pages csv}
  - {from: edits, to: totals, grouping: {type: fields, args: [channel]}}
  - {from: totals, to: totals csv}
  - {from: edits, to: by kind, grouping: {type: fields, args: [channel]}}
  - {from: by kind, to: kinds csv}
"""


def millis(text):
    stamp = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return str(round(stamp.timestamp() * 1000))


def expected(name):
    path = DATA / "expected" / name
    opened = gzip.open(path, "rt") if name.endswith(".gz") else open(path, encoding="utf-8")
    with opened as file:
        return list(csv.DictReader(file))


def found(path):
    """Rows in the columns of the expected files."""
    with open(path, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if "window_start" in row:
            row["window_start_ms"] = millis(row.pop("window_start"))
            del row["window_end"]
        if "time" in row:
            row["ts_ms"] = millis(row.pop("time"))
        if "count" in row:
            row["edits"] = row.pop("count")
    return rows


def by_kind(rows):
    """A row for each kind that there is."""
    return [{"window_start_ms": row["window_start_ms"], "channel": row["channel"], "kind": kind,
             "edits": row[kind]} for row in rows
            for kind in ("people", "anonymous", "robots") if row[kind] != "0"]


class Yaml(harness.CliTest):
    def compare(self, name, rows, ordered):
        wanted = expected(name)
        if not ordered:
            wanted, rows = (sorted(some, key=lambda row: sorted(row.items()))
                            for some in (wanted, rows))
        self.assertGreater(len(wanted), 50)
        self.assertEqual(len(rows), len(wanted), name)
        for row, want in zip(rows, wanted):
            self.assertEqual(row, want, name)

    def test_the_demo_gives_the_same_tables_as_in_cpp(self):
        path = self.file("tables.yaml", TABLES % (harness.ROOT / "examples/trending.yaml"))
        for parallelism in (1, 3):
            with self.subTest(parallelism=parallelism):
                summary, _ = self.summary(
                    "millrace", "run", path, "--parallelism", parallelism,
                    "--property", f"out={self.folder}", cwd=harness.ROOT)
                self.assertEqual(summary["records_in"], 39244)
                self.assertEqual(summary["dead_letters"], 0)
                for name in ("trending_pages_6h_15m.csv", "top20_channels_5m.csv",
                             "top10_pages_1h.csv", "alerts_big_removal.csv"):
                    self.compare(name, found(self.folder / name), True)
                self.compare("totals_by_channel.csv", found(self.folder / "totals_by_channel.csv"),
                             False)
                self.compare("busiest_wikis_60m_5m.csv.gz",
                             by_kind(found(self.folder / "busiest_wikis_60m_5m.csv")), False)

    def test_each_mistake_has_its_message(self):
        files = sorted(MISTAKES.glob("*.yaml"))
        self.assertGreaterEqual(len(files), 40)
        for path in files:
            with self.subTest(path.name):
                _, err = self.run_program("millrace", "validate", path.name, code=78, cwd=MISTAKES)
                wanted = path.with_suffix(".txt").read_text(encoding="utf-8")
                self.assertEqual(err, wanted)
                self.assertRegex(wanted, rf"(?m)^{path.name}:\d+:\d+: error: ")
                _, err = self.run_program("millrace", "run", path.name, "--headless", code=78,
                                          cwd=MISTAKES)
                self.assertEqual(err, wanted)

    RUNNING = """
name: ${name:-orders}
spouts:
  - {id: orders, type: csv, with: {path: "${orders}", fields: {customer: text, amount: int,
      price: double or null, paid: bool, note: text or null}}}
bolts:
  - {id: kept, type: filter, with: {where: "%s"}}
  - {id: out, type: print}
streams:
  - {from: orders, to: kept}
  - {from: kept, to: out}
"""
    ORDERS = """customer,amount,price,paid,note
ann,5,1.5,true,first
bob,-7,,false,
"c,c",9223372036854775807,-0.0,yes,"a ""quote\"\"\"
dan,5,nan,no,x
"""

    def customers(self, where):
        path = self.file("run.yaml", self.RUNNING % where)
        orders = self.file("orders.csv", self.ORDERS)
        out, _ = self.run_program("millrace", "run", path, "--property", f"orders={orders}",
                                  "--headless")
        rows = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        return "".join(row["customer"][0] for row in rows)

    def test_conditions(self):
        for where, wanted in (
                ("amount = 5", "ad"), ("amount != 5", "bc"), ("amount <> 5 and paid", "c"),
                ("amount >= 5.5", "c"), ("amount < 9223372036854775807.5", "abcd"),
                ("price is null", "b"), ("price is not null and not paid", "d"),
                ("price > 0", "a"), ("not price > 0", "cd"), ("price = price", "ac"),
                ("price > 0 or amount < 0", "ab"), ("note in ('first', 'x')", "ad"),
                ("note not in ('first')", "cd"), ("customer = 'c,c' or paid", "ac"),
                ("(paid or amount < 0) and customer <> 'ann'", "bc"), ("amount > price", "ac"),
                ("note = 'a ''quote'", ""), ("customer > 'b'", "bcd")):
            with self.subTest(where):
                self.assertEqual(self.customers(where), wanted)

    STATISTICS = """
name: statistics
spouts:
  - {id: orders, type: csv, with: {path: "${orders}", fields: {customer: text, amount: int,
      price: double or null, note: text or null}}}
bolts:
  - {id: stats, type: aggregate, with: {window: global(), values: {
      sample: variance(price), all: var_pop(price), off: stddev(amount),
      off_all: stddev_pop(amount), exact: exact_sum(price), middle: median(amount),
      upper: "quantile(amount, 0.75)", notes: distinct_approx(note),
      pairs: "distinct_approx(note, amount)"}}}
  - {id: alone, type: quantile, with: {of: price, share: 1, window: global(), as: dearest}}
  - {id: out, type: print}
  - {id: alone out, type: print}
streams:
  - {from: orders, to: stats, grouping: {type: fields, args: [customer]}}
  - {from: orders, to: alone, grouping: {type: fields, args: [customer]}}
  - {from: stats, to: out}
  - {from: alone, to: alone out}
"""

    def test_statistics(self):
        orders = self.file("orders.csv", "customer,amount,price,note\n"
                           "ann,1,1e16,x\nann,3,1,y\nann,5,-1e16,x\nann,7,,\nbob,2,,\n")
        path = self.file("run.yaml", self.STATISTICS)
        out, _ = self.run_program("millrace", "run", path, "--property", f"orders={orders}",
                                  "--headless")
        rows = {}
        for line in out.splitlines():
            if line.startswith("{"):
                row = json.loads(line)
                rows.setdefault(row["customer"], {}).update(row)
        ann = rows["ann"]
        self.assertEqual(ann["exact"], 1)
        self.assertAlmostEqual(ann["sample"], 1e32, delta=1e18)
        self.assertAlmostEqual(ann["all"], 2e32 / 3, delta=1e18)
        self.assertAlmostEqual(ann["off"], (20 / 3) ** 0.5)
        self.assertAlmostEqual(ann["off_all"], 5 ** 0.5)
        self.assertEqual((ann["middle"], ann["upper"], ann["dearest"]), (3, 5, 1e16))
        self.assertEqual((ann["notes"], ann["pairs"]), (2, 4))
        bob = rows["bob"]
        self.assertEqual((bob["exact"], bob["notes"], bob["middle"]), (0, 0, 2))
        self.assertEqual((bob["sample"], bob["all"], bob["dearest"]), (None, None, None))

    def test_properties_and_the_environment(self):
        text = self.RUNNING.replace("${orders}", "${ENV-ORDERS_FOLDER}/orders.csv") % "paid"
        path = self.file("run.yaml", text)
        self.file("orders.csv", self.ORDERS)
        out, err = self.run_program("millrace", "run", path, "--property", "name=named here",
                                    "--headless", env={"ORDERS_FOLDER": str(self.folder)})
        self.assertIn("named here finished", out + err)
        self.assertIn('{"customer":"ann","amount":5,"price":1.5,"paid":true,"note":"first"}', out)
        _, err = self.run_program("millrace", "validate", path, code=78, env={})
        self.assertIn("the environment has no ORDERS_FOLDER", err)

    def test_a_row_that_does_not_fit_is_a_dead_letter(self):
        path = self.file("run.yaml", self.RUNNING % "paid")
        orders = self.file("orders.csv", self.ORDERS + "eve,many,1,true,\n")
        out, _ = self.run_program("millrace", "run", path, "--property", f"orders={orders}",
                                  "--headless", "--json")
        summary = json.loads(out.splitlines()[-1])
        self.assertEqual(summary["dead_letters"], 1)
        letter = summary["recent_dead_letters"][0]
        self.assertEqual(letter["reason"], 'field "amount": expected an integer, found "many"')
        self.assertEqual(letter["where"], f"{orders}:6")

    SERVED = """
name: served
spouts:
  - {id: in, type: json_lines, with: {connect: "127.0.0.1:%d", fields: {n: int}}}
bolts:
  - {id: some, type: filter, with: {where: n > 1}}
  - {id: out, type: log, with: {connect: "127.0.0.1:%d"}}
streams:
  - {from: in, to: some}
  - {from: some, to: out}
"""

    def test_servers_are_a_source_and_an_end(self):
        taken = []
        with socket.create_server(("127.0.0.1", 0)) as gives, \
                socket.create_server(("127.0.0.1", 0)) as takes:
            def give():
                with gives.accept()[0] as client:
                    client.sendall(b'{"n":1}\n{"n":2}\n{"n":3}\n')

            def take():
                with takes.accept()[0] as client, client.makefile() as lines:
                    taken.extend(lines)

            threads = [threading.Thread(target=work, daemon=True) for work in (give, take)]
            for thread in threads:
                thread.start()
            ports = (gives.getsockname()[1], takes.getsockname()[1])
            self.run_program("millrace", "run", self.file("served.yaml", self.SERVED % ports),
                             "--headless")
            for thread in threads:
                thread.join(60)
        self.assertEqual(taken, ['{"n":2}\n', '{"n":3}\n'])

    def test_what_cannot_be_read(self):
        _, err = self.run_program("millrace", "validate", "nowhere.yaml", code=66)
        self.assertIn("nowhere.yaml", err)
        _, err = self.run_program("millrace", "validate", code=64)
        self.assertIn("needs files", err)
        _, err = self.run_program("millrace", "run", "--headless", code=64)
        self.assertIn("needs one file", err)

    def test_the_published_schema_is_that_of_the_program(self):
        out, _ = self.run_program("millrace", "schema")
        published = harness.ROOT / "docs/formats/topology.schema.json"
        self.assertEqual(json.loads(out), json.loads(published.read_text(encoding="utf-8")))
        try:
            import jsonschema
        except ImportError:
            return
        import yaml
        schema = json.loads(out)
        texts = [(harness.ROOT / "examples/trending.yaml").read_text(encoding="utf-8")]
        for path in sorted((harness.ROOT / "tests/text").glob("yaml_*.test")):
            cases = path.read_text(encoding="utf-8")
            texts += re.findall(r"(?ms)^--- topology[^\n]*\n(.*?)^--- ", cases)
        self.assertGreater(len(texts), 20)
        for text in texts:
            jsonschema.validate(yaml.safe_load(text), schema)
        for name in ("two-sources-in-one", "over-unknown", "trend-unknown-parameter"):
            wrong = yaml.safe_load((MISTAKES / f"{name}.yaml").read_text(encoding="utf-8"))
            with self.assertRaises(jsonschema.ValidationError):
                jsonschema.validate(wrong, schema)


if __name__ == "__main__":
    unittest.main()
