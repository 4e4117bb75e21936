# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles the checkpoints of test/data to the artifacts that other tests share, into $GLM_ARTIFACTS."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from levels import FLAGS, FOREIGN_CPUS, missing_flag

BIN, DATA, ARTIFACTS = (Path(os.environ[name]) for name in ("GLM_BIN", "GLM_TEST_DATA", "GLM_ARTIFACTS"))

WANTED = {
    "demo-f32.glm": ["glm5-demo", "--precision=f32"],
    "demo-bf16.glm": ["glm5-demo"],
    "demo-w8a8.glm": ["glm5-demo", "--recipe=w8a8"],
    "demo-w4a8.glm": ["glm5-demo", "--recipe=w4a8"],
    "demo-w4a8-zeros.glm": ["glm5-demo", "--recipe=w4a8-zeros", "--precision=f32", "--no-mtp", "--expanded-keys=0"],
    "demo-int4.glm": ["glm5-demo", "--recipe={made}/int4.json", "--no-mtp", "--expanded-keys=0"],
    "tiny.glm": ["glm5-tiny", "--precision=f32", "--context=80", "--slots=2", "--no-mtp"],
    "shared.glm": ["glm52-tiny", "--precision=f32", "--keep=selections", "--expanded-keys=64"],
    "shared-bf16.glm": ["glm52-tiny"],
    "kept.glm": ["glm5-tiny", "--keep=selections,experts,hidden"],
    "kept-f32.glm": ["glm5-tiny", "--precision=f32", "--keep=selections", "--expanded-keys=64"],
    "t1.glm": ["t1", "--precision=f32"],
    "levels.glm": ["glm5-tiny", "--no-mtp", "--expanded-keys=0",
                   "--target-cpu=" + ",".join(level for level in FLAGS if not missing_flag(level))],
    # No processor that these tests run on.
    "foreign.glm": ["glm5-tiny", "--no-mtp", "--expanded-keys=0", "--target-cpu=" + ",".join(FOREIGN_CPUS)],
}

RECIPES = {"int4.json": [{"weights": "*", "format": "int4", "group": 32, "activations": "none"}]}


def compile_all(made):
    """`made`: folder of the checkpoints and recipes that are not in test/data."""
    for name, rules in RECIPES.items():
        (made / name).write_text(json.dumps({"rules": rules}))
    for name, (checkpoint, *flags) in WANTED.items():
        folder = made / checkpoint if (made / checkpoint).exists() else DATA / checkpoint
        command = [BIN / "glmc", folder, "-o", ARTIFACTS / name, *(flag.format(made=made) for flag in flags)]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"{name}: glmc exited with {done.returncode}: {done.stderr}")


def main():
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        subprocess.run([sys.executable, Path(__file__).parent / "make_t1.py", Path(made) / "t1"], check=True)
        compile_all(Path(made))


if __name__ == "__main__":
    main()
