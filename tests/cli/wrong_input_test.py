# Input that is wrong: what a person sees, what is counted, and with what code the program ends.
import gzip
import os
import pathlib
import unittest

from harness import CliTest

GOOD = b'{"word":"a","times":2}\n'


class WrongFile(CliTest):
    def test_missing(self):
        path = self.folder / "missing.jsonl"
        _, err = self.run_program("wordcount", path, "none", "--ui", "off", code=66)
        self.assert_error(err, 4001, path, "No such file", "check the path")

    def test_directory(self):
        _, err = self.run_program("wordcount", self.folder, "none", "--ui", "off", code=66)
        self.assert_error(err, 4001, self.folder, "it is a directory", "name a file in it")

    def test_unreadable(self):
        path = self.file("closed.jsonl", GOOD)
        path.chmod(0)
        if os.access(path, os.R_OK):
            # Root may read every file; one of /proc refuses even root.
            path = pathlib.Path("/proc/self/mem")
            _, err = self.run_program("wordcount", path, "none", "--ui", "off", code=66)
            self.assert_error(err, 4001, path, "cannot be read")
            return
        _, err = self.run_program("wordcount", path, "none", "--ui", "off", code=66)
        self.assert_error(err, 4001, path, "Permission denied", "check the permissions")

    def test_cut_gzip(self):
        whole = gzip.compress(b"".join(b'{"word":"w%d","times":1}\n' % i for i in range(20000)))
        path = self.file("cut.gz", whole[:len(whole) // 2])
        summary, err = self.summary("wordcount", path, "none", code=65)
        self.assert_error(err, 4004, path, "ends in the middle", "offset", "gzip -t")
        self.assertEqual(summary["state"], "failed")
        self.assertIn("4004", summary["error"])
        self.assertGreater(summary["records_in"], 0)
        self.assertEqual(summary["views"]["words"], [])

    def test_damaged_gzip(self):
        path = self.file("bad.gz", b"\x1f\x8b" + b"x" * 100)
        _, err = self.run_program("wordcount", path, "none", "--ui", "off", code=65)
        self.assert_error(err, 4004, path, "is damaged")

    def test_whole_gzip_and_an_empty_file(self):
        path = self.file("good.gz", gzip.compress(GOOD * 3))
        self.assertEqual(self.summary("wordcount", path, "none")[0]["records_in"], 3)
        path = self.file("empty.jsonl", b"")
        self.assertEqual(self.summary("wordcount", path, "none")[0]["records_in"], 0)


class WrongLine(CliTest):
    def dead_letter(self, line, reason, *flags):
        """`line` between two good ones is set aside with file, line number, reason and text."""
        path = self.file("input.jsonl", GOOD + line + b"\n" + GOOD)
        summary, err = self.summary("wordcount", path, "none", *flags)
        self.assert_counted(summary)
        self.assertEqual((summary["records_in"], summary["dead_letters"]), (2, 1))
        self.assertEqual(summary["views"]["words"], [{"word": "a", "sum": 4}])
        letter, = summary["recent_dead_letters"]
        self.assertEqual((letter["component"], letter["where"]), ("entries", f"{path}:2"))
        self.assertIn(reason, letter["reason"])
        self.assertIn(f"{path}:2", err)
        return letter

    def test_broken(self):
        letter = self.dead_letter(b'{"word":"b","times":', "not valid JSON at byte")
        self.assertEqual(letter["record"], '{"word":"b","times":')

    def test_text_behind_the_object(self):
        self.dead_letter(b'{"word":"b","times":1} x', "not valid JSON at byte")

    def test_wrong_type(self):
        self.dead_letter(b'{"word":"b","times":"many"}', 'field "times": expected an integer')

    def test_too_great(self):
        self.dead_letter(b'{"word":"b","times":9223372036854775808}', 'field "times"')

    def test_not_an_object(self):
        self.dead_letter(b'["b",1]', "expected an object, found an array")

    def test_invalid_utf8(self):
        letter = self.dead_letter(b'{"word":"\xff\xfe","times":1}', "not valid UTF-8")
        self.assertIn("\ufffd", letter["record"])

    def test_field_missing(self):
        self.dead_letter(b'{"word":"b"}', 'field "times" is missing')

    def test_shown_to_people(self):
        path = self.file("input.jsonl", b"nope\n" + GOOD)
        _, err = self.run_program("wordcount", path, "none", "--ui", "off")
        self.assertIn("1 records in", err)
        self.assertIn("1 dead letters", err)
        self.assertIn(f"dead letter: entries {path}:1: not valid JSON", err)

    def test_only_the_first_are_logged(self):
        path = self.file("input.jsonl", b"nope\n" * 5000)
        summary, err = self.summary("wordcount", path, "none")
        self.assertEqual(summary["dead_letters"], 5000)
        self.assertLess(err.count("dead-letter"), 100)
        self.assertIn("counted, not logged", err)


class Lines(CliTest):
    def words(self, content, *flags):
        path = self.file("input.jsonl", content)
        return self.summary("wordcount", path, "none", *flags)[0], path

    def test_crlf_blank_lines_and_no_newline_at_the_end(self):
        summary, _ = self.words(b'{"word":"a","times":1}\r\n\r\n\n{"word":"a","times":2}')
        self.assertEqual((summary["records_in"], summary["dead_letters"]), (2, 0))
        self.assertEqual(summary["views"]["words"], [{"word": "a", "sum": 3}])

    def test_too_long(self):
        long = b'{"word":"' + b"x" * 5000 + b'","times":1}'
        summary, path = self.words(GOOD + long + b"\n" + GOOD + long, "--line-bytes-max", 4096)
        self.assertEqual((summary["records_in"], summary["dead_letters"]), (2, 2))
        last, first = summary["recent_dead_letters"]
        self.assertEqual(first["where"], f"{path}: byte {len(GOOD)}")
        self.assertEqual(last["where"], f"{path}: byte {2 * len(GOOD) + len(long) + 1}")
        for letter in (first, last):
            self.assertIn(f"{len(long)} bytes", letter["reason"])
            self.assertIn("--line-bytes-max", letter["reason"])

    def test_longer_than_16_mib_by_default(self):
        long = b'{"word":"' + b"x" * (16 << 20) + b'","times":1}'
        summary, path = self.words(GOOD + long + b"\n" + GOOD)
        self.assertEqual((summary["records_in"], summary["dead_letters"]), (2, 1))
        self.assertEqual(summary["recent_dead_letters"][0]["where"], f"{path}: byte {len(GOOD)}")

    def test_as_long_as_allowed(self):
        line = b'{"word":"' + b"x" * 100 + b'","times":1}'
        summary, _ = self.words(line + b"\n", "--line-bytes-max", len(line))
        self.assertEqual((summary["records_in"], summary["dead_letters"]), (1, 0))


class WrongCode(CliTest):
    def test_a_bolt_that_throws(self):
        marked = b'{"word":"throw","times":1}\n'
        path = self.file("input.jsonl", GOOD + marked + GOOD)
        for parallelism in (1, 3):
            summary, err = self.summary("wordcount", path, "none", "--parallelism", parallelism)
            self.assert_counted(summary)
            self.assertEqual((summary["records_in"], summary["dead_letters"]), (3, 1))
            self.assertEqual(summary["views"]["words"], [{"word": "a", "sum": 4}])
            letter, = summary["recent_dead_letters"]
            self.assertEqual(letter["component"], "check")
            self.assertEqual(letter["reason"], "this word is marked")
            self.assertEqual(letter["record"], '{"word":"throw","times":1}')
            self.assertIn("this word is marked", err)

    def test_code_that_throws_where_no_record_can_be_set_aside(self):
        marked = {
            '"ranking" threw': b'{"word":"throw-in-top","times":-1}\n',
        }
        for sentence, line in marked.items():
            path = self.file("input.jsonl", GOOD + line)
            summary, err = self.summary("wordcount", path, "none", code=70)
            self.assert_error(err, 3001, sentence, "the topology stops")
            self.assertEqual(summary["state"], "failed")

    def test_a_sink_function_that_throws(self):
        path = self.file("input.jsonl", GOOD + b'{"word":"throw-in-each","times":1}\n')
        summary, _ = self.summary("wordcount", path, "none")
        self.assertEqual(summary["dead_letters"], 1)
        letter, = summary["recent_dead_letters"]
        self.assertEqual(letter["component"], "each")
        self.assertEqual(letter["reason"], "an exception that is not a std::exception")

    def test_a_topology_that_cannot_run(self):
        out, err = self.run_program("wordcount", "none.jsonl", "wrong-topology", code=78)
        errors = err.splitlines()
        for number, *parts in (
                (2002, 'view "words"', "the name is taken"),
                (2010, "top(0) keeps nothing", "at least 1"),
                (2006, '"by minute"', ".event_time("),
                (2004, '"by minute"', "nothing reads", ".to(...)")):
            line, = [line for line in errors if line.startswith(f"error {number} ")]
            for part in parts:
                self.assertIn(part, line)
        self.assertEqual(out, "")

    def test_code_that_throws_when_it_opens(self):
        path = self.file("input.jsonl", GOOD)
        _, err = self.run_program("wordcount", path, "throw-in-prepare", "--ui", "off", code=70)
        self.assert_error(err, 3001, '"check" threw while it opened', "no dictionary")


class WrongOutput(CliTest):
    def test_cannot_be_created(self):
        path, out = self.file("input.jsonl", GOOD), self.folder / "none" / "out.jsonl"
        _, err = self.run_program("wordcount", path, out, "--ui", "off", code=73)
        self.assert_error(err, 4002, out, "No such file", "check the path")

    def test_full(self):
        path = self.file("input.jsonl", GOOD)
        summary, err = self.summary("wordcount", path, "/dev/full", code=74)
        self.assert_error(err, 4002, "/dev/full", "No space left", "free some space")
        self.assertEqual(summary["state"], "failed")

    def test_closed_by_its_reader(self):
        line = b'{"word":"a","times":1}\n'
        path = self.file("big.jsonl", line * 200000)
        for flags in (["--ui", "off"], ["--headless", "--json"]):
            process = self.start("wordcount", path, "-", *flags)
            self.assertEqual(process.stdout.readline(), line)
            process.stdout.close()
            process.stdout = None
            _, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0, err)
            self.assertNotIn(b"error", err)

    def test_written_whole(self):
        path, out = self.file("input.jsonl", GOOD * 3), self.folder / "out.jsonl"
        self.run_program("wordcount", path, out, "--ui", "off")
        self.assertEqual(out.read_bytes(), GOOD * 3)


if __name__ == "__main__":
    unittest.main()
