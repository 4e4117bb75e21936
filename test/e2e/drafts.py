# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Speculative decoding with a trained draft layer: how often drafts are right, and that they change neither the greedy text
nor the distribution of sampled tokens. Reference: test/data/glm5-demo/README.md."""
import json
import math
import sys
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))
from invoke import ARTIFACTS, DATA, ToolTest  # noqa: E402

PROMPTS = json.loads((DATA / "glm5-demo" / "prompts.json").read_text())["prompts"]
TOKENS_PER_STEP = {1: 1.691, 2: 2.143, 3: 2.400}
RATES = {1: (0.6915,), 2: (0.7007, 0.6311), 3: (0.7000, 0.5934, 0.6852)}


class DraftTest(ToolTest):
    def generate(self, artifact, case, drafts, *words):
        """Ids after a prompt of prompts.json, and the statistics."""
        np.save(self.folder / "ids.npy", np.array(case["prompt_ids"], np.int64))
        self.succeed(ARTIFACTS / artifact, f"--tokens=@{self.folder / 'ids.npy'}", "--draft", drafts, "--ignore-stop",
                     f"--output-tokens=@{self.folder / 'out.npy'}", f"--stats=@{self.folder / 's.json'}", *words)
        return np.load(self.folder / "out.npy").tolist(), json.loads((self.folder / "s.json").read_text())


class Greedy(DraftTest):
    def test_same_ids(self):
        """Any number of drafts and an automatic one give the reference's ids."""
        for case in PROMPTS:
            for drafts in (0, 1, 2, 3, 4, "auto"):
                with self.subTest(f"{case['prompt']} {drafts}"):
                    ids, _ = self.generate("demo-f32.glm", case, drafts, "--temperature", 0, "--max-tokens", 64)
                    self.assertEqual(ids, case["continuation_ids"])

    def test_same_ids_of_long_texts(self):
        """Text beyond index_topk and a page of the caches, in bf16, where the automatic number has time to change."""
        for case in PROMPTS[:2]:
            words = ["--temperature", 0, "--max-tokens", 400]
            wanted, _ = self.generate("demo-bf16.glm", case, 0, *words)
            for drafts in (1, 4, "auto"):
                self.assertEqual(self.generate("demo-bf16.glm", case, drafts, *words)[0], wanted)

    def test_tokens_per_step(self):
        """Tokens of a step over all prompts within 5 % of the reference's, and so are the rates at every position within 0.05."""
        for drafts, wanted in TOKENS_PER_STEP.items():
            runs = [self.generate("demo-f32.glm", case, drafts, "--temperature", 0, "--max-tokens", 64)[1] for case in PROMPTS]
            total = sum(run["generated_tokens"] - 1 for run in runs) / sum(run["steps"] for run in runs)
            self.assertLess(abs(total / wanted - 1), 0.05, f"{drafts} drafts: {total}")
            for position, rate in enumerate(RATES[drafts]):
                tried, accepted = (sum(run[field][position] for run in runs) for field in ("draft_tried", "draft_accepted"))
                self.assertAlmostEqual(accepted / tried, rate, delta=0.05)

    def test_statistics(self):
        """Counts at the positions add up: a draft is tried when the one before it was right."""
        for drafts in (0, 3, "auto"):
            _, run = self.generate("demo-f32.glm", PROMPTS[0], drafts, "--temperature", 0, "--max-tokens", 64)
            self.assertEqual(sum(run["draft_accepted"]), run["accepted"])
            self.assertEqual(run["steps"] + run["accepted"] + 1, 64)
            self.assertEqual(len(run["draft_tried"]), len(run["draft_accepted"]))
            self.assertLessEqual(len(run["draft_tried"]), 5 if drafts == "auto" else drafts)
            for before, tried in zip([run["steps"], *run["draft_accepted"]], run["draft_tried"]):
                self.assertLessEqual(tried, before)


class Sampled(DraftTest):
    def test_same_ids(self):
        """A seed gives the same ids with and without drafts."""
        for seed in range(4):
            words = ["--temperature", 0.9, "--top-p", 0.95, "--seed", seed, "--max-tokens", 64]
            wanted, _ = self.generate("demo-f32.glm", PROMPTS[seed], 0, *words)
            for drafts in (1, 3, "auto"):
                ids, run = self.generate("demo-f32.glm", PROMPTS[seed], drafts, *words)
                self.assertEqual(ids, wanted)
                if drafts != "auto":
                    self.assertGreater(run["accepted"], 0)

    def test_distribution(self):
        """Each of the eight most likely tokens is picked as often as its probability says. Drafts are the draft layer's most likely
        tokens; if they were preferred, the first rank would be too frequent: with two drafts a half of the tokens are drafts."""
        choices, expected, variance, picked = 8, np.zeros(8), np.zeros(8), np.zeros(8)
        for seed in (1, 2):
            lines = self.succeed(ARTIFACTS / "demo-f32.glm", "--prompt", PROMPTS[seed]["prompt"], "--draft", 2, "--temperature", 1, "--top-k", choices, "--top-p", 1,
                                 "--seed", seed, "--max-tokens", 1200, "--ignore-stop", f"--logprobs={choices + 1}",
                                 f"--stats=@{self.folder / 's.json'}").decode().splitlines()
            self.assertGreater(json.loads((self.folder / "s.json").read_text())["accepted"], 300)
            for line in lines:
                token, _, rest = line.split(" ", 2)
                _, end = json.JSONDecoder().raw_decode(rest)
                best = [pair.split(":") for pair in rest[end:].split()]
                self.assertEqual(len(best), choices)
                probability = np.exp([float(logprob) for _, logprob in best])
                probability /= probability.sum()
                expected += probability
                variance += probability * (1 - probability)
                picked[[identity for identity, _ in best].index(token)] += 1
        self.assertEqual(picked.sum(), 2400)
        for rank in range(choices):
            self.assertLess(abs(picked[rank] - expected[rank]) / math.sqrt(variance[rank]), 3.5, f"rank {rank}: {picked} of {expected}")


if __name__ == "__main__":
    unittest.main()
