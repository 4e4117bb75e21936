# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares what a tool computed from T1 (make_t1.py) with the known values.

    check_t1.py FOLDER [--tolerance X] [logits=FILE.npy] [draft-logits=FILE.npy] [greedy=FILE.npy] [stages=DIR] [draft-chain=FILE.npy]
"""
import json
import os
import sys

import numpy as np

folder, arguments = sys.argv[1], sys.argv[2:]
tolerance = 1e-4
if "--tolerance" in arguments:
    at = arguments.index("--tolerance")
    tolerance = float(arguments[at + 1])
    del arguments[at : at + 2]
expected = json.load(open(os.path.join(folder, "expected.json"), encoding="utf-8"))


def near(what, found, wanted):
    difference = np.abs(np.asarray(found, np.float64) - np.asarray(wanted)).max()
    assert difference <= tolerance, f"{what}: off by {difference}"


def equal(what, found, wanted):
    assert list(found) == list(wanted), f"{what}: {list(found)}, expected {list(wanted)}"


def check_logits(path):
    logits = np.load(path)
    assert logits.shape == (20, 96), logits.shape
    near("logits of row 19", logits[19, :8], expected["logits_row_19"])
    near("logits of row 5", logits[5, :4], expected["logits_row_5"])
    near("logits of row 0", logits[0, :4], expected["logits_row_0"])
    squares = (logits.astype(np.float64) ** 2).sum()
    assert abs(squares - expected["logits_sum_of_squares"]) <= tolerance * 1e3, f"sum of squares {squares}"
    equal("argmax", logits.argmax(1), expected["argmax"])


def check_draft_logits(path):
    logits, draft = np.load(path), expected["draft"]
    near("draft logits of row 19", logits[19, :4], draft["logits_row_19"])
    near("draft logits of row 0", logits[0, :4], draft["logits_row_0"])
    equal("draft argmax", logits.argmax(1), draft["argmax"])


def check_greedy(path):
    equal("greedy continuation", np.load(path)[:8], expected["greedy"])


def check_stages(stages):
    hidden = np.load(os.path.join(stages, "hidden.npy"))
    for layer, wanted in expected["hidden_row_19"].items():
        near(f"hidden after {layer} layers", hidden[int(layer), 19, :4], wanted)
    near("final", np.load(os.path.join(stages, "final.npy"))[19, :6], expected["final_row_19"])
    owners = list(np.load(os.path.join(stages, "index_layers.npy")))
    equal("layers with an indexer", owners, [0, 1, 3])
    mask = np.load(os.path.join(stages, "index_mask.npy"))
    for row in (10, 19):
        for layer, wanted in expected[f"selection_row_{row}"].items():
            selected = np.flatnonzero(mask[owners.index(int(layer)), row])
            equal(f"selection of layer {layer}, row {row}", selected, wanted)
    ids = np.load(os.path.join(stages, "expert_ids.npy"))
    weights = np.load(os.path.join(stages, "expert_weights.npy"))
    layers = list(np.load(os.path.join(stages, "moe_layers.npy")))
    for layer, wanted in expected["experts_row_19"].items():
        at = layers.index(int(layer))
        equal(f"experts of layer {layer}", ids[at, 19], sorted(int(e) for e in wanted))
        near(f"expert weights of layer {layer}", weights[at, 19], [wanted[str(e)] for e in ids[at, 19]])


def check_draft_chain(path):
    equal("drafts with one selection", np.load(path).argmax(1), expected["draft"]["drafts_shared_selection"])


for argument in arguments:
    name, path = argument.split("=", 1)
    {"logits": check_logits, "draft-logits": check_draft_logits, "greedy": check_greedy,
     "stages": check_stages, "draft-chain": check_draft_chain}[name](path)
print("T1 agrees:", " ".join(argument.split("=")[0] for argument in arguments))
