# `millrace checkpoint`: a checkpoint of a running topology, its copy, and what is refused.
import json
import re
import unittest

from harness import CliTest

TOPOLOGY = """
name: words
spouts:
  - {id: words, type: json_lines, with: {path: "%s", follow: true, fields: {word: text}}}
bolts:
  - {id: counts, type: count, with: {window: global()}}
  - {id: shown, type: log, with: {path: "%s"}}
streams:
  - {from: words, to: counts, grouping: {type: fields, args: [word]}}
  - {from: counts, to: shown}
"""

WORDS = 40_000  # of which the state is more than a megabyte, so that changes are worth it


class CheckpointNow(CliTest):
    def setUp(self):
        super().setUp()
        self.words = self.file("in.jsonl", '{"word":"a"}\n' * 3)
        self.topology = self.file("words.yaml", TOPOLOGY % (self.words, self.folder / "out"))
        self.state = self.folder / "state"

    def run_words(self, *flags, records=3):
        process = self.start("millrace", "run", self.topology, "--ui", "127.0.0.1:0", *flags)
        self.find_page(process)
        self.report_when(lambda report: report["records_in"] == records)
        return process

    def keep(self, records=3):
        return self.run_words("--state-dir", self.state, "--checkpoint-interval", "1h",
                              records=records)

    def checkpoint(self, *words, code=0):
        return self.run_program("millrace", "checkpoint", *words, code=code)

    def counted(self, folder):
        out, _ = self.run_program("millrace", "checkpoints", "show", folder, "--component",
                                  "counts")
        return [json.loads(line)["value"] for line in out.splitlines()]

    def test_it_is_made_at_once_and_holds_what_was_read(self):
        process = self.keep()
        out, _ = self.checkpoint(self.address)
        self.assertRegex(out, rf"epoch 1 is complete in {re.escape(str(self.state))}\n")
        self.assertEqual(self.counted(self.state), [3])
        with self.words.open("a") as more:
            more.write('{"word":"a"}\n')
        self.report_when(lambda report: report["records_in"] == 4)
        out, _ = self.run_program("millrace", "savepoint", f"http://{self.address}/",
                                  self.folder / "kept")
        self.assertIn(f"epoch 2 is kept in {self.folder / 'kept'}", out)
        self.assertEqual(self.counted(self.folder / "kept"), [4])
        status, told = self.ask("GET", "/api/v1/checkpoint")
        self.assertEqual((status, told["over"], told["done"], told["failed"], told["epoch"]),
                         (200, 2, 2, 0, 2))
        self.interrupt(process, 5)

    def test_the_report_and_ls_say_which_hold_changes(self):
        self.words.write_text("".join(f'{{"word":"one of those that make a megabyte: {n:06}"}}\n'
                                      for n in range(WORDS)))
        topology = self.topology.read_text().replace(", with: {window: global()}", "")
        self.topology.write_text(topology)
        process = self.keep(WORDS)
        for epoch in (1, 2, 3):
            self.checkpoint(self.address)
            with self.words.open("a") as more:
                more.write('{"word":"a"}\n')
            self.report_when(lambda report, n=WORDS + epoch: report["records_in"] == n)
        told = self.report_when(lambda report: len(report["checkpoints"]["recent"]) == 3)
        self.assertEqual([(one["id"], one["base"], one["chain"])
                          for one in told["checkpoints"]["recent"]],
                         [(3, 2, 2), (2, 1, 1), (1, 0, 0)])
        out, _ = self.run_program("millrace", "checkpoints", "ls", self.state)
        self.assertEqual(re.findall(r"^ +(\d+) .*(all|changes of \d+) +(\d+) ", out, re.M),
                         [("1", "all", "0"), ("2", "changes of 1", "1"),
                          ("3", "changes of 2", "2")], out)
        self.interrupt(process, 5)

    def test_a_post_of_another_site_is_refused(self):
        process = self.keep()
        status, _ = self.ask("POST", "/api/v1/checkpoint")
        self.assertEqual(status, 403)
        status, answer = self.ask("POST", "/api/v1/checkpoint", {"X-Millrace": "1"})
        self.assertEqual((status, answer), (202, {"number": 1}))
        self.interrupt(process, 5)

    def test_refusals(self):
        process = self.run_words()
        _, err = self.checkpoint(self.address, code=64)
        self.assert_error(err, 1002, "start it with --state-dir DIR")
        _, err = self.checkpoint(self.address, "a", "b", code=64)
        self.assert_error(err, 1002, "give the address of a page, and a folder for a copy")
        self.interrupt(process, 5)
        _, err = self.checkpoint(self.address, code=66)
        self.assert_error(err, 4001, self.address)

    def test_a_copy_needs_a_folder_without_one(self):
        process = self.keep()
        self.checkpoint(self.address, self.folder / "kept")
        _, err = self.checkpoint(self.address, self.folder / "kept", code=74)
        self.assert_error(err, 4002, self.folder / "kept")
        self.interrupt(process, 5)


if __name__ == "__main__":
    unittest.main()
