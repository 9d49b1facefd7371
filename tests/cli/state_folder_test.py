# A state folder as a person meets it: runs, the commands that look into it, wrong ones.
import fcntl
import json
import re
import resource
import unittest

from checkpoint_bytes import PARTITION, TASK, checkpoint, part, stage
from harness import CliTest

COUNTS = """
name: %s
spouts:
  - {id: words, type: json_lines, with: {path: "%s", fields: {word: text}}}
bolts:
  - {id: counts, type: count, with: {window: global()}}
  - {id: shown, type: view}
streams:
  - {from: words, to: counts, grouping: {type: fields, args: [word]}}
  - {from: counts, to: shown}
"""


class StateFolder(CliTest):
    def setUp(self):
        super().setUp()
        self.state = self.folder / "state"
        self.words = self.file("in.jsonl", '{"word":"a","times":1}\n' * 3)

    def run_words(self, *flags, code=0):
        return self.run_program("wordcount", self.words, "none", "--headless", "--state-dir",
                                self.state, *flags, code=code)

    def checkpoints(self, *words, code=0):
        return self.run_program("millrace", "checkpoints", *words, code=code)

    def newest(self):
        return sorted(self.state.glob("epoch-*.ckpt"))[-1]

    def test_a_run_keeps_epochs_and_its_end(self):
        _, err = self.run_words("--checkpoint-interval", "10ms")
        self.assertIn(f"state is kept in {self.state}", err)
        out, _ = self.checkpoints("ls", self.state)
        self.assertIn("wordcount", out.splitlines()[-1])
        self.assertIn("ended", out.splitlines()[-1])
        out, _ = self.checkpoints("describe", self.state)
        self.assertIn("topology wordcount, its input has ended", out)
        self.assertIn("totals: 1 task", out)
        newest = int(self.newest().stem.removeprefix("epoch-"))
        named, _ = self.checkpoints("describe", f"{self.state}@{newest}")
        self.assertEqual(named, out)
        _, err = self.checkpoints("describe", f"{self.state}@{newest + 1}", code=66)
        self.assert_error(err, 4001, f"epoch {newest + 1}")
        out, _ = self.checkpoints("verify", self.state)
        self.assertIn(" 0 damaged", out)
        _, err = self.run_words()
        self.assertIn("the topology has ended, all of its input is done: give another --state-dir",
                      err)

    def test_the_last_three_stay(self):
        process = self.start("wordcount", "-", "none", "--headless", "--state-dir", self.state,
                             "--checkpoint-interval", "10ms", stdin=-1)
        while not list(self.state.glob("epoch-000000000[6-9].ckpt")):
            process.stdin.write(b'{"word":"a","times":1}\n')
            process.stdin.flush()
        self.interrupt(process)
        self.assertLessEqual(len(list(self.state.glob("epoch-*"))), 3)

    def test_epochs_of_changes_say_how_long_their_chain_is(self):
        self.state.mkdir()
        for epoch, base in ((4, 0), (5, 4), (6, 5), (7, 0), (9, 8)):
            (self.state / f"epoch-{epoch:010}.ckpt").write_bytes(
                checkpoint(epoch, "wordcount", [], base=base))
        out, _ = self.checkpoints("ls", self.state)
        holds = [re.search(r"(all|changes of \d+) +(\S+) +goes on +wordcount", line)
                 for line in out.splitlines()[1:]]
        self.assertEqual([one and one.groups() for one in holds],
                         [("all", "0"), ("changes of 4", "1"), ("changes of 5", "2"), ("all", "0"),
                          ("changes of 8", "?")], out)
        self.assertIn("chain", out.splitlines()[0])

    def test_damage_is_named_and_the_one_before_taken(self):
        self.state.mkdir()
        for epoch in (1, 2):
            (self.state / f"epoch-{epoch:010}.ckpt").write_bytes(
                checkpoint(epoch, "wordcount", [stage("totals")]))
        content = bytearray(self.newest().read_bytes())
        content[30] ^= 4
        self.newest().write_bytes(content)
        out, err = self.checkpoints("verify", self.state, code=65)
        self.assertIn("2 files", out)
        self.assertIn("1 damaged", out)
        self.assert_error(err, 3003, self.newest(), "is damaged at byte 16")
        _, err = self.run_words()
        self.assertIn("checkpoint_damaged", err)
        self.assertIn("going on from epoch 1", err)

    def test_without_a_whole_one_nothing_runs(self):
        self.state.mkdir()
        whole = checkpoint(1, "wordcount", [stage("totals")])
        (self.state / "epoch-0000000001.ckpt").write_bytes(whole[:-9])
        _, err = self.run_words(code=65)
        self.assert_error(err, 3003, "it ends too early", "no other checkpoint there is whole")

    def test_a_later_format_is_refused(self):
        self.state.mkdir()
        for epoch, version in ((1, 1), (2, 4)):
            (self.state / f"epoch-{epoch:010}.ckpt").write_bytes(
                checkpoint(epoch, "wordcount", [], version=version))
        _, err = self.run_words(code=65)
        self.assert_error(err, 3003, "has format version 4, this program knows versions 1 to 3")

    def test_the_folder_of_another_is_refused(self):
        self.state.mkdir()
        (self.state / "epoch-0000000001.ckpt").write_bytes(
            checkpoint(1, "other", [stage("totals")]))
        _, err = self.run_words(code=78)
        self.assert_error(err, 3004, 'is that of topology "other"', "give another --state-dir")

    def test_a_folder_in_use_is_refused(self):
        self.state.mkdir()
        with (self.state / "LOCK").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            lock.write("process 12 (topology wordcount)")
            lock.flush()
            _, err = self.run_words(code=69)
        self.assert_error(err, 3005, self.state, "is in use by process 12 (topology wordcount)")

    def test_what_is_no_folder_is_refused(self):
        self.state = self.file("plain", "x")
        _, err = self.run_words(code=74)
        self.assert_error(err, 4002, "the state folder", self.state, "cannot be used")
        self.state = self.folder / "not" / "there"
        _, err = self.run_words(code=74)
        self.assert_error(err, 4002, self.state, "No such file or directory")
        _, err = self.checkpoints("ls", self.state, code=66)
        self.assert_error(err, 4001, self.state)
        _, err = self.checkpoints("describe", self.folder, code=66)
        self.assert_error(err, 4001, "has no checkpoint")

    def test_a_name_that_was_made_up_is_refused(self):
        rows = self.file("in.csv", "at,name,times\n2024-01-01T00:00:00Z,a,1\n")
        _, err = self.run_program("columns", rows, "none", "--headless", "--state-dir", self.state,
                                  code=78)
        self.assert_error(err, 3004, 'sum "sum"', 'add .named("...") behind it')

    def test_wrong_words(self):
        for interval in ("5ms", "1", "soon"):
            _, err = self.run_words("--checkpoint-interval", interval, code=64)
            self.assert_error(err, 1002, "--checkpoint-interval", "at least 10ms")
        _, err = self.run_words("--guarantee", "at_least_once", code=64)
        self.assert_error(err, 1002, "at_least_once")
        _, err = self.run_program("wordcount", self.words, "none", "--headless", "--guarantee",
                                  "exactly_once", code=64)
        self.assert_error(err, 1002, "give --state-dir DIR")
        _, err = self.checkpoints("lss", code=64)
        self.assert_error(err, 1001, "did you mean ls?")
        _, err = self.checkpoints("ls", code=64)
        self.assert_error(err, 1002, "millrace checkpoints ls DIR")
        _, err = self.checkpoints("describe", self.folder, "3", code=64)
        self.assert_error(err, 1002, "one folder", "millrace checkpoints describe DIR[@EPOCH]")
        _, err = self.checkpoints("ls", self.folder, "--all", code=64)
        self.assert_error(err, 1001, "--all")


class Show(CliTest):
    """What is kept, entry by entry."""

    PAIRS = """
name: pairs
spouts:
  - {id: edits, type: json_lines, with: {path: "-", fields: {user: text, page: text}}}
bolts:
  - {id: counts, type: count}
  - {id: shown, type: view}
streams:
  - {from: edits, to: counts, grouping: {type: fields, args: [user, page]}}
  - {from: counts, to: shown}
"""

    def setUp(self):
        super().setUp()
        self.state = self.folder / "state"

    def keep(self, *command, lines, entries):
        """Runs until so many entries are kept, and goes on."""
        process = self.start(*command, "--headless", "--state-dir", self.state,
                             "--checkpoint-interval", "10ms", stdin=-1)
        process.stdin.write(lines.encode())
        process.stdin.flush()
        while not list(self.state.glob("epoch-*.ckpt")) or len(self.show()[0]) < entries:
            pass

    def keep_words(self):
        self.keep("wordcount", "-", "none", entries=2,
                  lines='{"word":"a","times":2}\n{"word":"b","times":1}\n' * 3)

    def show(self, *words, code=0):
        out, err = self.run_program("millrace", "checkpoints", "show", self.state, *words,
                                    code=code)
        return [json.loads(line) for line in out.splitlines()], err

    def test_keys_with_their_values(self):
        self.keep_words()
        shown, _ = self.show("--component", "totals")
        self.assertEqual(sorted((each["state"], each["key"], each["value"]) for each in shown),
                         [("panes", "a", 6), ("panes", "b", 3)])
        self.assertEqual(self.show("--key", "b")[0][0]["value"], 3)
        self.assertEqual(len(self.show("--limit", 1)[0]), 1)
        self.assertEqual(self.show("--key", "c")[0], [])

    def test_keys_of_several_fields(self):
        self.keep("millrace", "run", self.file("pairs.yaml", self.PAIRS), entries=1,
                  lines='{"user":"ann","page":"p\\"1"}\n' * 2)
        shown, _ = self.show("--component", "counts")
        self.assertEqual([(each["key"], each["value"]) for each in shown], [(["ann", 'p"1'], 2)])

    def test_what_is_not_there(self):
        self.keep_words()
        _, err = self.show("--component", "totls", code=64)
        self.assert_error(err, 1002, "--component totls", "totals")
        _, err = self.run_program("millrace", "checkpoints", "show", f"{self.state}@77", code=66)
        self.assert_error(err, 4001, "77")
        _, err = self.show("--keys", "a", code=64)
        self.assert_error(err, 1001, "--keys")


class Summary(CliTest):
    def run_words(self, code=0, **more):
        words = self.file("in.jsonl", '{"word":"a"}\n')
        path = self.file("words.yaml", COUNTS % ("words", words))
        summary, _ = self.summary("millrace", "run", path, "--state-dir", self.folder / "state",
                                  "--restart", "none", code=code, **more)
        return summary["checkpoints"]

    def test_it_counts_checkpoints(self):
        told = self.run_words()
        self.assertGreater(told["completed"], 0)
        self.assertEqual(told["failed"], 0)
        self.assertNotIn("last_failure", told)

    def test_it_says_why_they_failed(self):
        def no_large_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))

        told = self.run_words(74, preexec_fn=no_large_files, restore_signals=False)
        self.assertEqual((told["completed"], told["failed"]), (0, 4))
        self.assertIn("File too large", told["last_failure"])


class PlanAgainst(CliTest):
    def setUp(self):
        super().setUp()
        self.state = self.folder / "state"
        self.state.mkdir()
        self.words = self.file("in.jsonl", '{"word":"a"}\n')

    def keep(self, *stages, finished=False):
        (self.state / "epoch-0000000003.ckpt").write_bytes(
            checkpoint(3, "words", list(stages), finished))

    def plan(self, *flags, code=0):
        path = self.file("words.yaml", COUNTS % ("words", self.words))
        return self.run_program("millrace", "plan", path, *flags, code=code)

    def test_what_goes_where(self):
        self.keep(stage("words", [part("n", "1", PARTITION)], [(str(self.words), "7")]),
                  stage("counts", [part("cells", "abc", number=n) for n in range(3)], tasks=2))
        out, _ = self.plan("--against", self.state)
        self.assertIn("epoch 3 of 1970-01-01T00:00:00Z\n", out)
        self.assertIn("words   goes on: 1 position, 1 part of state with 1 bytes, of 1 task\n", out)
        self.assertIn("counts  goes on: 3 parts of state with 9 bytes, of 2 tasks\n", out)
        self.assertIn("shown   anew: the epoch has nothing of it\n", out)

    def test_what_would_be_lost_is_refused(self):
        self.keep(stage("count", [part("cells", "abc")]), stage("gone", [part("x", "y", TASK)]))
        out, err = self.plan("--against", self.state, code=78)
        self.assertIn("count   dropped: 1 part of state with 3 bytes", out)
        errors = [line for line in err.splitlines() if line.startswith("error 3004 ")]
        self.assertEqual(len(errors), 2, err)
        self.assertIn('name "counts" so again, or give --allow-drop to lose that', errors[0])
        self.assertIn("put it back, or give --allow-drop", errors[1])
        out, err = self.plan("--against", self.state, "--allow-drop")
        self.assertIn("gone    dropped: ", out)
        self.assertEqual(err, "")

    def test_an_ended_one_and_none(self):
        out, _ = self.plan("--against", self.state)
        self.assertIn("no epoch: all begins anew\n", out)
        self.keep(finished=True)
        out, _ = self.plan("--against", self.state)
        self.assertIn("the input has ended: nothing is left to do\n", out)
        self.assertEqual(self.plan("--against", f"{self.state}@3")[0], out)
        _, err = self.plan("--against", f"{self.state}@4", code=66)
        self.assert_error(err, 4001, "has no epoch 4")
        self.assertEqual([path.name for path in self.state.iterdir()], ["epoch-0000000003.ckpt"])

    def test_without_a_folder_it_explains(self):
        out, _ = self.plan()
        self.assertIn("counts [count", out)
        _, err = self.plan("--against", self.folder / "none", code=66)
        self.assert_error(err, 4001, self.folder / "none")


if __name__ == "__main__":
    unittest.main()
