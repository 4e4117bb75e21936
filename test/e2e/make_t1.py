# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes T1, the smallest model in which every feature of GLM-5.2 is alive, as a checkpoint folder.

Weights are not random but a formula of the tensor's name, so the known values in expected.json can be
recomputed by anybody. They come from a float64 implementation of the model's definition; transformers 5.23.0
(with eps 1e-5 on the two latent norms) meets all of them.

    make_t1.py DIR [LAYERS POSITIONS]

writes config.json, generation_config.json, tokenizer.json (96 ids: printable ASCII and one stop token),
model.safetensors, tokens.npy (the prompt) and expected.json. With other LAYERS or POSITIONS than 5 and 4,096 it is
another model, of which nothing is known.
"""
import json
import os
import struct
import sys

import numpy as np

LAYERS, POSITIONS = (int(word) for word in sys.argv[2:4]) if len(sys.argv) > 3 else (5, 4096)
V, H, DENSE, HEADS, QL, KL, DN, DR, DV = 96, 64, 1, 4, 24, 16, 12, 8, 10
INTER, MOE, EXPERTS, TOP, GROUPS, KEPT, INDEX_HEADS, INDEX_DIM, TOPK = 48, 20, 8, 3, 2, 1, 8, 16, 6
STOP = 95

CONFIG = {
    "architectures": ["GlmMoeDsaForCausalLM"], "model_type": "glm_moe_dsa", "dtype": "bfloat16",
    "vocab_size": V, "hidden_size": H, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
    "num_key_value_heads": HEADS, "qk_head_dim": DN + DR, "qk_nope_head_dim": DN, "qk_rope_head_dim": DR,
    "v_head_dim": DV, "q_lora_rank": QL, "kv_lora_rank": KL, "attention_bias": False,
    "rope_parameters": {"rope_theta": 1000000, "rope_type": "default"}, "rope_interleave": True,
    "indexer_rope_interleave": True, "max_position_embeddings": POSITIONS, "index_n_heads": INDEX_HEADS,
    "index_head_dim": INDEX_DIM, "index_topk": TOPK, "index_topk_freq": 2, "index_skip_topk_offset": 2,
    "index_share_for_mtp_iteration": True, "intermediate_size": INTER, "first_k_dense_replace": DENSE,
    "moe_layer_freq": 1, "moe_intermediate_size": MOE, "n_routed_experts": EXPERTS, "n_shared_experts": 1,
    "num_experts_per_tok": TOP, "n_group": GROUPS, "topk_group": KEPT, "scoring_func": "sigmoid",
    "topk_method": "noaux_tc", "norm_topk_prob": True, "routed_scaling_factor": 2.5, "hidden_act": "silu",
    "rms_norm_eps": 1e-5, "num_nextn_predict_layers": 1, "tie_word_embeddings": False, "eos_token_id": [STOP],
    "pad_token_id": STOP,
}

EXPECTED = {
    "logits_row_19": [2.008894, -1.247245, 1.153684, 1.914419, -1.899873, -0.032454, -0.226967, -0.092125],
    "logits_row_5": [3.019220, 2.296939, 4.807975, 3.105896],
    "logits_row_0": [-0.157020, 3.662238, 2.971407, 4.435490],
    "logits_sum": 312.62595494, "logits_sum_of_squares": 10145.55389192,
    "argmax": [19, 7, 80, 30, 92, 87, 43, 21, 80, 10, 9, 14, 88, 80, 36, 51, 19, 13, 62, 84],
    "greedy": [84, 93, 32, 60, 93, 84, 87, 65],
    "final_row_19": [-0.170927, 0.749846, 0.242757, -0.119137, -0.145934, -2.717168],
    "hidden_row_19": {
        "1": [-0.956080, 0.349163, 1.634667, -0.808448], "2": [-0.879152, 0.940014, 1.165426, -1.152845],
        "3": [-1.577895, 1.898312, 0.179614, -1.881938], "4": [-1.207375, -0.233210, 0.039731, -1.897582],
        "5": [-0.686744, 1.604167, 0.898626, -0.478664]},
    "selection_row_10": {"0": [2, 5, 7, 8, 9, 10], "1": [0, 1, 6, 7, 8, 10], "3": [0, 1, 4, 5, 7, 10]},
    "selection_row_19": {"0": [0, 3, 5, 14, 17, 18], "1": [5, 6, 8, 9, 11, 12], "3": [0, 1, 2, 8, 10, 13]},
    "experts_row_19": {
        "1": {"4": 1.016830, "7": 0.811282, "5": 0.671888}, "2": {"7": 0.806516, "4": 0.856104, "6": 0.837380},
        "3": {"3": 1.362922, "1": 1.089637, "0": 0.047441}, "4": {"4": 1.121266, "5": 1.135017, "7": 0.243717}},
    "draft": {
        "hidden_row_19": [-1.268061, 0.691426, -0.433983, -0.242466], "selection_row_19": [5, 10, 14, 15, 18, 19],
        "logits_row_19": [-0.792877, -0.612773, 3.284071, -2.309754],
        "logits_row_0": [-0.823828, 2.185560, -4.941311, -1.694374],
        "argmax": [69, 63, 63, 24, 39, 89, 69, 89, 65, 4, 48, 83, 60, 49, 72, 73, 1, 43, 12, 83],
        "drafts": [83, 19, 44], "drafts_shared_selection": [83, 23, 43]},
}

MASK = (1 << 64) - 1


def integers(name, count):
    """`count` integers in [-128, 127] that depend on the name only: FNV-1a, then splitmix64."""
    seed = 0xCBF29CE484222325
    for byte in ("glm5tiny/17/" + name).encode():
        seed = ((seed ^ byte) * 0x100000001B3) & MASK
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(56)).astype(np.int64) - 128


def values(name, shape):
    count = int(np.prod(shape))
    r = integers(name, count)
    if name.endswith("norm.weight") or name.endswith("layernorm.weight"):
        return ((128 + (r >> 1)) / 128).reshape(shape)
    exponent = 9
    if name == "model.embed_tokens.weight":
        exponent = 14
    elif name.endswith(("q_a_proj.weight", "indexer.wk.weight")):
        exponent = 16
    elif name.endswith(("q_b_proj.weight", "kv_b_proj.weight", "indexer.wq_b.weight", "mlp.gate.weight",
                        "lm_head.weight")):
        exponent = 8
    return (r * 2.0**-exponent).reshape(shape)


def mlp(prefix, width):
    return {prefix + "gate_proj.weight": (width, H), prefix + "up_proj.weight": (width, H),
            prefix + "down_proj.weight": (H, width)}


def shapes():
    table = {"model.embed_tokens.weight": (V, H), "model.norm.weight": (H,), "lm_head.weight": (V, H)}
    for i in range(LAYERS + 1):
        p = f"model.layers.{i}."
        a = p + "self_attn."
        table |= {
            p + "input_layernorm.weight": (H,), p + "post_attention_layernorm.weight": (H,),
            a + "q_a_proj.weight": (QL, H), a + "q_a_layernorm.weight": (QL,),
            a + "q_b_proj.weight": (HEADS * (DN + DR), QL), a + "kv_a_proj_with_mqa.weight": (KL + DR, H),
            a + "kv_a_layernorm.weight": (KL,), a + "kv_b_proj.weight": (HEADS * (DN + DV), KL),
            a + "o_proj.weight": (H, HEADS * DV)}
        if i == LAYERS or max(i - 1, 0) % 2 == 0:
            x = a + "indexer."
            table |= {x + "wq_b.weight": (INDEX_HEADS * INDEX_DIM, QL), x + "wk.weight": (INDEX_DIM, H),
                      x + "k_norm.weight": (INDEX_DIM,), x + "k_norm.bias": (INDEX_DIM,),
                      x + "weights_proj.weight": (INDEX_HEADS, H)}
        if i < DENSE:
            table |= mlp(p + "mlp.", INTER)
            continue
        table |= {p + "mlp.gate.weight": (EXPERTS, H), p + "mlp.gate.e_score_correction_bias": (EXPERTS,)}
        for e in range(EXPERTS):
            table |= mlp(p + f"mlp.experts.{e}.", MOE)
        table |= mlp(p + "mlp.shared_experts.", MOE)
        if i == LAYERS:
            table |= {p + "enorm.weight": (H,), p + "hnorm.weight": (H,), p + "eh_proj.weight": (H, 2 * H),
                      p + "shared_head.norm.weight": (H,)}
    return table


def write_weights(path):
    header, blobs, offset = {}, [], 0
    # F32 first: everything is aligned to its element size.
    for name, shape in sorted(shapes().items(), key=lambda item: not item[0].endswith("correction_bias")):
        f32 = values(name, shape).astype("<f4")
        if name.endswith("correction_bias"):
            dtype, data = "F32", f32.tobytes()
        else:
            bits = f32.view("<u4")
            assert not (bits & 0xFFFF).any(), f"{name} is not exact in bfloat16"
            dtype, data = "BF16", (bits >> 16).astype("<u2").tobytes()
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, offset + len(data)]}
        blobs.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def tokenizer():
    letters = [" "] + [chr(c) for c in range(0x21, 0x7F)]
    vocabulary = {("\u0120" if letter == " " else letter): i for i, letter in enumerate(letters)}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": STOP, "content": "<|endoftext|>", "single_word": False, "lstrip": False,
                          "rstrip": False, "normalized": False, "special": True}],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": "\\s+|\\S+"}, "behavior": "Isolated", "invert": False},
            byte_level]},
        "post_processor": byte_level, "decoder": byte_level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": vocabulary, "merges": []}}


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)

    def write_json(name, value):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            json.dump(value, file, indent=1)

    write_json("config.json", CONFIG)
    write_json("generation_config.json", {"eos_token_id": [STOP], "pad_token_id": STOP})
    write_json("tokenizer.json", tokenizer())
    write_json("expected.json", EXPECTED)
    tokens = np.array([(5 * i * i + 11 * i + 3) % V for i in range(20)], dtype=np.int64)
    np.save(os.path.join(folder, "tokens.npy"), tokens)
    write_weights(os.path.join(folder, "model.safetensors"))


if __name__ == "__main__":
    main()
