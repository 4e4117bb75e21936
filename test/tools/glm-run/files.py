# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What glm-run reads and writes, and what it says when that cannot be: ids, texts, conversations, damaged artifacts."""
import json
import os
import struct
import sys
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from invoke import ARTIFACTS, DATA, ToolTest, call  # noqa: E402

TINY = ARTIFACTS / "tiny.glm"


class Ids(ToolTest):
    def ids(self, values, dtype=np.int64):
        np.save(self.folder / "ids.npy", np.array(values, dtype))
        return f"--tokens=@{self.folder / 'ids.npy'}"

    def out(self, name="out.npy"):
        return f"@{self.folder / name}"

    def test_forms(self):
        """int32, int64 and one row of two dimensions are the same ids; the sign before a file name is optional."""
        wanted = None
        for values, dtype in (([3, 1, 4], np.int32), ([3, 1, 4], np.int64), ([[3, 1, 4]], np.int64)):
            self.succeed(TINY, self.ids(values, dtype), f"--logits={self.out()}")
            logits = np.load(self.folder / "out.npy")
            self.assertEqual((logits.shape, logits.dtype), ((3, 761), np.float32))
            wanted = logits if wanted is None else wanted
            self.assertTrue((logits == wanted).all())
        self.succeed(TINY, "--tokens", self.folder / "ids.npy", "--logits", self.folder / "plain.npy")
        self.assertTrue((np.load(self.folder / "plain.npy") == wanted).all())

    def test_refused(self):
        """Missing, no array, other types, none at all, beyond the vocabulary."""
        for flag in (f"--logits={self.out()}", f"--output-tokens={self.out()}"):
            self.refuse(2, "none.npy: No such file", TINY, "--tokens=@none.npy", flag)
            self.refuse(9, "no .npy file", TINY, f"--tokens=@{self.write('text', 'some text')}", flag)
            self.refuse(9, "one row of int32 or int64", TINY, self.ids([1.0, 2.0], np.float32), flag)
            self.refuse(9, "one row of int32 or int64", TINY, self.ids([[1, 2], [3, 4]]), flag)
            self.refuse(1, "holds no tokens", TINY, self.ids([]), flag)
            self.refuse(1, "token 761, the model has 0 to 760", TINY, self.ids([5, 761]), flag)
            self.refuse(1, "token -1", TINY, self.ids([-1]), flag)

    def test_outputs_that_cannot_be_written(self):
        """A folder that is not there: nothing is written anywhere."""
        ids = self.ids([3, 1, 4])
        self.refuse(6, "out.npy: No such file", TINY, ids, f"--logits={self.out('none/out.npy')}")
        self.refuse(6, "out.npy: No such file", TINY, ids, "--max-tokens", 2, "--temperature", 0, f"--output-tokens={self.out('none/out.npy')}")
        self.refuse(6, "cannot be created", TINY.with_name("kept.glm"), ids, f"--stages-to={self.folder / 'ids.npy' / 'below'}")

    def test_stages_need_keep(self):
        """Without glmc --keep there is nothing to write, and the message says what to do."""
        self.refuse(2, "--keep=selections,experts,hidden", TINY, self.ids([1, 2]), f"--stages-to={self.folder / 'stages'}")

    def test_without_draft_layer(self):
        """What glmc --no-mtp left out is said to be missing."""
        self.refuse(2, "no draft layer; .*--no-mtp", TINY, self.ids([1, 2]), f"--draft-logits={self.out()}")
        self.refuse(2, "no draft layer; .*--no-mtp", TINY, self.ids([1, 2]), "--draft", 2, "--temperature", 0)

    def test_ids_of_a_text(self):
        """--detokenize takes ids of any model's tokenizer, but nothing that is no id."""
        self.ids([])
        self.assertEqual(self.succeed(TINY, f"--detokenize=@{self.folder / 'ids.npy'}"), b"")
        self.ids([1 << 32])
        self.refuse(1, "holds 4294967296, which is no token", TINY, f"--detokenize=@{self.folder / 'ids.npy'}")
        self.refuse(2, "No such file", TINY, "--detokenize=@none.npy")


class Texts(ToolTest):
    def test_files(self):
        """Missing prompt files and folders in their place."""
        for flag in ("--prompt", "--messages", "--tokenize"):
            self.refuse(2, "none.txt: cannot be read: No such file", TINY, f"{flag}=@none.txt")
            self.refuse(2, "is a folder", TINY, f"{flag}=@{self.folder}")

    def test_empty_prompt(self):
        """No token, no text."""
        self.refuse(1, "prompt: is empty", TINY, "--prompt", "")
        self.refuse(1, "prompt: is empty", TINY, "--prompt", "-", input=b"")
        self.assertEqual(self.succeed(TINY, f"--tokenize=@{self.write('empty', '')}"), b"\n")

    def test_conversations(self):
        """What is no conversation, with the place of the mistake."""
        cases = {"no json": (7015, "parse error at line 1, column 2"), "": (7015, "parse error"), "[]": (7001, '"messages"'), "{}": (7001, '"messages"'),
                 '{"messages": 3}': (7001, '"messages"'), '{"messages": [{"role": "user", "content": "x"}],}': (7015, "line 1")}
        for text, (code, pattern) in cases.items():
            for words in ([], ["--render"]):
                with self.subTest(text):
                    self.refuse(code, pattern, TINY, f"--messages=@{self.write('m.json', text)}", "--temperature", 0, *words)


class Damage(ToolTest):
    """An artifact that is not as it was written is refused by a rule, not by what happens."""

    whole = TINY.read_bytes() if TINY.exists() else b""

    def damaged(self, pattern, content, code):
        self.refuse(code, pattern, self.write("damaged.glm", content), "--prompt", "a", "--max-tokens", 2, "--temperature", 0)

    def test_cut(self):
        """Cut at any place: in the magic, the header, the program, a segment, before the last byte."""
        program = struct.unpack_from("<Q", self.whole, 24)[0]
        for size in (0, 7, 8, 63, 64, 64 + program // 2, 64 + program, 4096 * 3, len(self.whole) // 2, len(self.whole) - 1):
            with self.subTest(size):
                self.refuse_any({7010, 7011}, self.whole[:size])

    def refuse_any(self, codes, content):
        code, out, err = call(self.tool, self.write("damaged.glm", content), "--prompt", "a", "--max-tokens", 2, "--temperature", 0)
        self.assertEqual((code, out), (1, b""))
        self.assertRegex(err, r"^error\[GLM(%s)\]: .*damaged\.glm: [^\n]*\n$" % "|".join(map(str, codes)))

    def test_longer(self):
        """Bytes behind the end."""
        self.damaged("longer|bytes", self.whole + b"\0", 7011)

    def test_version(self):
        """A future version says which one it is and which are known."""
        self.damaged("version 2.*1", self.whole[:8] + struct.pack("<I", 2) + self.whole[12:], 7012)

    def test_flags(self):
        """A feature bit this runtime does not know."""
        self.damaged("flag|feature", self.whole[:56] + struct.pack("<Q", 1 << 40) + self.whole[64:], 7013)

    def test_text_mode(self):
        """Line ends changed by a transfer."""
        self.damaged("artifact", self.whole.replace(b"\r\n", b"\n"), 7010)

    def test_bits(self):
        """One bit of the program or of the code: the hash does not match."""
        program = struct.unpack_from("<Q", self.whole, 24)[0]
        for at in (64, 64 + program // 2, 64 + program - 1):
            content = bytearray(self.whole)
            content[at] ^= 4
            self.damaged("hash|damaged", bytes(content), 7014)

    def test_foreign_processor(self):
        """Compiled for another processor: the message names it and what to do."""
        self.refuse(7016, "compiled for aarch64 .*--target-cpu=native", ARTIFACTS / "foreign.glm", "--prompt", "a")

    def test_unreadable(self):
        """No permission to read."""
        if os.geteuid() == 0:
            self.skipTest("root may read everything")
        path = self.write("secret.glm", self.whole)
        path.chmod(0)
        self.refuse(7003, "Permission denied", path, "--prompt", "a")


if __name__ == "__main__":
    unittest.main()
