# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a configuration to standard output: BASE.json with the published sizes of GLM-5.2 and, with "fp8", its
published quantisation. The tree holds only small configurations; sizes alone make the big one."""
import json
import sys

config = json.load(open(sys.argv[1], encoding="utf-8"))
if "big" in sys.argv:
    config |= {
        "vocab_size": 154880, "hidden_size": 6144, "num_hidden_layers": 78, "num_attention_heads": 64,
        "num_key_value_heads": 64, "qk_head_dim": 256, "qk_nope_head_dim": 192, "qk_rope_head_dim": 64,
        "v_head_dim": 256, "q_lora_rank": 2048, "kv_lora_rank": 512, "index_n_heads": 32, "index_head_dim": 128,
        "index_topk": 2048, "index_topk_freq": 4, "index_skip_topk_offset": 3, "intermediate_size": 12288,
        "moe_intermediate_size": 2048, "n_routed_experts": 256, "num_experts_per_tok": 8, "n_group": 1,
        "topk_group": 1, "first_k_dense_replace": 3, "max_position_embeddings": 1048576,
        "eos_token_id": [154820, 154827, 154829], "pad_token_id": 154820,
    }
    for name in ("indexer_types", "mlp_layer_types"):
        config.pop(name, None)
if "fp8" in sys.argv:
    config["quantization_config"] = {"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128]}
json.dump(config, sys.stdout, indent=1)
