# A program's own spouts and bolts, named in a topology in YAML that it runs.
import json
import unittest

import harness

EXAMPLE = harness.ROOT / "examples/own_components.yaml"


class OwnComponents(harness.CliTest):
    def test_the_file_runs_with_them(self):
        for flags in ((), ("--parallelism", "3")):
            out, _ = self.run_program("own_components", "run", EXAMPLE, "--headless", *flags,
                                      "--property", "count=70")
            rows = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
            # 70 seconds from 22:13:20 on: amounts 0 to 60 in turn, of which 40, 50, 60 are great.
            self.assertEqual(
                sorted((row["window_start"][11:16], row["shop"], row["size"], row["count"])
                       for row in rows),
                [("22:13", "north", "great", 8), ("22:13", "north", "small", 12),
                 ("22:13", "south", "great", 8), ("22:13", "south", "small", 12),
                 ("22:14", "north", "great", 7), ("22:14", "north", "small", 8),
                 ("22:14", "south", "great", 7), ("22:14", "south", "small", 8)])

    def test_mistakes_are_found_as_of_the_others(self):
        text = EXAMPLE.read_text(encoding="utf-8")
        for old, new, wanted in (
                ("large: 40", "larg: 40", 'judge has no parameter "larg": did you mean "large"?'),
                ("large: 40", "large: much", '"large" is a number, found much'),
                ("type: judge", "type: jugde", 'there is no bolt "jugde": did you mean "judge"?'),
                ("args: [shop, size]", "args: [shop, sise]",
                 'there is no field "sise": did you mean "size"?')):
            with self.subTest(new):
                path = self.file("wrong.yaml", text.replace(old, new))
                _, err = self.run_program("own_components", "validate", path, code=78)
                self.assertIn(wanted, err)

    def test_rows_that_do_not_fit_its_record(self):
        text = EXAMPLE.read_text(encoding="utf-8")
        path = self.file("wrong.yaml", text.replace(
            "bolts:\n",
            "bolts:\n  - {id: few, type: select, with: {fields: [shop, at]}}\n").replace(
                "{from: sold, to: judged}", "{from: sold, to: few}\n  - {from: few, to: judged}"))
        _, err = self.run_program("own_components", "validate", path, code=78)
        self.assertIn('judge does not fit its rows: it needs the field "amount"', err)

    def test_the_schema_has_them(self):
        out, _ = self.run_program("own_components", "schema")
        definitions = json.loads(out)["definitions"]
        self.assertIn("sales", definitions["spout"]["properties"]["type"]["enum"])
        self.assertIn("judge", definitions["bolt"]["properties"]["type"]["enum"])

    def test_a_program_makes_a_topology_of_a_text(self):
        out, _ = self.run_program("yaml_in_a_program")
        self.assertEqual(sorted(out.splitlines()), [
            "2 rows", "CART,1,2026-01-05T12:00:00Z,2026-01-05T12:10:00Z",
            "HOME,2,2026-01-05T12:00:00Z,2026-01-05T12:10:00Z",
            "page,count,window_start,window_end"])
        # Mistakes come as a status, with the places of the text.
        out, err = self.run_program("yaml_in_a_program", "tumbling(0s)", code=78)
        self.assertEqual(out, "")
        self.assertIn("2010 clicks.yaml has 1 mistake:\nclicks.yaml:8:", err)

    def test_what_to_do_must_be_said(self):
        _, err = self.run_program("own_components", code=64)
        self.assertIn("own_components run FILE.yaml", err)


if __name__ == "__main__":
    unittest.main()
