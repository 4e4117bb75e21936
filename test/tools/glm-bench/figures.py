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
FAST = ["--repetitions", 1, "--decode", 2, "--no-limits"]


class Figures(ToolTest):
    tool = "glm-bench"

    def measure(self, artifact, *words, runs=1):
        """The JSON; the table must have a line for everything in it."""
        table = self.succeed(artifact, *words, "--json", self.folder / "f.json").decode()
        self.assertEqual([path.name for path in self.folder.iterdir() if path.suffix != ".txt"], ["f.json"])
        figures = json.loads((self.folder / "f.json").read_text())
        self.assertGreater(figures["load_ms"], 0)
        for field in ("load", "prefill", "decode", "perplexity"):
            rows = [line for line in table.splitlines() if line.startswith(field + " ")]
            found = figures.get("load_ms" if field == "load" else field, [])
            self.assertEqual(len(rows), runs * (len(found) if isinstance(found, list) else 1), table)
        return figures

    def test_default(self):
        """Without flags a prompt and decoding from an empty cache; fields without a measurement are left out."""
        figures = self.measure(TINY.with_name("shared.glm"))
        self.assertEqual(list(figures), ["machine", "attention", "limits", "load_ms", "first_token_ms", "decode", "prefill"])
        self.assertEqual([row["tokens"] for row in figures["prefill"]], [128])
        self.assertEqual([row["context"] for row in figures["decode"]], [0])
        self.assertEqual(figures["machine"]["precision"], "f32")

    def test_prefill(self):
        """A row for each length, nothing else."""
        figures = self.measure(DEMO, "--prefill", "16,600", "--prefill", 1, "--repetitions", 1, "--no-limits")
        self.assertEqual(list(figures), ["machine", "attention", "load_ms", "first_token_ms", "prefill"])
        self.assertEqual([row["tokens"] for row in figures["prefill"]], [16, 600, 1])
        self.assertTrue(all(row["tokens_per_s"] > 0 for row in figures["prefill"]))

    def test_decode(self):
        """A row for each context, up to the last position of the artifact."""
        figures = self.measure(DEMO, *FAST, "--context", "0,100,2046")
        self.assertEqual(list(figures), ["machine", "attention", "load_ms", "first_token_ms", "decode"])
        self.assertEqual([row["context"] for row in figures["decode"]], [0, 100, 2046])
        for row in figures["decode"]:
            self.assertAlmostEqual(row["tokens_per_s"] * row["ms"], 1000, places=3)
            self.assertTrue(row["least_ms"] <= row["ms"] <= row["most_ms"], row)

    def test_bytes(self):
        """A position more costs its index keys: 3 layers of the demo select for themselves, 32 bf16 each. Operations too: 8 heads."""
        rows = self.measure(DEMO, *FAST, "--context", "1000,1001,2000")["decode"]
        for before, after in (rows[:2], rows[1:]):
            keys = after["context"] - before["context"]
            self.assertEqual(after["bytes_per_token"] - before["bytes_per_token"], keys * 3 * 32 * 2)
            self.assertEqual(after["flop_per_token"] - before["flop_per_token"], keys * 3 * 2 * 8 * 32)
        together = self.measure(DEMO, *FAST, "--context", "1000", "--slots", 2)["decode"][0]
        self.assertLess(together["bytes_per_token"], rows[0]["bytes_per_token"])
        self.assertEqual(together["flop_per_token"], rows[0]["flop_per_token"])

    def test_prefill_flop(self):
        """Chunks of one prompt cost what their rows cost: twice the tokens, twice the products and more."""
        short, long = self.measure(DEMO, "--prefill", "600,1200", "--repetitions", 1, "--no-limits")["prefill"]
        self.assertGreater(long["flop"], 2 * short["flop"] * 0.99)
        self.assertIn(short["peak"], ("bf16", "f32"))

    def test_limits(self):
        """Before and after every table; shares are of their mean; the growth is held against them."""
        figures = self.measure(DEMO, "--repetitions", 1, "--decode", 2, "--context", "64,1000", "--prefill", 64, "--kernels", "--threads", 1)
        limits = figures["limits"]
        self.assertEqual([table["table"] for table in limits["around"]], ["decode", "prefill", "kernels"])
        self.assertEqual(limits["around"][0]["after"], limits["around"][1]["before"])
        read = sum(limits["around"][0][side]["read_gb_per_s"] for side in ("before", "after")) / 2
        for row in figures["decode"]:
            self.assertAlmostEqual(row["share_of_read"], row["gb_per_s"] / read, places=6)
        peak = sum(limits["around"][1][side]["peak_gflop_per_s"]["f32"] for side in ("before", "after")) / 2
        row = figures["prefill"][0]
        if row["peak"] == "f32":
            self.assertAlmostEqual(row["share_of_peak"], row["gflop_per_s"] / peak, places=6)
        self.assertEqual((figures["growth"]["from"], figures["growth"]["to"]), (64, 1000))
        self.assertGreater(figures["growth"]["limit_ms"], figures["growth"]["read_ms"])
        heaviest = max(figures["kernels"], key=lambda row: row.get("flop", 0))
        self.assertAlmostEqual(heaviest["share"], max(heaviest["share_of_read"], heaviest["share_of_peak"]))

    def test_slots(self):
        """Several sequences a step: counted as tokens of all of them."""
        figures = self.measure(TINY, *FAST, "--slots", 2, "--context", 10)
        self.assertEqual([(row["context"], row["slots"]) for row in figures["decode"]], [(10, 2)])

    def test_threads(self):
        for threads in (1, 2):
            self.assertEqual(self.measure(TINY, *FAST, "--threads", threads)["machine"]["threads"], threads)

    def test_several_threads(self):
        """One run for each number; what the last gives in units of the first."""
        figures = self.measure(TINY, *FAST, "--context", 0, "--threads", "1,2", runs=2)
        self.assertEqual([run["machine"]["threads"] for run in figures["by_threads"]], [1, 2])
        self.assertEqual(figures["machine"]["threads"], 2)
        self.assertEqual((figures["scaling"]["from"], figures["scaling"]["to"]), (1, 2))
        times = figures["by_threads"][0]["decode"][0]["ms"] / figures["by_threads"][1]["decode"][0]["ms"]
        self.assertAlmostEqual(figures["scaling"]["decode"][0]["times"], times, places=6)

    def test_kernels(self):
        """Every launch of a step and of a prompt, the slowest first, with what it costs; barriers among them; all adds up to the table's bytes."""
        figures = self.measure(DEMO, *FAST, "--kernels", "--context", "0,100", "--prefill", 20)
        tables = figures["kernel_tables"]
        self.assertEqual([(table["table"], table.get("context", table.get("tokens"))) for table in tables],
                         [("decode", 0), ("decode", 100), ("prefill", 20)])
        for table in tables:
            rows = [row for row in figures["kernels"] if all(row.get(key) == table[key] for key in ("table", "context", "tokens") if key in table)]
            self.assertGreater(len(rows), 40)
            self.assertEqual([row["ms"] for row in rows], sorted((row["ms"] for row in rows), reverse=True))
            self.assertAlmostEqual(sum(row["share_of_time"] for row in rows), 1, places=6)
            self.assertIn("barrier", {row["name"] for row in rows})
            self.assertIn("lm_head", {row["path"] for row in rows})
            busy = table["launches_ms"] + table["barriers_ms"] + table["rest_ms"]
            self.assertAlmostEqual(busy, table["wall_ms"], places=6)
            if table["table"] == "decode":
                step = next(row for row in figures["decode"] if row["context"] == table["context"])
                self.assertAlmostEqual(sum(row["bytes"] for row in rows), step["bytes_per_token"], delta=len(rows))
            else:
                self.assertAlmostEqual(sum(row["flop"] for row in rows), figures["prefill"][0]["flop"], delta=len(rows))

    def test_trace(self):
        """A step as Chrome trace events: a track for each worker, nothing overlaps, every launch of the profile."""
        trace = self.folder / "trace.txt"
        self.measure(DEMO, *FAST, "--threads", 2, "--trace", trace)
        events = json.loads(trace.read_text())["traceEvents"]
        for worker in (0, 1):
            track = [event for event in events if event["ph"] == "X" and event["tid"] == worker]
            self.assertGreater(len(track), 40)
            for before, after in zip(track, track[1:]):
                self.assertGreaterEqual(after["ts"] + 1e-6, before["ts"] + before["dur"])
        ends = [max(event["ts"] + event["dur"] for event in events if event.get("tid") == worker and event["ph"] == "X") for worker in (0, 1)]
        self.assertGreater(min(ends), 0)

    def test_neighbour(self):
        """Beside a process that never rests; it is gone afterwards."""
        figures = self.measure(TINY, *FAST, "--neighbour")
        beside = figures["neighbour"]
        self.assertAlmostEqual(beside["ratio"], beside["busy_ms"] / beside["quiet_ms"], places=6)

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
