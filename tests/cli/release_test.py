# What earlier releases left is gone on with, exactly once; what a later one wrote is refused.
import collections
import json
import os
import struct
import tarfile
import unittest

from checkpoint_bytes import crc32c
from harness import ROOT, CliTest

RELEASES = sorted((ROOT / "tests/golden").glob("release-*.tar.gz"))
OUTPUTS = ("sums", "windows", "ordered")
HEAD = struct.Struct("<8sIQ")  # of a segment: kind, version, base offset; then their CRC


def of_version(content, version):
    """A segment, or another file of a journal, as if a later format had it; its checksums fit."""
    later = bytearray(content)
    struct.pack_into("<I", later, 8, version)
    if content.startswith(b"MRJsegmt"):
        struct.pack_into("<I", later, HEAD.size, crc32c(bytes(later[:HEAD.size])))
    else:
        struct.pack_into("<I", later, len(later) - 4, crc32c(bytes(later[:-4])))
    return bytes(later)


class Release(CliTest):
    def unpack(self, release):
        folder = self.folder / release.name
        with tarfile.open(release) as packed:
            packed.extractall(folder)
        return folder

    def run_on(self, folder, code=0):
        return self.run_program("millrace", "run", folder / "oracle.yaml", "--property",
                                f"folder={folder}", "--state-dir", folder / "state", "--headless",
                                "--json", code=code)

    @staticmethod
    def update_of(output, record):
        return record["n"] if output == "ordered" else [record["count"], record["sum"]]

    def of_journal(self, folder, output):
        out, _ = self.run_program("millrace", "journal", "consume", folder / output, "t", "--json")
        return [json.loads(json.loads(line)["value"]) for line in out.splitlines()]

    def assert_updates(self, output, records, expected):
        seen = collections.defaultdict(list)
        for record in records:
            seen[record["k"]].append(self.update_of(output, record))
        self.assertEqual(seen, expected[output], output)

    def test_a_killed_run_of_each_release_is_gone_on_with(self):
        self.assertTrue(RELEASES)
        for release in RELEASES:
            folder = self.unpack(release)
            newest = sorted((folder / "state").glob("*.ckpt"))[-1]
            before = {output: self.of_journal(folder, output) for output in OUTPUTS}
            out, _ = self.run_on(folder)
            taken = json.loads(out.splitlines()[-1])["checkpoints"]["restored_from"]
            self.assertEqual(taken, int(newest.stem.split("-")[1]))
            expected = json.loads((folder / "expected.json").read_text())
            for output in OUTPUTS:
                records = self.of_journal(folder, output)
                self.assertGreater(len(records), len(before[output]))
                self.assert_updates(output, records, expected)
            lines = (folder / "files/sums.jsonl").read_text().splitlines()
            self.assert_updates("sums", map(json.loads, lines), expected)

    def test_its_journals_and_epochs_are_whole(self):
        for release in RELEASES:
            folder = self.unpack(release)
            self.run_program("millrace", "checkpoints", "verify", folder / "state")
            for name in ("in", *OUTPUTS):
                self.run_program("millrace", "journal", "verify", folder / name)

    def test_a_journal_of_a_later_format_is_refused_and_left_alone(self):
        first = self.unpack(RELEASES[0])
        segment = max((first / "in/t").glob("*/*.log"), key=lambda path: path.stat().st_size)
        for path in (first / "in/journal", first / "in/t/topic", segment):
            with self.subTest(path.name):
                content = path.read_bytes()
                later = of_version(content, 2)
                path.write_bytes(later)
                for words in (("journal", "consume", first / "in", "t"),
                              ("journal", "produce", first / "in", "t", os.devnull)):
                    _, err = self.run_program("millrace", *words, code=65)
                    self.assert_error(err, 4004, path, "has format version 2, this program knows "
                                      "version 1: use the program that wrote it, or a later one")
                self.run_on(first, code=65)
                self.assertEqual(path.read_bytes(), later)
            path.write_bytes(content)


if __name__ == "__main__":
    unittest.main()
