# Files rolled into a folder, as a person meets them: kills, Ctrl-C, no state folder, wrong words.
import json
import random
import signal
import time
import unittest

from harness import CliTest, PATIENCE_S

RECORDS = 60_000

TOPOLOGY = """
name: rolls
spouts:
  - {id: in, type: json_lines, with: {path: "%s", fields: {n: int}}}
bolts:
  - {id: rows, type: %s, with: {folder: "%s", roll_bytes: %s}}
streams:
  - {from: in, to: rows}
"""


class RolledFiles(CliTest):
    def setUp(self):
        super().setUp()
        self.input = self.file("in.jsonl", "".join(f'{{"n":{n}}}\n' for n in range(RECORDS)))
        self.out = self.folder / "out"

    def topology(self, kind="log", size="20000"):
        return self.file("rolls.yaml", TOPOLOGY % (self.input, kind, self.out, size))

    def words(self, topology):
        return ("run", topology, "--headless", "--state-dir", self.folder / "state",
                "--checkpoint-interval", "10ms")

    def visible(self):
        return {path.name: path.read_bytes() for path in sorted(self.out.glob("[!.]*"))}

    def numbers(self):
        return [json.loads(line)["n"] for content in self.visible().values()
                for line in content.splitlines()]

    def test_killed_again_and_again_each_record_lies_in_one_file(self):
        chance = random.Random(3)
        whole = {}
        endless = self.topology().read_text().replace("fields:", "follow: true, fields:")
        for _ in range(25):
            process = self.start("millrace", *self.words(self.file("endless.yaml", endless)))
            time.sleep(chance.uniform(0, 0.15))
            process.send_signal(signal.SIGKILL)
            self.assertEqual(process.wait(PATIENCE_S), -signal.SIGKILL)
            now = self.visible()
            self.assertEqual({name: now[name] for name in whole}, whole, "a whole file changed")
            whole = now
            seen = self.numbers()
            self.assertEqual(seen, list(range(len(seen))))
        self.assertTrue(whole, "no life came to its first whole file")
        self.run_program("millrace", *self.words(self.topology()))
        self.assertEqual(self.numbers(), list(range(RECORDS)))
        self.assertEqual([path for path in self.out.glob(".*") if path.suffix == ".jsonl"], [])
        sizes = [len(content) for content in self.visible().values()]
        self.assertGreater(len(sizes), 3)
        self.assertLess(max(sizes), 20_000 + 100_000)

    def test_a_run_that_goes_on_begins_another_file(self):
        source = self.file("grows.jsonl", '{"n":0}\n')
        text = self.topology("write_csv").read_text().replace(str(self.input), str(source))
        text = text.replace("fields:", "follow: true, fields:")
        self.file("rolls.yaml", text)
        words = ("run", self.folder / "rolls.yaml", "--headless", "--state-dir",
                 self.folder / "state", "--checkpoint-interval", "10ms")
        for number in (1, 2):
            process = self.start("millrace", *words)
            give_up = time.monotonic() + PATIENCE_S
            while not list(self.out.glob(f".rolls.rows-{number:08}.csv")):
                self.assertLess(time.monotonic(), give_up)
                time.sleep(0.02)
            self.interrupt(process, 5)
            with source.open("a") as more:
                more.write('{"n":1}\n')
        self.assertEqual(self.visible(), {"rolls.rows-00000001.csv": b"n\n0\n",
                                          "rolls.rows-00000002.csv": b"n\n1\n"})

    def test_without_a_state_folder(self):
        for turn in (1, 2):
            self.run_program("millrace", "run", self.topology(), "--headless")
            self.assertEqual(self.numbers(), list(range(RECORDS)) * turn)
        self.assertGreater(len(self.visible()), 6)

    def test_wrong_words(self):
        for word, part in (("roll_bytes: some", '"roll_bytes" is a number of bytes'),
                           ("roll_bytes: 0", '"roll_bytes" is a number of bytes'),
                           ("roll_every: 0s", '"roll_every" is more than 0s'),
                           ("append: true", '"append" is of "path"')):
            self.file("wrong.yaml",
                      self.topology().read_text().replace("roll_bytes: 20000", word))
            _, err = self.run_program("millrace", "validate", self.folder / "wrong.yaml", code=78)
            self.assertIn(part, err)
        text = self.topology().read_text().replace("folder:", "path:")
        _, err = self.run_program("millrace", "validate", self.file("wrong.yaml", text), code=78)
        self.assertIn('"roll_bytes" needs "folder"', err)


if __name__ == "__main__":
    unittest.main()
