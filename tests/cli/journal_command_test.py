# `millrace journal` as a person meets it, and its producer killed without warning.
import contextlib
import json
import random
import signal
import threading
import time
import unittest

from harness import PATIENCE_S, CliTest

KILLS = 12


class JournalCommand(CliTest):
    def setUp(self):
        super().setUp()
        self.journal = self.folder / "j"

    def produce(self, text, *flags, topic="t"):
        path = self.file("lines.txt", text)
        with path.open("rb") as lines:
            return self.run_program("millrace", "journal", "produce", self.journal, topic, *flags,
                                    stdin=lines)

    def consume(self, *flags, topic="t"):
        out, _ = self.run_program("millrace", "journal", "consume", self.journal, topic, *flags)
        return out

    def wait_for(self, holds):
        end = time.monotonic() + PATIENCE_S
        while not holds():
            self.assertLess(time.monotonic(), end)

    def test_lines_in_lines_out(self):
        out, err = self.produce("a\n\nc", "--acks")
        self.assertEqual(out, "0 0\n0 1\n0 2\n")
        self.assertEqual(err, "3 records appended to t\n")
        self.produce("k=v\nk=\nplain\n", "--key-separator", "=")
        self.assertEqual(self.consume(), "a\n\nc\nv\n\nplain\n")
        records = [json.loads(line) for line in self.consume("--json", "--from=3").splitlines()]
        self.assertEqual([(r["offset"], r["key"], r["value"]) for r in records],
                         [(3, "k", "v"), (4, "k", ""), (5, None, "plain")])
        self.assertEqual(self.consume("--from", "latest"), "")
        self.assertEqual(self.consume("--from", records[1]["time"], "--limit", "1"), "v\n")
        self.assertEqual(self.consume("--from", "2999-01-01"), "")

    def test_partitions_keep_the_order_of_a_key(self):
        lines = [f"{key}:{turn}" for turn in range(200) for key in "abcde"]
        self.produce("\n".join(lines), "--key-separator", ":", "--partitions", "3",
                     "--segment-bytes", "4096", "--mode", "async")
        records = [json.loads(line) for line in self.consume("--json").splitlines()]
        self.assertEqual(len(records), 1000)
        for key in "abcde":
            own = [r for r in records if r["key"] == key]
            self.assertEqual([r["value"] for r in own], [str(turn) for turn in range(200)])
            self.assertEqual(len({r["partition"] for r in own}), 1)
        one = self.consume("--json", "--partition", records[0]["partition"])
        self.assertLess(len(one.splitlines()), 1000)
        out, _ = self.run_program("millrace", "journal", "ls", self.journal)
        self.assertRegex(out, r"t +3 +1000 +\d+\n")
        out, _ = self.run_program("millrace", "journal", "describe", self.journal, "t")
        self.assertIn("topic t: 3 partitions; kept: for ever, any number of bytes", out)
        out, _ = self.run_program("millrace", "journal", "verify", self.journal)
        self.assertRegex(out, r"^\d+ files, \d+ batches, 1000 records, 0 damaged\n$")

    def test_follow_sees_what_comes(self):
        self.produce("one\n")
        reader = self.start("millrace", "journal", "consume", self.journal, "t", "--follow")
        self.assertEqual(reader.stdout.readline(), b"one\n")
        self.produce("two\n")
        self.assertEqual(reader.stdout.readline(), b"two\n")
        self.assertEqual(self.interrupt(reader)[0], "")

    def test_damage_is_said_with_file_and_byte(self):
        self.produce("a" * 50 + "\n" + "b" * 50)
        log = self.journal / "t/0/00000000000000000000.log"
        content = bytearray(log.read_bytes())
        content[100] ^= 1
        log.write_bytes(content)
        for arguments in (["verify", self.journal], ["consume", self.journal, "t"],
                          ["produce", self.journal, "t"]):
            _, err = self.run_program("millrace", "journal", *arguments, code=65)
            self.assert_error(err, 4004, log, "is damaged at byte 24")
        # The canary: without the protection it is served.
        served = self.consume("--unsafe", "no-checksum")
        self.assertEqual(len(served), 102)
        self.assertNotEqual(served, "a" * 50 + "\n" + "b" * 50 + "\n")

    def test_an_input_that_is_read_again_is_stored_once(self):
        lines = "".join(f"{turn % 7}={turn}\n" for turn in range(50)) + "no key\n" * 5
        flags = ("--producer", "import", "--key-separator", "=", "--partitions", "3")
        first = lines[:lines.index("\n", 100) + 1]
        stored = first.count("\n")
        self.produce(first, *flags)
        _, err = self.produce(lines, *flags)
        self.assertEqual(err, f"{55 - stored} records appended to t; {stored} were there already\n")
        _, err = self.produce(lines, *flags)
        self.assertEqual(err, "0 records appended to t; 55 were there already\n")
        self.assertEqual(len(self.consume().splitlines()), 55)
        # Another producer, and the canary: without the protection all is stored again.
        self.produce("x\n", "--producer", "other")
        _, err = self.produce(lines, *flags, "--unsafe", "no-dedup")
        self.assertIn("UNSAFE: what is sent again is stored again", err)
        self.assertEqual(len(self.consume().splitlines()), 55 + 1 + 55)

    def test_files_are_inputs_side_by_side(self):
        files = [self.file(name, "".join(f"{name}{turn}\n" for turn in range(300)))
                 for name in "abc"]
        out, err = self.run_program("millrace", "journal", "produce", self.journal, "t", *files,
                                    "--acks", "--producer", "p")
        self.assertEqual(err, "900 records appended to t\n")
        served = self.consume().splitlines()
        for line in out.splitlines():  # PARTITION OFFSET FILE
            _, offset, name = line.split()
            self.assertTrue(served[int(offset)].startswith(name[-1]), line)
        for name in "abc":
            self.assertEqual([line for line in served if line[0] == name],
                             [f"{name}{turn}" for turn in range(300)])
        _, err = self.run_program("millrace", "journal", "produce", self.journal, "t",
                                  *reversed(files), "--producer", "p")
        self.assertEqual(err, "0 records appended to t; 900 were there already\n")

    def test_wrong_words(self):
        self.produce("x")
        for arguments, code, number, part in (
                ([], 64, 1001, "which command"),
                (["lst"], 64, 1001, "did you mean ls?"),
                (["ls"], 64, 1002, "DIR"),
                (["ls", self.folder / "none"], 66, 4001, "there is no such folder"),
                (["ls", self.folder], 66, 4001, "is no journal"),
                (["produce", self.folder, "t"], 74, 4002, "not empty"),
                (["consume", self.journal, "tt"], 66, 4001, 'did you mean "t"?'),
                (["consume", self.journal, "t", "--form", "1"], 64, 1001, "did you mean --from?"),
                (["consume", self.journal, "t", "--from"], 64, 1002, "value is missing"),
                (["consume", self.journal, "t", "--from=noon"], 64, 1002, "an offset, or a time"),
                (["consume", self.journal, "t", "--from", "2"], 66, 4001, "it holds 0 to 1"),
                (["consume", self.journal, "t", "--partition", "1"], 64, 1002, "has 0 to 0"),
                (["produce", self.journal, "t", "--partitions=2"], 64, 1002, "exists and has 1"),
                (["produce", self.journal, "a/b"], 78, 2010, "letters, digits"),
                (["produce", self.journal, "t", "--mode", "fast"], 64, 1002, "sync or async"),
                (["consume", self.journal, "t", "--isolation", "no"], 64, 1002, "read_committed"),
                (["produce", self.journal, "t", "--acks", "--transaction"], 64, 1002, "--acks"),
                (["produce", self.journal, "t", "--producer", "p", "--transaction"], 64, 1002,
                 "can be repeated as it was"),
                (["produce", self.journal, "t", "--producer="], 64, 1002, "not empty"),
                (["produce", self.journal, "t", "a", "b", "--transaction"], 64, 1002, "one input"),
                (["produce", self.journal, "t", "a", "a"], 64, 1002, "named twice"),
                (["produce", self.journal, "t", self.folder / "no"], 66, 4001, "cannot be opened"),
                (["commit", self.journal, "one"], 64, 1002, "number of a transaction"),
                (["commit", self.journal, "1"], 78, 2010, "is not prepared"),
                (["abort", self.folder / "none", "1"], 66, 4001, "there is no such folder"),
                (["produce", self.journal, "t", "--unsafe", "all"], 64, 1002, "no-fsync")):
            _, err = self.run_program("millrace", "journal", *arguments, code=code)
            self.assert_error(err, number, part)
        out, _ = self.run_program("millrace", "journal", "--help")
        self.assertIn("usage: millrace journal ls DIR", out)

    def test_a_transaction_is_all_or_nothing(self):
        self.produce("a\nb\n", "--transaction", "--partitions", "1")
        self.assertEqual(self.consume(), "a\nb\n")
        killed = self.start("millrace", "journal", "produce", self.journal, "t", "--transaction",
                            stdin=-1)
        killed.stdin.write(b"x\ny\n")
        killed.stdin.flush()
        self.wait_for(lambda: self.consume("--isolation", "read_uncommitted") == "a\nb\nx\ny\n")
        self.assertEqual(self.consume(), "a\nb\n")
        self.assertEqual(self.consume("--from", "latest"), "")
        out, _ = self.run_program("millrace", "journal", "describe", self.journal, "t")
        self.assertRegex(out, r"\n +0 +0 +2 +4 ")  # partition, earliest, stable, latest
        self.assertRegex(out, r"\ntransaction \d+: partition 0 from offset 2; open\n$")
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        killed.stdin.close()
        self.produce("c\n")
        self.assertEqual(self.consume(), "a\nb\nc\n")
        self.assertEqual(self.consume("--isolation=read_uncommitted"), "a\nb\nx\ny\nc\n")
        out, _ = self.run_program("millrace", "journal", "describe", self.journal, "t")
        self.assertNotIn("transaction", out)
        out, _ = self.run_program("millrace", "journal", "verify", self.journal)
        self.assertRegex(out, r", 5 records, 0 damaged\n$")

    def test_a_second_producer_is_refused(self):
        first = self.start("millrace", "journal", "produce", self.journal, "t", "--acks",
                           stdin=-1)
        first.stdin.write(b"x\n")
        first.stdin.flush()
        self.assertEqual(first.stdout.readline(), b"0 0\n")
        _, err = self.run_program("millrace", "journal", "produce", self.journal, "t", code=74)
        self.assert_error(err, 4002, "another process writes there")
        self.assertEqual(self.consume(), "x\n")

    def test_topologies_in_yaml_write_and_read(self):
        writes = self.file("writes.yaml", f"""
name: writes
spouts:
  - {{id: in, type: generate, with: {{count: 300, fields: {{n: index(), w: "cycle(a, b, c)"}}}}}}
bolts:
  - id: out
    type: write_journal
    with: {{folder: {self.journal}, topic: words, key: w, partitions: 3}}
streams:
  - {{from: in, to: out}}
""")
        read = f"""
name: reads
spouts:
  - id: in
    type: journal
    with: {{folder: {self.journal}, topic: words, follow: false, fields: {{n: int, w: text}}}}
bolts:
  - {{id: out, type: write_csv, with: {{path: {self.folder}/out.csv}}}}
streams:
  - {{from: in, to: out}}
"""
        self.run_program("millrace", "run", writes, "--headless")
        records = [json.loads(line) for line in self.consume("--json", topic="words").splitlines()]
        self.assertEqual(len(records), 300)
        for record in records:
            value = json.loads(record["value"])
            self.assertEqual((value["w"], "abc"[value["n"] % 3]), (record["key"],) * 2)
        self.run_program("millrace", "run", self.file("reads.yaml", read), "--headless")
        rows = (self.folder / "out.csv").read_text().splitlines()
        self.assertEqual(sorted(rows[1:]), sorted(f"{n},{'abc'[n % 3]}" for n in range(300)))
        self.assertEqual([row for row in rows if row.endswith("b")],
                         [f"{n},b" for n in range(1, 300, 3)])
        late = self.file("late.yaml", read.replace("follow:", "from: noon, follow:"))
        _, err = self.run_program("millrace", "validate", late, code=78)
        self.assertIn('"from" is earliest, latest, an offset, or a time', err)

    def killed_life(self, life, least, mode):
        """Feeds a producer until `least` lines are acknowledged, kills it; all it acknowledged."""
        process = self.start("millrace", "journal", "produce", self.journal, "t", "--acks",
                             "--segment-bytes", "16K", "--mode", mode, stdin=-1)

        def feed():
            try:
                for turn in range(1_000_000):
                    process.stdin.write(f"{life}-{turn}-{'x' * (turn % 90)}\n".encode())
            except BrokenPipeError:
                pass
            with contextlib.suppress(BrokenPipeError):  # what was not sent goes nowhere
                process.stdin.close()

        feeder = threading.Thread(target=feed)
        feeder.start()
        acked = [int(process.stdout.readline().split()[1]) for _ in range(least)]
        process.send_signal(signal.SIGKILL)
        process.wait()
        acked += [int(line.split()[1]) for line in process.stdout.read().splitlines(keepends=True)
                  if line.endswith(b"\n")]
        feeder.join()
        return acked

    def test_what_was_acknowledged_survives_kills(self):
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        acknowledged = {}
        for life in range(KILLS):
            mode = chance.choice(("sync", "async"))
            acked = self.killed_life(life, chance.randrange(1, 400), mode)
            acknowledged |= {offset: (life, turn) for turn, offset in enumerate(acked)}
        served = [tuple(map(int, line.split("-")[:2])) for line in self.consume().splitlines()]
        for offset, record in acknowledged.items():
            self.assertEqual(served[offset], record, f"seed {seed}: offset {offset}")
        for life in range(KILLS):  # nothing invented, doubled or out of order
            turns = [turn for of, turn in served if of == life]
            self.assertEqual(turns, list(range(len(turns))), f"seed {seed}: life {life}")
        self.run_program("millrace", "journal", "verify", self.journal)


if __name__ == "__main__":
    unittest.main()
