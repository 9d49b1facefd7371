# A process that gets no more memory ends with a sentence, and its state folder is as after a kill.
import resource
import unittest

from harness import SLOWNESS, CliTest

ROWS = 30_000_000
LIMIT_BYTES = 280 << 20  # of address space; the tables of so many keys need more
TOPOLOGY = """
name: growing
spouts:
  - {id: in, type: generate, with: {fields: {k: index()}, count: %s}}
bolts:
  - {id: counts, type: count, with: {window: global()}}
  - {id: out, type: log, with: {path: "%s"}}
streams:
  - {from: in, to: counts, grouping: {type: fields, args: [k]}}
  - {from: counts, to: out}
"""


@unittest.skipUnless(SLOWNESS == 1, "a sanitizer needs the address space for itself")
class OutOfMemory(CliTest):
    def test_it_ends_with_a_sentence_and_goes_on_where_there_is_memory(self):
        state = self.folder / "state"
        out = self.folder / "out.jsonl"
        words = ("run", self.file("t.yaml", TOPOLOGY % (ROWS, out)), "--headless", "--state-dir",
                 state, "--checkpoint-interval", "50ms", "--memory", "100G")
        limit = (LIMIT_BYTES, LIMIT_BYTES)
        _, err = self.run_program("millrace", *words, code=69,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, limit))
        self.assert_error(err, 3002, "out of memory", "--memory", "ulimit -v")
        self.assertNotIn("dead-letter", err)
        self.run_program("millrace", "checkpoints", "verify", state)
        # The lock is nobody's, and what is kept is gone on with.
        self.run_program("millrace", *words, "--duration", "100ms")


if __name__ == "__main__":
    unittest.main()
