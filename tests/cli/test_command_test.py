# `millrace test`: what a failing case shows, JUnit's report, and files that are wrong themselves.
import unittest
import xml.etree.ElementTree

from harness import CliTest

GOOD = """=== good
--- run wordcount in.jsonl none
--- file in.jsonl
{"word":"a","times":2}
--- summary
records_in = 1
"""
BAD = """=== bad
--- run columns in.csv none
--- file in.csv
name,times,price,at
a,1,,2024-01-01
--- stdout
name,sum,window_start,window_end
a,2,2024-01-01T00:00:00Z,2024-01-02T00:00:00Z
--- summary
records_in = 7
no/such/part = 1
--- exit 3
--- error 4001
--- stderr has
never said
--- output none.csv
"""


class TestCommand(CliTest):
    def test_passes(self):
        out, _ = self.run_program("millrace", "test", self.file("good.test", GOOD * 2))
        self.assertEqual(out, "2 cases, 0 failed\n")

    def test_shows_what_differs(self):
        path, report = self.file("both.test", GOOD + BAD), self.folder / "junit.xml"
        out, _ = self.run_program("millrace", "test", "--junit", report, path, code=1)
        for text in ("2 cases, 1 failed", f"FAILED {path}:7 bad",
                     f"{path}:12: standard output differs", "    - a,2,2024", "    + a,1,2024",
                     f"{path}:16: records_in of the summary differs",
                     f'{path}:17: the summary has no "no/such/part"',
                     f"{path}:18: it ended with code 0, expected 3",
                     f"{path}:19: it reported no error, expected error 4001",
                     'does not have "never said"', '"none.csv" was not written'):
            self.assertIn(text, out)
        suite = xml.etree.ElementTree.parse(report).getroot()
        self.assertEqual((suite.get("tests"), suite.get("failures")), ("2", "1"))
        self.assertEqual([case.find("failure") is None for case in suite], [True, False])

    def test_a_blank_or_marked_line_can_be_said(self):
        lines = "\n\\--- x\n\\\n"
        path = self.file("lines.test", "=== lines\n--- command /bin/cat\n--- stdin\n" + lines +
                         "--- stdout\n" + lines)
        self.run_program("millrace", "test", path)

    def test_wrong_files(self):
        for text, wanted in (
                ("", "the file has no case"), ("x\n", "text outside of a section"),
                ("--- stdin\n", "a section before the first case"),
                ("=== a\n", "runs nothing"),
                ("=== a\n--- run\n", "the name of a program is missing"),
                ("=== a\n--- rum x\n", "a section is run, command"),
                ("=== a\n--- exit x\n", "give the code as a number")):
            path = self.file("wrong.test", text)
            _, err = self.run_program("millrace", "test", path, code=64)
            self.assert_error(err, 1002, path, wanted)
        path = self.file("t.test", "=== a\n--- run x\n--- topology\n")
        _, err = self.run_program("millrace", "test", path, code=64)
        self.assert_error(err, 1002, "the case runs something already")
        path = self.file("t.test", "=== a\n--- topology\nname: x\n--- exit 78\n--- stderr has\n"
                         "topology.yaml:1:1: error: the topology has no spouts\n")
        self.run_program("millrace", "test", path)
        _, err = self.run_program("millrace", "test", self.folder / "missing.test", code=66)
        self.assert_error(err, 4001, "cannot be read")
        _, err = self.run_program("millrace", "test", code=64)
        self.assert_error(err, 1002, "name at least one file")
        path = self.file("t.test", "=== a\n--- run nothing\n")
        out, _ = self.run_program("millrace", "test", path, code=1)
        self.assertIn("is no program", out)


if __name__ == "__main__":
    unittest.main()
