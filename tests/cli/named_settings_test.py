# What flags say once a run, a YAML file may say for all: state folder, tries, bounds; flags win.
import json
import unittest

from harness import CliTest

ROWS = 'fields: {id: int}'


class NamedSettings(CliTest):
    def topology(self, *config):
        rows = self.file("rows.jsonl", "".join(f'{{"id":{n}}}\n' for n in range(20)))
        return self.file("t.yaml", f"""
name: small
config: {{{", ".join(config)}}}
spouts:
  - {{id: rows, type: json_lines, with: {{path: {rows}, {ROWS}}}}}
bolts:
  - {{id: out, type: print}}
streams:
  - {{from: rows, to: out}}
""")

    def plan(self, path, *flags):
        return self.run_program("millrace", "plan", path, *flags)[0]

    def run_yaml(self, path, *flags, code=0):
        return self.run_program("millrace", "run", path, "--headless", *flags, code=code)

    def test_yaml_has_the_guarantee_and_flags_come_first(self):
        path = self.topology("topology.guarantee: at_least_once", "topology.tries: 7")
        self.assertIn("at least once, 7 tries a message", self.plan(path))
        self.assertIn("at least once, 2 tries a message", self.plan(path, "--tries", "2"))
        self.assertIn("at most once", self.plan(path, "--guarantee", "at_most_once"))
        self.assertIn("at least once, 3 tries a message",
                      self.plan(self.topology(), "--guarantee", "at_least_once"))

    def test_yaml_says_where_the_state_is(self):
        state = self.folder / "state"
        path = self.topology(f"topology.state_dir: {state}", "topology.checkpoint_interval: 20ms")
        self.assertIn("exactly once", self.plan(path))
        self.assertFalse(state.exists(), "a plan changes nothing")
        out, _ = self.run_yaml(path)
        self.assertEqual(len(out.splitlines()), 20)
        self.assertTrue(list(state.glob("epoch-*.ckpt")))
        out, err = self.run_yaml(path)
        self.assertEqual(out, "")
        self.assertIn("all of its input is done", err)
        other = self.folder / "other"
        out, _ = self.run_yaml(path, "--state-dir", other)
        self.assertEqual(len(out.splitlines()), 20)
        self.assertTrue(list(other.glob("epoch-*.ckpt")))

    def test_mistakes_have_their_place(self):
        for config, wanted in (
                ("topology.tries: 0", "1 to 255"), ("topology.tries: many", "1 to 255"),
                ("topology.max_pending: -1", "whole number from 0"),
                ("topology.message_timeout: 30", "with its unit"),
                ("topology.message.timeout.secs: 30s", "number of seconds"),
                ("topology.max.spout.pending: x", "whole number from 0"),
                ("topology.guarantee: twice", "at_least_once or exactly_once"),
                ("topology.checkpoint_interval: 1ms", "at least 10ms"),
                ('topology.state_dir: ""', "path of a folder"),
                ("topology.state_dri: x", 'did you mean "topology.state_dir"?'),
                ("state_dir: x", 'did you mean "topology.state_dir"?')):
            with self.subTest(config=config):
                path = self.topology(config)
                for command in (["validate", path], ["run", path, "--headless"]):
                    _, err = self.run_program("millrace", *command, code=78)
                    self.assertIn("t.yaml:3:", err)
                    self.assertIn(wanted, err)
                    self.assertIn("1 mistake", err)

    def test_names_of_components_and_of_storm_are_left_alone(self):
        path = self.topology("topology.workers: 4", "state: mine", "topology.debug: true",
                             "topology.max.spout.pending: 100", "topology.max.task.parallelism: 2",
                             "topology.message.timeout.secs: 5")
        self.assertIn("right", self.run_program("millrace", "validate", path)[0])

    def test_schema_names_them(self):
        config = json.loads(self.run_program("millrace", "schema")[0])["properties"]["config"]
        for name in ("tries", "max_pending", "message_timeout", "state_dir", "checkpoint_interval",
                     "guarantee", "max.spout.pending", "message.timeout.secs"):
            self.assertIn("topology." + name, config["properties"])


class Tries(CliTest):
    def poison(self, *flags, code=0):
        orders = self.file("orders.jsonl", '{"id":1,"kind":"shy"}\n{"id":2,"kind":"good"}\n')
        return self.run_program("poison", orders, self.folder / "out", self.folder / "errors", "-",
                                "--headless", "--json", *flags, code=code)

    def dead(self, *flags):
        summary = json.loads(self.poison("--guarantee", "at_least_once", *flags)[0])
        return summary["components"]["check"]["dead_lettered"]

    def test_a_flag_says_how_often(self):
        self.assertEqual(self.dead("--tries", "1"), 1)
        self.assertEqual(self.dead("--tries", "2"), 0)
        self.assertEqual(self.dead("--max-pending", "1", "--message-timeout", "5s"), 0)

    def test_flags_are_of_at_least_once(self):
        for flag in (["--tries", "5"], ["--max-pending", "10"], ["--message-timeout", "1s"]):
            _, err = self.poison(*flag, code=64)
            self.assert_error(err, 1002, " ".join(flag), "--guarantee at_least_once")

    def test_values_out_of_range(self):
        for flag, value, wanted in (("--tries", "0", "1 to 255"), ("--tries", "256", "1 to 255"),
                                    ("--max-pending", "-1", "from 0"),
                                    ("--max-pending", "some", "from 0"),
                                    ("--message-timeout", "0s", "longer than 0"),
                                    ("--message-timeout", "5", "with its unit")):
            _, err = self.poison(flag, value, code=64)
            self.assert_error(err, 1002, f"{flag} {value}", wanted)


if __name__ == "__main__":
    unittest.main()
