# `millrace ask`: tables of a running topology, under load, behind a kill, and what is refused.
import json
import threading
import time
import unittest
import urllib.parse

from harness import PATIENCE_S, CliTest

USERS = """
name: users
spouts:
  - id: users
    type: json_lines
    with:
      path: "%s"
      follow: true
      fields: {id: int, name: text, city: text, at: timestamp, left: bool}
      event_time: {field: at}
bolts:
  - {id: newest, type: table, with: {deleted: left}}
  - {id: users by id, type: serve_table, with: {key: [id]}}
  - {id: sums, type: sum, with: {of: id}}
  - {id: sum of city, type: serve_table}
  - {id: minutes, type: count, with: {window: tumbling(1min)}}
  - {id: per minute, type: serve_table, with: {keep: 10min}}
streams:
  - {from: users, to: newest, grouping: {type: fields, args: [id]}}
  - {from: newest, to: users by id}
  - {from: users, to: sums, grouping: {type: fields, args: [city, name]}}
  - {from: sums, to: sum of city}
  - {from: users, to: minutes, grouping: {type: fields, args: [city]}}
  - {from: minutes, to: per minute}
"""

LOAD = """
name: load
spouts:
  - id: numbers
    type: generate
    with: {fields: {key: modulo(1000), number: index()}}
bolts:
  - {id: counts, type: count}
  - {id: counted, type: serve_table}
streams:
  - {from: numbers, to: counts, grouping: {type: fields, args: [key]}}
  - {from: counts, to: counted}
"""


def user(number, name, city, minute, left=False):
    return json.dumps({"id": number, "name": name, "city": city, "left": left,
                       "at": f"2024-01-01T10:{minute:02}:00Z"}) + "\n"


FIRST = (user(1, "Ann", "Rome", 0) + user(2, "Bob", "Oslo", 0) + user(3, "Cid", "Rome", 1)
         + user(2, "Bob", "Rome", 2) + user(3, "Cid", "Rome", 3, True) + user(9, "End", "End", 5))
ANN = {"id": 1, "name": "Ann", "city": "Rome", "at": "2024-01-01T10:00:00Z", "left": False}
BOB = {"id": 2, "name": "Bob", "city": "Rome", "at": "2024-01-01T10:02:00Z", "left": False}


class Ask(CliTest):
    def setUp(self):
        super().setUp()
        self.users = self.file("users.jsonl", FIRST)
        self.topology = self.file("users.yaml", USERS % self.users)

    def run_topology(self, file, *flags):
        process = self.start("millrace", "run", file, "--ui", "127.0.0.1:0", *flags)
        self.find_page(process)
        return process

    def rows(self, *words):
        out, _ = self.run_program("millrace", "ask", self.address, *words)
        return [json.loads(line) for line in out.splitlines()]

    def table_when(self, name, pleases):
        give_up = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up:
            status, answer = self.ask("GET", "/api/v1/tables/" + urllib.parse.quote(name))
            if status == 200 and pleases(answer):
                return answer
            time.sleep(0.02)
        self.fail(f"no answer of {name} pleased")

    def all_read(self):
        self.table_when("sum of city", lambda answer: len(answer["rows"]) == 5)
        self.table_when("users by id", lambda answer: answer["rows"] == [ANN, BOB])

    def test_each_question_has_its_rows(self):
        process = self.run_topology(self.topology, "--parallelism", "3")
        self.all_read()
        self.assertEqual(self.rows("users by id", "--key", "2", "--key", "7"), [BOB])
        self.assertEqual(self.rows("users by id", "--from", "1", "--until", "2"), [ANN])
        self.assertEqual(self.rows("sum of city", "--key", '["Rome", "Cid"]'),
                         [{"city": "Rome", "name": "Cid", "sum": 6}])
        romans = [{"city": "Rome", "name": name, "sum": number}
                  for name, number in (("Ann", 1), ("Bob", 2), ("Cid", 6))]
        self.assertEqual(self.rows("sum of city", "--key", '["Rome"]'), romans)
        self.assertEqual(self.rows("sum of city", "--prefix", '["Ro"]', "--limit", "2"),
                         romans[:2])
        # The window of the last record is open.
        self.assertEqual(
            self.rows("per minute", "--key", "Rome", "--windows-from", "2024-01-01T10:01:00Z",
                      "--windows-until", "2024-01-01T10:03:00Z"),
            [{"city": "Rome", "count": 1, "window_start": f"2024-01-01T10:0{minute}:00Z",
              "window_end": f"2024-01-01T10:0{minute + 1}:00Z"} for minute in (1, 2)])
        tables = self.rows()
        self.assertEqual([(table["name"], table["rows"], table["key"]) for table in tables],
                         [("users by id", 2, ["id"]), ("sum of city", 5, ["city", "name"]),
                          ("per minute", 5, ["city"])])
        self.assertEqual(tables[0]["watermark"], "2024-01-01T10:05:00Z")
        self.interrupt(process, 5)

    def test_refusals(self):
        process = self.run_topology(self.topology)
        self.all_read()
        for words, part in ((["users by i"], "did you mean \"users by id\"?"),
                            (["users by id", "--key", "x"], "the field \"id\" of the key is an"),
                            (["users by id", "--prefix", "1"], "only a text has a prefix"),
                            (["users by id", "--windows-from", "2024-01-01"], "have no windows"),
                            (["users by id", "--kay", "1"], "there is no such flag"),
                            (["users by id", "--limit", "x"], "give a number of rows")):
            _, err = self.run_program("millrace", "ask", self.address, *words, code=64)
            self.assert_error(err, 1002, part)
        self.interrupt(process, 5)
        _, err = self.run_program("millrace", "ask", self.address, code=66)
        self.assert_error(err, 4001, self.address)

    def test_a_table_without_a_key_is_refused(self):
        text = self.topology.read_text().replace("with: {key: [id]}", "with: {key: [ib]}")
        _, err = self.run_program("millrace", "validate", self.file("wrong.yaml", text), code=78)
        self.assertIn("did you mean \"id\"?", err)
        text = self.topology.read_text().replace(", with: {key: [id]}", "")
        _, err = self.run_program("millrace", "validate", self.file("none.yaml", text), code=78)
        self.assertIn("serve_table \"users by id\": its rows have no key of their own", err)

    def test_behind_a_kill_it_is_as_it_was_at_the_checkpoint(self):
        flags = ("--state-dir", self.folder / "state", "--checkpoint-interval", "1h")
        process = self.run_topology(self.topology, *flags, "--parallelism", "2")
        self.all_read()
        self.run_program("millrace", "checkpoint", self.address)
        with self.users.open("a") as more:
            more.write(user(5, "Dan", "Kyiv", 6) + user(9, "End", "End", 8))
        names = ("users by id", "sum of city", "per minute")
        self.table_when("per minute", lambda answer: len(answer["rows"]) == 7)
        self.table_when("users by id", lambda answer: len(answer["rows"]) == 4)
        before = [self.rows(name) for name in names]
        process.kill()
        process.wait()
        # What was read before the checkpoint is not read again: it is there from the state, once.
        process = self.run_topology(self.topology, *flags, "--parallelism", "4")
        self.table_when("per minute", lambda answer: len(answer["rows"]) == 7)
        self.table_when("users by id", lambda answer: len(answer["rows"]) == 4)
        self.assertEqual([self.rows(name) for name in names], before)
        report = self.report_when(lambda report: report["records_in"] > 0)
        self.assertEqual(report["records_in"], 2)
        self.run_program("millrace", "rescale", self.address, *(f"{name}=3" for name in names))
        self.table_when("per minute", lambda answer: len(answer["rows"]) == 7)
        self.assertEqual([self.rows(name) for name in names], before)
        self.interrupt(process, 5)

    def test_many_who_ask_hold_nobody_up(self):
        process = self.run_topology(self.file("load.yaml", LOAD), "--parallelism", "2")
        self.table_when("counted", lambda answer: len(answer["rows"]) == 100)
        failures = []
        asked = [0] * 8
        over = threading.Event()

        def ask(number):
            counts = {}
            while not over.is_set():
                key = asked[number] % 1000
                status, answer = self.ask("GET", f"/api/v1/tables/counted?key={key}")
                rows = answer.get("rows", [])
                if status != 200 or len(rows) != 1 or rows[0]["count"] < counts.get(key, 0):
                    failures.append((status, answer, counts.get(key)))
                    return
                counts[key] = rows[0]["count"]
                asked[number] += 1

        before = self.report_when(lambda report: report["records_in"] > 0)["records_in"]
        clients = [threading.Thread(target=ask, args=(number,)) for number in range(len(asked))]
        for client in clients:
            client.start()
        self.report_when(lambda report: report["records_in"] > before + 1000 and sum(asked) > 400)
        over.set()
        for client in clients:
            client.join()
        self.assertEqual(failures, [])
        self.interrupt(process, 10)


if __name__ == "__main__":
    unittest.main()
