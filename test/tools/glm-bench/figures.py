# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What glm-bench measures, as a table and as JSON. Figures themselves are not judged: machines are shared."""
import json
import math
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from invoke import ARTIFACTS, DATA, ToolTest  # noqa: E402

DEMO, TINY = ARTIFACTS / "demo-bf16.glm", ARTIFACTS / "tiny.glm"
FAST = ["--repetitions", 1, "--decode", 2]


class Figures(ToolTest):
    tool = "glm-bench"

    def measure(self, artifact, *words):
        """The JSON; the table must have a line for everything in it."""
        table = self.succeed(artifact, *words, "--json", self.folder / "f.json").decode()
        self.assertEqual([path.name for path in self.folder.iterdir() if path.suffix != ".txt"], ["f.json"])
        figures = json.loads((self.folder / "f.json").read_text())
        self.assertGreater(figures["load_ms"], 0)
        for field in ("load", "prefill", "decode", "perplexity"):
            lines = [line for line in table.splitlines() if line.startswith(field + " ")]
            found = figures.get("load_ms" if field == "load" else field, [])
            self.assertEqual(len(lines), len(found) if isinstance(found, list) else 1, table)
        return figures

    def test_default(self):
        """Without flags a prompt and decoding from an empty cache; fields without a measurement are left out."""
        figures = self.measure(TINY.with_name("shared.glm"))
        self.assertEqual(list(figures), ["machine", "load_ms", "decode", "prefill"])
        self.assertEqual([row["tokens"] for row in figures["prefill"]], [128])
        self.assertEqual([row["context"] for row in figures["decode"]], [0])
        self.assertEqual(figures["machine"]["precision"], "f32")

    def test_prefill(self):
        """A row for each length, nothing else."""
        figures = self.measure(DEMO, "--prefill", "16,600", "--prefill", 1, "--repetitions", 1)
        self.assertEqual(list(figures), ["machine", "load_ms", "prefill"])
        self.assertEqual([row["tokens"] for row in figures["prefill"]], [16, 600, 1])
        self.assertTrue(all(row["tokens_per_s"] > 0 for row in figures["prefill"]))

    def test_decode(self):
        """A row for each context, up to the last position of the artifact."""
        figures = self.measure(DEMO, *FAST, "--context", "0,100,2046")
        self.assertEqual(list(figures), ["machine", "load_ms", "decode"])
        self.assertEqual([row["context"] for row in figures["decode"]], [0, 100, 2046])
        self.assertTrue(all(row["tokens_per_s"] > 0 for row in figures["decode"]))

    def test_slots(self):
        """Several sequences a step: counted as tokens of all of them."""
        figures = self.measure(TINY, *FAST, "--slots", 2, "--context", 10)
        self.assertEqual([(row["context"], row["slots"]) for row in figures["decode"]], [(10, 2)])

    def test_threads(self):
        for threads in (1, 2):
            self.assertEqual(self.measure(TINY, *FAST, "--threads", threads)["machine"]["threads"], threads)

    def test_kernels(self):
        """Every launch of a step, the slowest first, shares of one whole, barriers among them."""
        rows = self.measure(DEMO, *FAST, "--kernels")["kernels"]
        self.assertGreater(len(rows), 40)
        self.assertEqual(set(rows[0]), {"name", "path", "ms", "share"})
        self.assertEqual([row["ms"] for row in rows], sorted((row["ms"] for row in rows), reverse=True))
        self.assertAlmostEqual(sum(row["share"] for row in rows), 1, places=6)
        self.assertIn("barrier", {row["name"] for row in rows})
        self.assertIn("lm_head", {row["path"] for row in rows})

    def test_perplexity(self):
        """Windows are scored by themselves: all tokens but the first of each."""
        text = self.write("text.txt", (DATA / "glm5-demo" / "heldout.txt").read_text()[:2000])
        whole = self.measure(DEMO, "--perplexity", text, "--window", 1024)["perplexity"]
        halves = self.measure(DEMO, f"--perplexity=@{text}", "--window", 64)["perplexity"]
        count = whole["tokens"] + 1
        self.assertEqual(halves["tokens"], count - math.ceil(count / 64))
        self.assertAlmostEqual(whole["perplexity"], math.exp(whole["nats_per_token"]), places=6)
        self.assertGreater(halves["nats_per_token"], whole["nats_per_token"])

    def test_refused(self):
        """More than the artifact has room for, texts that cannot be scored, files that cannot be written."""
        json_file = ("--json", self.folder / "f.json")
        self.refuse(1, "--prefill: needs 81 positions, the context has 80", TINY, "--prefill", 81, *json_file)
        self.refuse(1, "--context .*needs 81 positions, the context has 80", TINY, "--context", 79, "--decode", 2, *json_file)
        self.refuse(1, "--window: needs 512 positions", TINY, "--perplexity", DATA / "README.md", *json_file)
        self.refuse(7001, "slots", TINY, "--slots", 3, *FAST, *json_file)
        self.refuse(2, "none.txt: cannot be read", DEMO, "--perplexity", "none.txt", *json_file)
        self.refuse(1, "has 1 tokens", DEMO, "--perplexity", self.write("one.txt", "I"), *json_file)
        self.refuse(1, "has 0 tokens", DEMO, "--perplexity", self.write("empty.txt", ""), *json_file)

    def test_unwritable(self):
        """The measurement is printed, the file refused, nothing left."""
        from invoke import call
        code, out, err = call(self.tool, TINY, *FAST, "--json", self.folder / "none" / "f.json")
        self.assertEqual(code, 1)
        self.assertRegex(err, r"^error\[GLM0006\]: .*f\.json: cannot be written: No such file or directory\n$")
        self.assertEqual(list(self.folder.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
