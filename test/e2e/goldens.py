#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles a checkpoint with golden values and holds what the artifact computes against them.

Usage: goldens.py --bin DIR --checkpoint DIR [--precision f32|bf16] [--index-keys bf16|int8] [--artifact FILE]
                  [--threads N...] [--interpret]

A checkpoint folder holds tokens.npy, logits.npy, greedy.npy, intermediates.npz and tolerance.json as described in
test/data/README.md. In f32 selections and experts must be equal, in bf16 they may differ in two rows. One line per
comparison; exit code 1 when one fails.
"""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

DISAGREEING_ROWS_BF16 = 2


class Comparison:
    """Counts what was compared and prints each result."""

    def __init__(self):
        self.failed = 0

    def expect(self, ok, what):
        print("ok  " if ok else "FAIL", what, flush=True)
        self.failed += not ok


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"FAIL {Path(command[0]).name} exited with {done.returncode}: {done.stderr.strip()}")


def compare_logits(check, name, got, want, limits):
    if got.shape != want.shape or got.dtype != np.float32:
        check.expect(False, f"{name}: {got.dtype} {got.shape}, wanted float32 {want.shape}")
        return
    difference = np.abs(got.astype(np.float64) - want)
    agreement = float((got.argmax(-1) == want.argmax(-1)).mean())
    ok = (bool(np.isfinite(got).all()) and difference.max() <= limits.get("max_abs", np.inf)
          and difference.mean() <= limits.get("mean_abs", np.inf) and agreement >= limits["argmax"])
    check.expect(ok, f"{name}: max {difference.max():.2g} mean {difference.mean():.2g} argmax {agreement:.3f}")


def compare_stages(check, stages, golden, exact, hidden_limit):
    want = np.load(golden / "intermediates.npz")
    allowed = 0 if exact else DISAGREEING_ROWS_BF16
    for array in ("index_mask", "expert_ids"):
        got = np.load(stages / f"{array}.npy")
        if got.shape != want[array].shape:
            check.expect(False, f"{array}: {got.shape}, wanted {want[array].shape}")
            continue
        rows = int((got != want[array]).any(axis=-1).sum())
        check.expect(rows <= allowed, f"{array}: {rows} rows differ, {allowed} allowed")
    got = np.load(stages / "hidden.npy")
    worst = np.abs(got - want["hidden"]).max() if got.shape == want["hidden"].shape else np.inf
    check.expect(worst <= hidden_limit, f"hidden: max {worst:.2g}")


def interpret(check, arguments, golden, work):
    tool, tokens = arguments.bin / "glm-interpret", f"--tokens=@{golden / 'tokens.npy'}"
    for flag, file in (("logits", "logits.npy"), ("draft-logits", "mtp_logits.npy")):
        run(tool, golden, tokens, f"--{flag}=@{work / 'out.npy'}")
        compare_logits(check, flag, np.load(work / "out.npy"), np.load(golden / file), {"max_abs": 1e-4, "argmax": 1.0})
    run(tool, golden, tokens, f"--stages-to={work / 'stages'}")
    compare_stages(check, work / "stages", golden, exact=True, hidden_limit=1e-4)


def execute(check, arguments, golden, work):
    model = arguments.artifact or work / "model.glm"
    if not arguments.artifact:
        run(arguments.bin / "glmc", golden, "-o", model, f"--precision={arguments.precision}",
            f"--index-keys={arguments.index_keys}", "--keep=selections,experts,hidden")
    for threads in arguments.threads:
        print(f"threads {threads}")
        measure(check, arguments, golden, work, [arguments.bin / "glm-run", model, f"--tokens=@{golden / 'tokens.npy'}", f"--threads={threads}"])


def measure(check, arguments, golden, work, glm_run):
    exact, out = arguments.precision == "f32", work / "out.npy"
    limits = json.loads((golden / "tolerance.json").read_text())["f32" if exact else "default"]
    run(*glm_run, f"--logits=@{out}")
    logits = np.load(out)
    compare_logits(check, "logits", logits, np.load(golden / "logits.npy"), limits)
    for chunk in (1, 7):
        run(*glm_run, f"--logits=@{out}", f"--chunk={chunk}")
        difference = np.abs(np.load(out) - logits).max()
        check.expect(difference <= (1e-3 if exact else limits["max_abs"]), f"prompt in chunks of {chunk}: max {difference:.2g} from one call")
    run(*glm_run, f"--stages-to={work / 'stages'}")
    compare_stages(check, work / "stages", golden, exact, hidden_limit=limits["max_abs"] if exact else np.inf)
    # tolerance.json is about the main layers; the draft layer stands on top of them, and its margins are narrow.
    draft_limits = limits if exact else {"mean_abs": 4 * limits["mean_abs"], "argmax": 0.9}
    for chunk in (len(logits), 7):
        run(*glm_run, f"--draft-logits=@{out}", f"--chunk={chunk}")
        compare_logits(check, f"draft-logits in chunks of {chunk}", np.load(out), np.load(golden / "mtp_logits.npy"), draft_limits)
    greedy = np.load(golden / "greedy.npy")
    for drafts in (0, 1, 2):
        run(*glm_run, "--max-tokens", len(greedy), "--temperature", 0, f"--output-tokens=@{out}", "--draft", drafts)
        got = np.load(out).ravel()[:len(greedy)]
        same = int(np.argmin(np.append(got == greedy[:len(got)], False)))
        check.expect(same >= limits["greedy_tokens"], f"greedy with {drafts} drafts: {same} tokens equal, {limits['greedy_tokens']} needed")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, type=Path)
    parser.add_argument("--checkpoint", required=True, type=Path)
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--index-keys", choices=["bf16", "int8"], default="bf16")
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--artifact", type=Path, help="compiled already, with everything kept")
    parser.add_argument("--interpret", action="store_true", help="the reference interpreter instead of an artifact")
    arguments = parser.parse_args()
    check = Comparison()
    with tempfile.TemporaryDirectory() as folder:
        (interpret if arguments.interpret else execute)(check, arguments, arguments.checkpoint, Path(folder))
    sys.exit(1 if check.failed else 0)


if __name__ == "__main__":
    main()
