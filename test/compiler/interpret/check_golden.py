# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs glm-interpret over a checkpoint with golden values and holds every array against them.

    check_golden.py CHECKPOINT_DIR

Real numbers agree to 1e-4, masks, ids and tokens exactly. A prompt run in chunks gives the bytes of a prompt run at once.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

LIMIT = 1e-4


def interpret(folder, *flags):
    subprocess.run(["glm-interpret", folder, f"--tokens=@{folder / 'tokens.npy'}", *map(str, flags)], check=True)


def compare(name, got, want):
    assert got.shape == want.shape, f"{name}: shape {got.shape}, wanted {want.shape}"
    assert got.dtype == want.dtype, f"{name}: {got.dtype}, wanted {want.dtype}"
    if got.dtype.kind == "f":
        worst = np.abs(got.astype(np.float64) - want).max()
        assert worst <= LIMIT, f"{name}: differs by {worst:.2g}, allowed are {LIMIT}"
    else:
        assert (got == want).all(), f"{name}: {(got != want).sum()} elements differ"


def main():
    folder = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as work:
        out = Path(work)
        interpret(folder, f"--logits=@{out / 'logits.npy'}", f"--draft-logits=@{out / 'mtp_logits.npy'}",
                  f"--stages-to={out}", "--max-tokens", 32, "--temperature", 0, f"--output-tokens=@{out / 'greedy.npy'}")
        for name in ("logits", "mtp_logits", "greedy"):
            compare(name, np.load(out / f"{name}.npy"), np.load(folder / f"{name}.npy"))
        golden = np.load(folder / "intermediates.npz")
        for name in golden.files:
            compare(name, np.load(out / f"{name}.npy"), golden[name])
        drafts = np.load(out / "mtp_draft_logits.npy").argmax(-1)
        assert (drafts == np.load(folder / "mtp_drafts.npy")).all(), f"drafts are {drafts}"

        once = np.load(out / "logits.npy")
        for chunk in (1, 7, 72):
            interpret(folder, "--chunk", chunk, f"--logits=@{out / 'chunked.npy'}")
            assert (np.load(out / "chunked.npy") == once).all(), f"chunks of {chunk} give other logits"
        interpret(folder, "--f64", f"--logits=@{out / 'f64.npy'}")
        compare("f64 logits", np.load(out / "f64.npy"), np.load(folder / "logits.npy"))
        assert (np.load(out / "f64.npy") != once).any(), "f64 and f32 give the same logits to the last bit"
        interpret(folder, "--latent-norm-eps", 1e-6, f"--logits=@{out / 'eps.npy'}")
        assert np.abs(np.load(out / "eps.npy") - once).max() > 1, "the latent norms' eps changes nothing"
    print(f"{folder.name} agrees")


main()
