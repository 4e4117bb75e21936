#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs one level of an artifact that has several and holds its logits against the golden ones.

Usage: levels.py LEVEL [--emulator PROGRAM | --cross PROGRAM]

Levels of this kind of processor are those of levels.glm, one of the shared artifacts. What this processor does not
offer is skipped by name (exit code 77); with an emulator the processor is its one, and the level must be what a loader
chooses there by itself. `--cross`: the level is one of foreign.glm, which the program (Logits.cpp) runs on emulated
processors of another kind.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

BIN, DATA, ARTIFACTS = (Path(os.environ[name]) for name in ("GLM_BIN", "GLM_TEST_DATA", "GLM_ARTIFACTS"))
GOLDEN, ARTIFACT, FOREIGN = DATA / "glm5-tiny", ARTIFACTS / "levels.glm", ARTIFACTS / "foreign.glm"
SKIPPED = 77
# What of /proc/cpuinfo a level needs that lesser ones do not: the artifact is compiled for those that this host offers.
FLAGS = {"x86-64-v3": "avx2", "x86-64-v4": "avx512vl", "icelake-server": "avx512_vnni", "znver4": "avx512_bf16", "sapphirerapids-loops": "avx512_fp16",
         "sapphirerapids": "amx_tile"}

# Levels for aarch64, and for each an emulated processor on which a loader finds nothing better.
FOREIGN_CPUS = {"aarch64": "cortex-a57", "armv8.6-a": "max,sve=off", "neoverse-v1": "max,sve256=on"}


def missing_flag(level):
    flags = next(line.split() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags"))
    return None if FLAGS[level] in flags else FLAGS[level]


def skip(level, feature):
    print(f"skipped: {level} needs {feature}, which this processor does not have")
    sys.exit(SKIPPED)


def call(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def expect(ok, what):
    print("ok  " if ok else "FAIL", what, flush=True)
    if not ok:
        sys.exit(1)


def logits_of(glm_run, out, *flags):
    code, _, err = call(*glm_run, ARTIFACT, f"--tokens=@{GOLDEN / 'tokens.npy'}", f"--logits=@{out}", *flags)
    missing = re.search(r"GLM7016\]: .* is compiled for (\S+) and needs ([^,]+),", err)
    if missing:
        skip(missing[1], missing[2])
    expect(code == 0, f"glm-run {' '.join(flags)} exits with {code} {err.strip()}")
    return np.load(out)


def compare(logits):
    limits = json.loads((GOLDEN / "tolerance.json").read_text())["default"]
    golden = np.load(GOLDEN / "logits.npy")
    difference, agreement = np.abs(logits - golden), (logits.argmax(-1) == golden.argmax(-1)).mean()
    expect(difference.max() <= limits["max_abs"] and difference.mean() <= limits["mean_abs"] and agreement >= limits["argmax"],
           f"logits: max {difference.max():.2g} mean {difference.mean():.2g} argmax {agreement:.3f}")


def same_bits(again, logits, chunk):
    expect(np.array_equal(again, logits), f"in steps of {chunk}: max {np.abs(again - logits).max():.2g} apart")


def run_here(level, emulator):
    flags, prefix = [f"--level={level}"], []
    if emulator and shutil.which(emulator):
        prefix, flags = [emulator, "-cpu", "max"], []
        code, out, err = call(*prefix, BIN / "glm-inspect", ARTIFACT, "--check=host")
        expect(code == 0 and out.strip().endswith(f"with code for {level}"), f"the loader's choice: {out}{err}")
    elif emulator:
        print(f"{emulator} is missing: on this processor")
    with tempfile.TemporaryDirectory() as folder:
        out, glm_run = Path(folder) / "out.npy", [*prefix, BIN / "glm-run"]
        logits = logits_of(glm_run, out, "--threads=1", *flags)
        compare(logits)
        # Rows in steps of one to three instead of all at once, on two workers: not a bit changes.
        for chunk in ("3",) if prefix else ("1", "3"):
            same_bits(logits_of(glm_run, out, "--threads=2", f"--chunk={chunk}", *flags), logits, chunk)


def run_there(level, program):
    for needed, what in ((shutil.which("qemu-aarch64"), "qemu-user"), (Path(program).exists(), "libstdc++-12-dev-arm64-cross")):
        if not needed:
            print(f"skipped: {what} is not installed")
            sys.exit(SKIPPED)
    tokens = np.load(GOLDEN / "tokens.npy").astype(np.int32)

    def logits_in(chunk):
        command = ["qemu-aarch64", "-cpu", FOREIGN_CPUS[level], program, FOREIGN, "", str(chunk)]
        done = subprocess.run(command, input=tokens.tobytes(), capture_output=True)
        said = done.stderr.decode().strip()
        expect(done.returncode == 0 and said == f"level {level}", f"the loader's choice on {FOREIGN_CPUS[level]}: {said}")
        return np.frombuffer(done.stdout, np.float32).reshape(len(tokens), -1)

    logits = logits_in(len(tokens))
    compare(logits)
    same_bits(logits_in(3), logits, 3)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("level")
    parser.add_argument("--emulator")
    parser.add_argument("--cross")
    arguments = parser.parse_args()
    if arguments.cross:
        return run_there(arguments.level, arguments.cross)
    if missing_flag(arguments.level):
        skip(arguments.level, missing_flag(arguments.level))
    run_here(arguments.level, arguments.emulator)


if __name__ == "__main__":
    main()
