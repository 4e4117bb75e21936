# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads a synthesised checkpoint without the compiler's reader and checks what makes its features alive."""
import json
import os
import struct
import sys

import numpy as np

folder = sys.argv[1]
tensors, total = {}, 0
for name in sorted(os.listdir(folder)):
    if not name.endswith(".safetensors"):
        continue
    data = open(os.path.join(folder, name), "rb").read()
    length = struct.unpack("<Q", data[:8])[0]
    assert length % 8 == 0, "data is aligned"
    header = json.loads(data[8 : 8 + length])
    end = 0
    for tensor, entry in header.items():
        if tensor == "__metadata__":
            continue
        begin, stop = entry["data_offsets"]
        assert begin == end, "no holes, ascending"
        end = stop
        raw = data[8 + length + begin : 8 + length + stop]
        if entry["dtype"] == "BF16":
            values = (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
        elif entry["dtype"] == "F32":
            values = np.frombuffer(raw, "<f4")
        else:
            codes = np.frombuffer(raw, np.uint8).astype(np.int32)
            assert not np.isin(codes, (0x7F, 0xFF)).any(), "no NaN"
            exponent, mantissa = codes >> 3 & 15, codes & 7
            values = np.where(exponent == 0, mantissa * 2.0**-9, (8 + mantissa) * 2.0 ** (exponent - 10.0))
            values = np.where(codes & 128, -values, values).astype(np.float32)
        tensors[tensor] = (entry, values.reshape(entry["shape"]))
    assert 8 + length + end == len(data)
    total += end
index = os.path.join(folder, "model.safetensors.index.json")
if os.path.exists(index):
    content = json.load(open(index))
    assert set(content["weight_map"]) == set(tensors) and content["metadata"]["total_size"] == total


def rms(name):
    entry, values = tensors[name]
    scale = tensors.get(name + "_scale_inv")
    if scale is not None:
        full = np.repeat(np.repeat(scale[1], 128, 0), 128, 1)[: values.shape[0], : values.shape[1]]
        values = values * full
    return float(np.sqrt((values.astype(np.float64) ** 2).mean()) * np.sqrt(entry["shape"][-1] if values.ndim == 2 else 1))


layer = "model.layers.1."
hidden = tensors["model.norm.weight"][0]["shape"][0]
for name, low, high in [
    ("model.embed_tokens.weight", 0.0045 * hidden**0.5, 0.0055 * hidden**0.5),
    ("lm_head.weight", 2.5, 2.8),
    ("model.norm.weight", 0.9, 1.15),
    (layer + "self_attn.q_a_proj.weight", 0.007, 0.009),
    (layer + "self_attn.q_b_proj.weight", 0.9, 1.1),
    (layer + "self_attn.indexer.wk.weight", 0.0035, 0.0045),
    (layer + "self_attn.indexer.k_norm.bias", 0.1, 0.3),
    (layer + "self_attn.o_proj.weight", 0.22, 0.28),
    (layer + "mlp.gate.weight", 1.2, 1.4),
    (layer + "mlp.gate.e_score_correction_bias", 0.2, 0.6),
    (layer + "mlp.experts.3.up_proj.weight", 1.0, 1.4),
    (layer + "mlp.shared_experts.down_proj.weight", 0.26, 0.34),
]:
    assert low < rms(name) < high, f"{name}: {rms(name)}"
assert tensors[layer + "mlp.gate.e_score_correction_bias"][0]["dtype"] == "F32"
print(len(tensors), "tensors of", sorted({entry["dtype"] for entry, _ in tensors.values()}))
