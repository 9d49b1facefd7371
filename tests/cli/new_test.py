# `millrace new`: what it writes and refuses (stage 25-package builds and runs what it wrote).
import os
import pathlib
import subprocess
import tempfile
import unittest

from harness import BIN, PATIENCE_S, CliTest


class New(CliTest):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def new(self, *names, code=0):
        return self.run_program("millrace", "new", *names, code=code, cwd=self.folder)

    def test_writes_a_program_that_bears_the_name(self):
        out, err = self.new("my-stream_2")
        self.assertEqual(err, "")
        self.assertIn("cd my-stream_2\n  make run\n", out)
        self.assertIn("make install", out, "it runs from where it was built")
        written = {path.name: path.read_text() for path in (self.folder / "my-stream_2").iterdir()}
        self.assertEqual(sorted(written), [".gitignore", "CMakeLists.txt", "Makefile", "README.md",
                                           "main.cpp", "visits.jsonl"])
        for name, text in written.items():
            self.assertNotRegex(text, "@[A-Z]+@", name)
        self.assertIn('Topology topology("my-stream_2")', written["main.cpp"])
        self.assertIn("project(my-stream_2 ", written["CMakeLists.txt"])

    def test_refuses_a_name_that_is_none(self):
        for name in ("", "Upper", "2nd", "a b", "../x", "a/b", "x" * 65, "test", "all"):
            _, err = self.new(name, code=64)
            self.assert_error(err, 1002, f"new {name}:", "such as my-stream")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_takes_one_name(self):
        for names in ((), ("a", "b")):
            _, err = self.new(*names, code=64)
            self.assert_error(err, 1002, f"got {len(names)}", "millrace new my-stream")

    def test_never_writes_over_what_is_there(self):
        (self.folder / "taken").mkdir()
        (self.folder / "file").write_text("mine")
        for name in ("taken", "file"):
            _, err = self.new(name, code=73)
            self.assert_error(err, 4002, f"new {name}:", "choose another name")
        self.assertEqual((self.folder / "file").read_text(), "mine")
        self.assertEqual(list((self.folder / "taken").iterdir()), [])

    def test_help(self):
        out, _ = self.new("--help")
        self.assertIn("usage: millrace new NAME", out)

    @unittest.skipIf(os.geteuid() == 0, "rights do not bind the administrator")
    def test_a_folder_that_may_not_be_written(self):
        self.folder.chmod(0o500)
        self.addCleanup(self.folder.chmod, 0o700)
        _, err = self.new("mine", code=73)
        self.assert_error(err, 4002, "new mine:", "a folder that you may write in")

    def test_a_full_disk_is_said(self):
        script = f"ulimit -f 4; trap '' XFSZ; exec '{BIN}/millrace' new mine"
        done = subprocess.run(["bash", "-c", script], cwd=self.folder, capture_output=True,
                              timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 73, done.stderr)
        self.assert_error(done.stderr.decode(), 4002, "cannot be written", "visits.jsonl")


if __name__ == "__main__":
    unittest.main()
