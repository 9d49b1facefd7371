# Dead letters over REST: listed, shown, and replayed to a source while the topology runs.
import fcntl
import threading
import time
import unittest
import urllib.parse

from harness import CliTest, PATIENCE_S

LETTERS = "/api/v1/dead-letters"
MINE = {"X-Millrace": "1"}


class DeadLettersOverRest(CliTest):
    def setUp(self):
        super().setUp()
        self.letters = self.folder / "letters"
        self.journal = self.folder / "journal"
        self.target = f"journal:{self.journal}/orders"

    def lines(self, *lines):
        path = self.file("lines", "".join(line + "\n" for line in lines))
        self.run_program("millrace", "journal", "produce", self.journal, "orders", path)

    def topology(self):
        return self.file("t.yaml", f"""
name: my orders
config:
  topology.dead_letters: {self.letters}
  topology.dead_letters_to: "{self.target}"
spouts:
  - {{id: orders, type: journal, with: {{folder: {self.journal}, topic: orders,
      fields: {{id: int, amount: int}}}}}}
bolts:
  - {{id: out, type: print}}
streams:
  - {{from: orders, to: out}}
""")

    def run_topology(self, *flags):
        self.process = self.start("millrace", "run", self.topology(), "--ui", "127.0.0.1:0", *flags)
        self.find_page(self.process)
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def list(self):
        status, body = self.ask("GET", LETTERS)
        self.assertEqual(status, 200)
        return body

    def list_when(self, pleases):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            found = self.list()
            if pleases(found):
                return found
            time.sleep(0.02)
        self.fail(f"no list pleased: {found}")

    def replay(self, expected=202, **which):
        query = urllib.parse.urlencode(which)
        status, body = self.ask("POST", f"{LETTERS}/replay?{query}", MINE)
        self.assertEqual(status, expected, body)
        return body

    def replayed(self, **which):
        number = self.replay(**which)["number"]
        return self.list_when(lambda found: found["over"] == number)

    def counts(self):
        return {one["reason"]: (one["letters"], one["not_replayed"])
                for one in self.list()["reasons"]}

    def test_they_are_listed_shown_and_replayed_once(self):
        bad = '{"id":1,"amount":"12x"}'
        self.lines('{"id":0,"amount":5}', bad, "no JSON", '{"id":2,"amount":"13x"}')
        self.run_topology()
        found = self.list_when(lambda found: found["read"] == 3)
        self.assertEqual((found["folder"], found["to"], found["older"], found["error"]),
                         (str(self.letters), self.target, 0, ""))
        self.assertEqual(sorted(one["letters"] for one in found["reasons"]), [1, 2])
        self.assertEqual([one["offset"] for one in found["newest"]], [2, 1, 0])
        status, one = self.ask("GET", f"{LETTERS}/0")
        self.assertEqual((status, one["record"], one["replayed"], one["component"]),
                         (200, bad, False, "orders"))
        self.assertEqual(self.ask("GET", f"{LETTERS}/77")[0], 404)
        self.assertEqual(self.ask("GET", f"{LETTERS}/x")[0], 400)

        # Those of one reason: what the topology reads of them fails again.
        amount = next(one["reason"] for one in found["reasons"] if one["letters"] == 2)
        after = self.replayed(component="orders", alike=amount)
        self.assertEqual((after["records"], after["before"], after["last_failed"]), (2, 0, 0))
        self.list_when(lambda found: found["read"] == 5)
        self.assertTrue(self.ask("GET", f"{LETTERS}/0")[1]["replayed"])
        self.assertFalse(self.ask("GET", f"{LETTERS}/1")[1]["replayed"])
        self.assertEqual(sorted(self.counts().values()), [(1, 1), (4, 2)])
        # Each once: the three that were not replayed, and not the two that were.
        after = self.replayed()
        self.assertEqual((after["records"], after["before"]), (3, 2))
        self.list_when(lambda found: found["read"] == 8)
        self.assertEqual(self.replayed(component="nobody")["records"], 0)
        # The command has the same marks, and the same lock.
        _, err = self.run_program("millrace", "dead-letters", "replay", self.letters,
                                  "--to", self.folder / "again")
        self.assertIn("3 records replayed", err)
        self.assertIn("5 were replayed before", err)
        self.assertEqual(self.replayed()["records"], 0)
        self.interrupt(self.process)

    def test_what_was_mended_goes_on(self):
        self.lines("{")
        self.run_topology()
        self.list_when(lambda found: found["read"] == 1)
        marked = self.replayed()
        self.assertEqual(marked["records"], 1)
        # The source has read it: it is there again as a letter of its own.
        self.list_when(lambda found: found["read"] == 2)
        out, _ = self.interrupt(self.process)
        self.assertEqual(out, "")

    def test_another_site_may_not(self):
        self.lines("no JSON")
        self.run_topology()
        self.list_when(lambda found: found["read"] == 1)
        path = f"{LETTERS}/replay"
        self.assertEqual(self.ask("POST", path)[0], 403)
        self.assertEqual(self.ask("POST", path, {**MINE, "Host": "evil.example"})[0], 421)
        self.assertEqual(self.ask("POST", path, {**MINE, "Origin": "http://evil.example"})[0], 403)
        self.assertEqual(self.ask("POST", LETTERS, MINE)[0], 405)
        self.assertEqual(self.list()["number"], 0, "nothing was asked")

    def test_refusals_say_what_to_do(self):
        self.target = ""
        self.lines("no JSON")
        self.run_topology()
        self.list_when(lambda found: found["read"] == 1)
        self.assertIn("--dead-letters-to", self.replay(expected=409)["error"])
        self.assertIn("component=NAME", self.replay(expected=400, to="/etc/passwd")["error"])
        self.process.kill()
        self.process.wait()
        self.target = "journal:x"
        _, err = self.run_program("millrace", "run", self.topology(), "--headless", code=64)
        self.assert_error(err, 1002, "topology.dead_letters_to", "journal:DIR/TOPIC")
        _, err = self.run_program("millrace", "run", self.topology(), "--headless",
                                  "--dead-letters-to", "-", code=64)
        self.assert_error(err, 1002, "--dead-letters-to -", "or a file")

    def test_where_none_are_kept(self):
        path = self.topology()
        path.write_text(path.read_text().replace(f"topology.dead_letters: {self.letters}", "a: b"))
        self.lines("no JSON")
        process = self.start("millrace", "run", path, "--ui", "127.0.0.1:0")
        self.find_page(process)
        found = self.list()
        self.assertEqual((found["folder"], found["reasons"]), ("", []))
        self.assertIn("--dead-letters DIR", self.replay(expected=409)["error"])
        self.assertEqual(self.ask("GET", f"{LETTERS}/0")[0], 409)

    def test_a_replay_waits_for_no_other(self):
        self.lines("no JSON")
        self.run_topology()
        self.list_when(lambda found: found["read"] == 1)
        with (self.letters / "replayed.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            after = self.replayed()
        self.assertEqual(after["last_failed"], after["number"])
        self.assertIn("locked", after["last_failure"])
        self.assertEqual(self.replayed()["records"], 1)


if __name__ == "__main__":
    unittest.main()
