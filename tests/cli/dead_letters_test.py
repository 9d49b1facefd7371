# Dead letters that stay: every one is found again with its place and reason, and replayed.
import json
import os
import signal
import time
import unittest

from harness import PATIENCE_S, SLOWNESS, CliTest

RECORDS = int(os.environ.get("MILLRACE_POISON_RECORDS", 100_000 // SLOWNESS))
# The lines that do not fit and the orders that cannot be handled: 1 % together.
MALFORMED_EVERY = 200
POISON_EVERY = 200


def line_of(number):
    if number % MALFORMED_EVERY == 17:
        return '{"id":%d,"kind":' % number
    kind = "poison" if number % POISON_EVERY == 50 else "good"
    return '{"id":%d,"kind":"%s"}' % (number, kind)


class DeadLetters(CliTest):
    def setUp(self):
        super().setUp()
        self.letters = self.folder / "letters"
        self.out = self.folder / "out.csv"
        self.errors = self.folder / "errors"

    def write(self, name, numbers, of=line_of):
        return self.file(name, "".join(of(number) + "\n" for number in numbers))

    def poison(self, orders, *flags, letters=None, **more):
        return self.summary("poison", orders, self.out, self.errors, letters or self.letters,
                            *flags, **more)

    def command(self, *words, code=0):
        return self.run_program("millrace", "dead-letters", *words, code=code)

    def show(self, *flags):
        out, _ = self.command("show", self.letters, "--json", *flags)
        return [json.loads(line) for line in out.splitlines()]

    def ids(self):
        return sorted(map(int, self.out.read_text().split()))

    def write_halves(self):
        """Two partitions; which of them each number is in, and its position there."""
        half = RECORDS // 2
        self.write("orders-0.jsonl", range(half))
        self.write("orders-1.jsonl", range(half, RECORDS))
        places = {}
        counts = [0, 0]
        for number in range(RECORDS):
            if number % MALFORMED_EVERY == 17:
                continue
            partition = int(number >= half)
            places[number] = (partition, counts[partition])
            counts[partition] += 1
        return places

    def test_all_of_them_with_place_and_reason_and_replayed_by_one_command(self):
        places = self.write_halves()
        bad = [n for n in range(RECORDS) if n % MALFORMED_EVERY == 17]
        poison = [n for n in range(RECORDS) if n % POISON_EVERY == 50]
        summary, _ = self.poison(self.folder / "orders-*.jsonl", "--parallelism", "2")
        self.assert_counted(summary)
        self.assertEqual(summary["dead_letters_kept"],
                         {"kept": len(bad) + len(poison), "lost": 0, "topic": "poison"})
        self.assertEqual(len(self.ids()), RECORDS - len(bad) - len(poison))

        lines = self.show("--component", "orders")
        half = RECORDS // 2
        self.assertEqual(
            sorted((letter["where"].rsplit("/", 1)[1], letter["record"]) for letter in lines),
            sorted((f"orders-{int(n >= half)}.jsonl:{n % half + 1}", line_of(n)) for n in bad))
        thrown = self.show("--component", "check")
        found = {json.loads(letter["record"])["id"]: letter for letter in thrown}
        self.assertEqual(sorted(found), poison)
        self.assertEqual(len(thrown), len(poison))
        for number, letter in found.items():
            partition, position = places[number]
            self.assertEqual(
                (letter["source"], letter["partition"], letter["position"], letter["tries"]),
                ("orders", partition, position, 1))
            self.assertEqual(letter["reason"], f"order {number} is poison")
            self.assertEqual(letter["where"],
                             f"orders partition {partition}, message {position}")
        # The stream of dead letters says the same.
        streamed = (self.folder / "errors.check").read_text()
        missing = [letter for letter in thrown if f'"{letter["where"]}",' not in streamed]
        self.assertEqual(missing, [])

        mended = self.folder / "mended.jsonl"
        _, err = self.command("replay", self.letters, "--component", "check", "--to", mended)
        self.assertEqual(err, f"{len(poison)} records replayed to {mended}\n")
        self.poison(mended, env={**os.environ, "MENDED": "1"})
        self.assertEqual(self.ids(), poison)

    def test_a_second_replay_takes_only_new_ones(self):
        self.poison(self.write("orders.jsonl", range(400)))
        target = self.folder / "again.jsonl"
        replay = ("replay", self.letters, "--to", target)
        self.assertIn("4 records replayed", self.command(*replay)[1])
        self.assertIn("0 records replayed to", self.command(*replay)[1])
        self.assertEqual(len(target.read_text().splitlines()), 4)
        self.poison(self.write("orders.jsonl", range(400, 600)))
        _, err = self.command(*replay)
        self.assertIn("2 records replayed", err)
        self.assertIn("4 were replayed before", err)
        out, _ = self.command("replay", self.letters, "--to", "-", "--again", "--component",
                              "check")
        self.assertEqual(sorted(json.loads(line)["id"] for line in out.splitlines()),
                         [50, 250, 450])
        out, _ = self.command("ls", self.letters)
        self.assertRegex(out, r"poison +check +3 +0 .* order \d+ is poison")
        self.run_program("millrace", "journal", "verify", self.letters)

    def test_into_a_journal_that_a_topology_reads(self):
        self.poison(self.write("orders.jsonl", range(1000)))
        target = self.folder / "j"
        self.command("replay", self.letters, "--component", "check", "--to",
                     f"journal:{target}/orders")
        out, _ = self.run_program("millrace", "journal", "consume", target, "orders")
        self.assertEqual([json.loads(line)["id"] for line in out.splitlines()],
                         list(range(50, 1000, POISON_EVERY)))

    def test_a_message_that_fails_at_every_try_is_one_letter(self):
        def line(number):
            kind = {50: "poison", 51: "shy"}.get(number % 100, "good")
            return json.dumps({"id": number, "kind": kind})
        summary, _ = self.poison(self.write("orders.jsonl", range(500), line), "--guarantee",
                                 "at_least_once")
        self.assertEqual(summary["dead_letters_kept"]["kept"], 5)
        letters = self.show()
        self.assertEqual(sorted(json.loads(letter["record"])["id"] for letter in letters),
                         [50, 150, 250, 350, 450])
        for letter in letters:
            self.assertEqual((letter["tries"], letter["position"]),
                             (3, json.loads(letter["record"])["id"]))
        self.assertEqual(self.ids(), [n for n in range(500) if n % 100 != 50])

    def test_long_records_are_kept_whole_up_to_a_mebibyte(self):
        def line(number):
            return '{"id":%d,"kind":%s' % (number, "x" * (100_000 if number == 0 else 2 << 20))
        self.poison(self.write("orders.jsonl", range(2), line))
        kept, cut = self.show()
        self.assertEqual(kept["record"], line(0))
        self.assertEqual(len(cut["record"]), 1 << 20)
        _, err = self.command("replay", self.letters, "--to", self.folder / "again")
        self.assertIn("1 records replayed", err)
        self.assertEqual((self.folder / "again").read_text(), line(0) + "\n")

    def yaml(self, orders):
        return f"""
name: my orders
config: {{topology.dead_letters: {self.letters}}}
spouts:
  - {{id: orders, type: json_lines, with: {{path: {orders}, fields: {{id: int, kind: text}}}}}}
bolts:
  - {{id: out, type: print}}
streams:
  - {{from: orders, to: out}}
"""

    def test_yaml_and_flags_say_where(self):
        path = self.file("t.yaml", self.yaml(self.write("orders.jsonl", range(400))))
        self.run_program("millrace", "run", path, "--headless")
        letters = self.show("--topology", "my orders", "--limit", "1")
        self.assertEqual([letter["record"] for letter in letters], [line_of(217)])
        other = self.folder / "other"
        self.run_program("millrace", "run", path, "--headless", "--dead-letters", other)
        self.assertIn("my_orders", self.command("ls", other)[0])
        self.assertEqual(len(self.show()), 2)

    def test_mistakes(self):
        path = self.write("orders.jsonl", range(10))
        _, err = self.poison_refused(path, "--dead-letters-bytes", "10", code=64)
        self.assert_error(err, 1002, "at least 1M")
        text = self.yaml(path).replace("config: {", "config: {topology.dead_letters_bytes: few, ")
        _, err = self.run_program("millrace", "run", self.file("t.yaml", text), "--headless",
                                  code=64)
        self.assert_error(err, 1002, "topology.dead_letters_bytes", "few")
        _, err = self.command("ls", self.folder / "none", code=66)
        self.assert_error(err, 4001, "no such folder")
        self.poison(path)
        self.assert_error(self.command("replay", self.letters, code=64)[1], 1002, "--to FILE")
        self.assert_error(self.command("replay", self.letters, "--to", "journal:x", code=64)[1],
                          1002, "journal:DIR/TOPIC")
        self.assert_error(self.command("shwo", self.letters, code=64)[1], 1001, "show")
        self.assert_error(self.command("ls", self.letters, "--topology", "other", code=66)[1],
                          4001, "poison")

    def poison_refused(self, orders, *flags, code):
        return self.run_program("poison", orders, self.out, self.errors, self.letters,
                                "--headless", *flags, code=code)

    def test_two_runs_cannot_share_a_folder(self):
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        first = self.start("poison", pipe, self.out, self.errors, self.letters, "--headless")
        with pipe.open("w") as orders:
            orders.write(line_of(50) + "\n")
            orders.flush()
            self.wait_for_letters(1)
            _, err = self.poison_refused(self.write("o.jsonl", range(5)), code=73)
            self.assert_error(err, 4002, self.letters)
            # What is kept can be looked at and replayed meanwhile.
            self.assertEqual(self.show()[0]["component"], "check")
            self.command("replay", self.letters, "--to", self.folder / "again")
            first.send_signal(signal.SIGKILL)
            first.wait()
        self.assertEqual(len(self.show()), 1, "what was there 100 ms survives a kill")
        self.assertIn("0 records", self.command("replay", self.letters, "--to", "-")[1])

    def wait_for_letters(self, count):
        end = time.monotonic() + PATIENCE_S
        while not (self.letters / "poison/topic").exists() or len(self.show()) < count:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)

    def test_the_oldest_go(self):
        def line(number):
            return '{"id":%d,"kind":%s' % (number, "x" * 10_000)
        self.poison(self.write("orders.jsonl", range(1000), line), "--dead-letters-bytes", "1M")
        ids = [int(letter["record"][6:].split(",")[0]) for letter in self.show()]
        self.assertEqual(ids, list(range(ids[0], 1000)))
        self.assertLess(50, len(ids))
        self.assertLess(len(ids) * 10_000, 1 << 20)


if __name__ == "__main__":
    unittest.main()
