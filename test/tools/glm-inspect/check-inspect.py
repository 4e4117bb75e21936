#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What glm-inspect says about the toy artifact of the runtime's tests, in every form, and how it fails."""
import json
import pathlib
import subprocess
import sys

inspect, write_toy, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
toy, plain, broken = folder / "toy.glm", folder / "plain.glm", folder / "broken.glm"


def run(*arguments, code=0, **options):
    result = subprocess.run([inspect, *map(str, arguments)], capture_output=True, text=True, **options)
    assert result.returncode == code, (arguments, result)
    return result.stderr if code else result.stdout


def contains(text, *parts):
    for part in parts:
        assert part in text, f"'{part}' is not in:\n{text}"


def fails(*arguments, **options):
    """Exactly one line of error, exit code 1, nothing on standard output."""
    text = run(*arguments, code=1, **options)
    assert text.startswith("error[GLM") and text.count("\n") == 1, text
    return text


subprocess.run([write_toy, toy, "ledger"], check=True)
subprocess.run([write_toy, plain], check=True)

# The text form names what a reader looks for.
contains(run(toy), "family       toy", "compiler     by hand, commit 0", "entry step", "logits: f32[logit_rows, 16]", "caches: 32 B a position",
         "turn                                           200 launches", "3 Barrier, 1 Branch, 6 Launch, 1 Require",
         "branch       rows < 3: 1 launches, else 1 (1 times)", "expanded_keys at most 128 (session), 64 if not chosen",
         "attention    expands up to 64 keys from 2 rows of one sequence on, 6 at the most keys, reads no selection up to 8; else gathers")

# The JSON form holds everything.
report = json.loads(run(toy, "--json"))
assert report["model"]["generation"]["eos"] == [3, 5]
assert [entry["name"] for entry in report["entries"]] == ["step", "draft", "twice", "busy", "turns", "forms"]
assert report["entries"][0]["inputs"][0] == {"name": "rows", "dtype": "i32", "shape": ["rows", "4"]}
assert report["states"][1]["layout"] == "lines16"
assert report["handoffs"] == [{"name": "between", "size": "max_rows * 16"}]
assert report["weights"][0]["shape"] == [16, 4]
assert report["entries"][5]["branches"] == [{"left": "keys", "right": "1", "less": 1, "otherwise": 1, "count": 1}]
assert report["attention"] == {"expanded_keys": 64, "expanded_rows": 2, "full_rows": 6, "unmasked_keys": 8}
assert report["dims"][5] == {"name": "expanded_keys", "kind": "session", "max": 128, "min": 0, "preset": 64}

# A difference is told by name; equal artifacts have none.
contains(run(plain, "--diff", toy), "+ segments[ledger].kind: \"ledger\"", "~ format.program_hash")
assert run(toy, "--diff", toy) == "no difference\n"

contains(run(toy, "--check", "host"), "this machine can run")
try:
    contains(run(toy, "--disassemble"), "<embed>", "ret")
except AssertionError:
    contains(fails(toy, "--disassemble"), "llvm-objdump: is not on the PATH")
contains(fails(toy, "--disassemble", env={"PATH": "/nowhere"}),
         "error[GLM0002]: llvm-objdump: is not on the PATH and --disassemble needs it; install LLVM's or GNU's binary tools")

# Failures.
broken.write_bytes(toy.read_bytes()[:5000])
contains(fails(broken), "error[GLM7011]", "is cut off, 5000 bytes of 2101312; copy it again")
contains(fails(folder / "none.glm"), "error[GLM7003]")
contains(fails(toy, "--check", "guest"), "error[GLM0001]")
fails()
contains(run("--version"), "glm-inspect ")
contains(run("--help"), "--disassemble")
