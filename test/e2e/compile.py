# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles the checkpoints of test/data to the artifacts that other tests share, into $GLM_ARTIFACTS."""
import os
import subprocess
import sys
from pathlib import Path

BIN, DATA, ARTIFACTS = (Path(os.environ[name]) for name in ("GLM_BIN", "GLM_TEST_DATA", "GLM_ARTIFACTS"))

WANTED = {
    "demo-f32.glm": ["glm5-demo", "--precision=f32"],
    "demo-bf16.glm": ["glm5-demo"],
    "tiny.glm": ["glm5-tiny", "--precision=f32", "--context=80", "--slots=2", "--no-mtp"],
    "shared.glm": ["glm52-tiny", "--precision=f32"],
    "kept.glm": ["glm5-tiny", "--keep=selections,experts,hidden"],
    "foreign.glm": ["glm5-tiny", "--target-cpu=generic"],  # no processor that these tests run on
}


def main():
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    for name, (checkpoint, *flags) in WANTED.items():
        done = subprocess.run([BIN / "glmc", DATA / checkpoint, "-o", ARTIFACTS / name, *flags], stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"{name}: glmc exited with {done.returncode}: {done.stderr}")


if __name__ == "__main__":
    main()
