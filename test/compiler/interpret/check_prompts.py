# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the prompts of a trained checkpoint with their known continuations through glm-interpret.

    check_prompts.py CHECKPOINT_DIR

prompts.json has, for each prompt, greedy tokens and their log-probabilities. Every token must be the most likely one and
have its log-probability to 1e-4.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np


def logits_of(folder, tokens, work):
    np.save(work / "tokens.npy", np.array(tokens, np.int64))
    subprocess.run(["glm-interpret", folder, f"--tokens=@{work / 'tokens.npy'}", f"--logits=@{work / 'logits.npy'}"],
                   check=True)
    return np.load(work / "logits.npy").astype(np.float64)


def main():
    folder = Path(sys.argv[1])
    prompts = json.loads((folder / "prompts.json").read_text())["prompts"]
    with tempfile.TemporaryDirectory() as work:
        for entry in prompts:
            prompt, more = entry["prompt_ids"], entry["continuation_ids"]
            rows = logits_of(folder, prompt + more, Path(work))[len(prompt) - 1:-1]
            assert (rows.argmax(-1) == more).all(), f"{entry['prompt']!r} continues with other tokens"
            largest = rows.max(-1)
            total = largest + np.log(np.exp(rows - largest[:, None]).sum(-1))
            worst = np.abs(rows[np.arange(len(more)), more] - total - entry["logprobs"]).max()
            assert worst < 1e-4, f"{entry['prompt']!r}: log-probabilities differ by {worst:.2g}"
    print(f"{len(prompts)} prompts agree")


main()
