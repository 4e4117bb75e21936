# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Copies a checkpoint with its experts stacked: mlp.experts.gate_up_proj [E, 2M, H] and mlp.experts.down_proj [E, H, M] in one file."""
import json
import re
import shutil
import struct
import sys
from pathlib import Path

source, result = Path(sys.argv[1]), Path(sys.argv[2])
shutil.copytree(source, result, ignore=shutil.ignore_patterns("*.safetensors*", "*.np?"))

tensors = {}
for file in sorted(source.glob("*.safetensors")):
    data = file.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            tensors[name] = (entry["dtype"], entry["shape"], data[8 + length + begin : 8 + length + end])

expert = re.compile(r"(.*\.mlp\.experts)\.(\d+)\.(gate|up|down)_proj\.weight")
layers = {}
for name in [name for name in tensors if expert.match(name)]:
    layer, number, matrix = expert.match(name).groups()
    layers.setdefault(layer, {})[int(number), matrix] = tensors.pop(name)
for layer, experts in layers.items():
    count = 1 + max(number for number, _ in experts)
    dtype, (rows, columns), _ = experts[0, "gate"]
    both = b"".join(experts[e, "gate"][2] + experts[e, "up"][2] for e in range(count))
    tensors[layer + ".gate_up_proj"] = (dtype, [count, 2 * rows, columns], both)
    tensors[layer + ".down_proj"] = (dtype, [count, columns, rows], b"".join(experts[e, "down"][2] for e in range(count)))

header, offset = {}, 0
for name, (dtype, shape, data) in tensors.items():
    header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
    offset += len(data)
text = json.dumps(header).encode()
with open(result / "model.safetensors", "wb") as out:
    out.write(struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors.values()))
