# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tokenizer and chat format through artifacts: every line of the corpora that Hugging Face's tokenizers and transformers
computed, by the command line."""
import json
import os
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))
from invoke import ARTIFACTS, DATA, ToolTest  # noqa: E402

TOKENIZER = [json.loads(line) for line in (DATA / "tokenizer-corpus.jsonl").open()]
CHAT = [json.loads(line) for line in (DATA / "chat-corpus.jsonl").open()]
MODEL = {"glm5-tiny": ARTIFACTS / "kept.glm", "glm52-tiny": ARTIFACTS / "shared.glm"}


class Corpus(ToolTest):
    def for_each(self, lines, check):
        """Runs `check(number, line)` for all lines, in parallel; the first few that fail are the message."""
        def failure(pair):
            try:
                check(*pair)
            except AssertionError as error:
                return f"line {pair[0] + 1}: {error}"
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            failures = [text for text in pool.map(failure, enumerate(lines)) if text]
        self.assertFalse(failures, f"{len(failures)} of {len(lines)} lines:\n" + "\n".join(failures[:5]))
        self.assertGreater(len(lines), 200)

    def test_encode(self):
        """--tokenize gives the ids of every text of the corpus."""
        def check(number, line):
            text = self.write(f"{number}.txt", line["text"])
            self.assertEqual([int(word) for word in self.succeed(MODEL["glm5-tiny"], f"--tokenize=@{text}").split()], line["ids"])
        self.for_each([line for line in TOKENIZER if line["text"] is not None], check)

    def test_decode(self):
        """--detokenize gives the text of every row of ids."""
        def check(number, line):
            np.save(self.folder / f"{number}.npy", np.array(line["ids"], np.int64))
            self.assertEqual(self.succeed(MODEL["glm52-tiny"], f"--detokenize=@{self.folder}/{number}.npy").decode(), line["decoded"])
        self.for_each(TOKENIZER, check)

    def test_decode_without_special_tokens(self):
        """With --skip-special the text of the others. Only where that differs, and some more."""
        def check(number, line):
            np.save(self.folder / f"{number}.npy", np.array(line["ids"], np.int32))
            self.assertEqual(self.succeed(MODEL["glm52-tiny"], f"--detokenize=@{self.folder}/{number}.npy", "--skip-special").decode(),
                             line["decoded_skip_special"])
        self.for_each([line for number, line in enumerate(TOKENIZER) if number < 200 or line["decoded"] != line["decoded_skip_special"]], check)

    def test_render(self):
        """--messages --render prints what the template makes of every conversation, the options beside the messages, and adds nothing."""
        def check(number, line):
            request = self.write(f"{number}.json", json.dumps({"messages": line["messages"], **line["kwargs"]}))
            self.assertEqual(self.succeed(MODEL[line["checkpoint"]], f"--messages=@{request}", "--render").decode(), line["rendered"])
        self.for_each(CHAT, check)
        self.assertTrue(any("add_generation_prompt" not in line["kwargs"] for line in CHAT))

    def test_ids_of_conversations(self):
        """What is generated from starts with the ids of the corpus: the statistics count them. Without add_generation_prompt one is added."""
        asked = [line for line in CHAT if line["kwargs"].get("add_generation_prompt")]
        for number, line in enumerate(asked[::4]):
            kwargs = {key: value for key, value in line["kwargs"].items() if number % 2 or key != "add_generation_prompt"}
            request = self.write("m.json", json.dumps({"messages": line["messages"], **kwargs}))
            self.succeed(MODEL[line["checkpoint"]], f"--messages=@{request}", "--max-tokens", 1, "--temperature", 0, f"--stats=@{self.folder / 's.json'}")
            self.assertEqual(json.loads((self.folder / "s.json").read_text())["prompt_tokens"], len(line["ids"]), line["messages"])

    def test_ids_of_rendered_text(self):
        """Rendered conversations, special tokens among them, encode to the corpus' ids."""
        def check(number, line):
            text = self.write(f"{number}.txt", line["rendered"])
            self.assertEqual([int(word) for word in self.succeed(MODEL["glm5-tiny"], f"--tokenize=@{text}").split()], line["ids"])
        self.for_each(CHAT, check)


if __name__ == "__main__":
    unittest.main()
