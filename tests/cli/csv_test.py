# CSV as a person meets it: files of every kind, columns that do not fit, rows that do not fit.
import gzip
import unittest

from harness import CliTest

HEADER = b"name,times,price,at\n"
ROW = b'a,1,2.5,2024-01-01T10:00:00Z\n'
SUMS = "name,sum,window_start,window_end\n"


class Csv(CliTest):
    def sums(self, content, *flags, code=0):
        path = self.file("input.csv", content)
        out, err = self.run_program("columns", path, "none", "--ui", "off", *flags, code=code)
        return out, err, path

    def test_rows_of_windows(self):
        out, _, _ = self.sums(HEADER + ROW + ROW + b'"b, c",3,,2024-01-02\n')
        self.assertEqual(out, SUMS + "a,2,2024-01-01T00:00:00Z,2024-01-02T00:00:00Z\n"
                         '"b, c",3,2024-01-02T00:00:00Z,2024-01-03T00:00:00Z\n')

    def test_written_as_it_was_read(self):
        rows = (HEADER + ROW + b'"x ""y""\nz",-3,,1900-01-01T00:00:00Z\n' +
                b'"",0,0.1,2300-12-31T23:59:59.123456Z\n')
        for content in (rows, gzip.compress(rows), b"\xef\xbb\xbf" + rows):
            path, out = self.file("input.csv", content), self.folder / "out.csv"
            self.run_program("columns", path, out, "--ui", "off")
            self.assertEqual(out.read_bytes(), rows)

    def test_empty(self):
        for content in (b"", HEADER):
            self.assertEqual(self.sums(content)[0], SUMS)

    def test_a_column_is_missing(self):
        _, err, path = self.sums(b"nam,times,at\nx,1,2024-01-01\n", code=65)
        self.assert_error(err, 4006, path, 'no column "name"', '"nam", "times", "at"',
                          'did you mean "nam"?', "std::optional")

    def test_utf16(self):
        _, err, path = self.sums(HEADER.decode().encode("utf-16"), code=66)
        self.assert_error(err, 4001, path, "UTF-16", "iconv")

    def test_rows_that_do_not_fit(self):
        bad = {
            b"a,many,1,2024-01-01": 'field "times": expected an integer, found "many"',
            b"a,99999999999999999999,1,2024-01-01": 'field "times"',
            b"a,1,1,yesterday": 'field "at": expected a time',
            b"a,1,1": "the row has 3 cells, where 4 are wanted",
            b'"a"b,1,1,2024-01-01': "between a closing quote",
            b"a\xff,1,1,2024-01-01": "not valid UTF-8",
        }
        for row, reason in bad.items():
            path = self.file("input.csv", HEADER + ROW + row + b"\n" + ROW)
            summary, err = self.summary("columns", path, self.folder / "out.csv")
            self.assertEqual((summary["records_in"], summary["dead_letters"]), (2, 1), row)
            letter, = summary["recent_dead_letters"]
            self.assertEqual(letter["where"], f"{path}:3")
            self.assertIn(reason, letter["reason"])
            self.assertIn(f"{path}:3", err)

    def test_nul_bytes_are_text(self):
        out, _, _ = self.sums(HEADER + b"a\0b,1,,2024-01-01\n")
        self.assertIn("a\0b,1,", out)


if __name__ == "__main__":
    unittest.main()
