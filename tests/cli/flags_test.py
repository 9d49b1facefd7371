# The command line: wrong flags are refused with what is wrong and what to do; what flags promise.
import json
import unittest

from harness import CliTest, taken_port


class WrongFlag(CliTest):
    def refused(self, number, flags, *parts, code=64):
        for program, first in (("millrace", ["demo"]), ("wordcount", ["none.jsonl", "none"])):
            out, err = self.run_program(program, *first, *flags, code=code)
            self.assert_error(err, number, *parts)
            self.assertEqual(out, "")

    def test_unknown(self):
        self.refused(1001, ["--paralelism", "2"], "no such flag", "did you mean --parallelism?")
        self.refused(1001, ["--headles"], "did you mean --headless?")
        self.refused(1001, ["--xyzzy=3"], "--xyzzy: there is no such flag; --help lists them")
        _, err = self.run_program("wordcount", "none.jsonl", "none", "surplus", code=64)
        self.assert_error(err, 1001, "surplus", "takes no such argument")
        _, err = self.run_program("millrace", "demo", "surplus", code=64)
        self.assert_error(err, 1001, "surplus: there is no such demo", "demo --help")

    def test_value_out_of_range(self):
        for flags, wanted in (
                (["--parallelism", "0"], "from 1 to 128"), (["--parallelism", "129"], "1 to 128"),
                (["--parallelism", "two"], "1 to 128"), (["--parallelism", "-1"], "1 to 128"),
                (["--executors", "0"], "from 1 to 256"), (["--limit", "0"], "from 1 to"),
                (["--speed", "0"], "greater than 0"), (["--speed", "fast"], "or max"),
                (["--speed", "nan"], "or max"), (["--duration", "5"], "with its unit"),
                (["--duration", "0s"], "longer than 0"), (["--summary", "xml"], "text or json"),
                (["--log-level", "loud"], "debug, info, warn, error or off"),
                (["--seed", "x"], "from 0 to"), (["--line-bytes-max", "0"], "from 1 to"),
                (["--memory", "15M"], "at least 16M"), (["--memory", "lots"], "at least 16M"),
                (["--ui", "8080"], "HOST:PORT"), (["--ui", "127.0.0.1:99999"], "0 to 65535"),
                (["--headless", "--ui", "127.0.0.1:0"], "contradict")):
            with self.subTest(flags=flags):
                self.refused(1002, flags, flags[0], wanted)

    def test_value_missing(self):
        self.refused(1002, ["--parallelism"], "--parallelism: its value is missing", "--help")

    def test_guarantee(self):
        self.refused(1002, ["--guarantee", "exactly_once"], "give --state-dir DIR")
        self.refused(1002, ["--guarantee", "twice"],
                     "give at_most_once, at_least_once or exactly_once")

    def test_address_of_others(self):
        for address in ("0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.com:0"):
            host = address.rpartition(":")[0].strip("[]")
            self.refused(5002, ["--ui", address], host, "127.0.0.1", "ssh -L")

    def test_command(self):
        _, err = self.run_program("millrace", "dmeo", code=64)
        self.assert_error(err, 1001, "dmeo", "no such command", "did you mean demo?")
        out, _ = self.run_program("millrace", code=64)
        self.assertIn("usage: millrace COMMAND", out)


class Promise(CliTest):
    def words(self, *flags):
        path = self.file("in.jsonl", "".join(f'{{"word":"w{i}","times":1}}\n' for i in range(99)))
        return self.summary("wordcount", path, "none", *flags)[0]

    def test_help_and_version(self):
        for command in (["help"], ["--help"]):
            self.assertIn("demo", self.run_program("millrace", *command)[0])
        self.assertRegex(self.run_program("millrace", "version")[0], r"^millrace \d+\.\d+\.\d+\n$")
        for program, first in (("millrace", ["demo"]), ("wordcount", ["x", "none"])):
            out, _ = self.run_program(program, *first, "--help")
            for flag in ("parallelism", "executors", "ui", "speed", "duration", "limit", "explain",
                         "log-level", "seed", "summary", "headless", "json", "guarantee"):
                self.assertIn(f"--{flag}", out)

    def test_explain_runs_nothing(self):
        out, err = self.run_program("wordcount", self.folder / "missing", "none", "--explain",
                                    "--parallelism", 3)
        for part in ("topology wordcount", "3 tasks", "entries", "check", "at most once"):
            self.assertIn(part, out)
        self.assertEqual(err, "")

    def test_limit(self):
        summary = self.words("--limit", 40)
        self.assertEqual((summary["records_in"], summary["state"]), (40, "finished"))
        self.assertEqual(len(summary["views"]["words"]), 40)

    def test_parallelism_and_executors(self):
        for flags in (["--parallelism", 4], ["--parallelism", 8, "--executors", 3]):
            summary = self.words(*flags)
            self.assert_counted(summary)
            self.assertEqual(summary["components"]["check"]["tasks"], flags[1])
            executors = summary["executors"]
            self.assertEqual(executors["auto"], "--executors" not in flags)
            if not executors["auto"]:
                self.assertEqual((executors["now"], executors["most"]), (3, 3))
            self.assertGreaterEqual(executors["most"], executors["now"])
            self.assertGreater(summary["cpu_ms"], 0)
            self.assertEqual({row["word"] for row in summary["views"]["words"]},
                             {f"w{i}" for i in range(99)})

    def test_guarantee_that_exists(self):
        self.assertEqual(self.words("--guarantee", "at_most_once")["records_in"], 99)
        summary = self.words("--guarantee", "at_least_once")
        self.assertEqual(summary["records_in"], 99)
        acks = next(c["acks"] for c in summary["components"].values() if "acks" in c)
        self.assertEqual((acks["tried"], acks["acked"]), (99, 99))

    def test_forms_of_the_summary(self):
        path = self.file("in.jsonl", '{"word":"a","times":1}\n')
        out, err = self.run_program("wordcount", path, "none", "--ui", "off")
        self.assertEqual(out, "")
        self.assertRegex(err, r"wordcount finished after [\d.]+ s: 1 records in, \d+ out")
        for flags in (["--json"], ["--summary", "json"]):
            out, err = self.run_program("wordcount", path, "none", "--ui", "off", *flags)
            self.assertEqual((json.loads(out)["records_in"], err), (1, ""))

    def test_dead_letters_are_not_logged_when_the_log_is_off(self):
        path = self.file("in.jsonl", "nope\n")
        summary, err = self.summary("wordcount", path, "none", "--log-level", "off")
        self.assertEqual((summary["dead_letters"], err), (1, ""))


class Port(CliTest):
    def test_asked_for_and_taken(self):
        listener, port = taken_port()
        with listener:
            out, err = self.run_program("wordcount", "/dev/null", "none", "--ui",
                                        f"127.0.0.1:{port}", code=69)
        self.assert_error(err, 5001, f"port {port} is taken", "--ui HOST:PORT", "--ui off")
        self.assertEqual(out, "")

    def test_any_free_one(self):
        _, err = self.run_program("wordcount", "/dev/null", "none", "--ui", "127.0.0.1:0")
        self.assertRegex(err, r"the page is at http://127\.0\.0\.1:\d+")


if __name__ == "__main__":
    unittest.main()
