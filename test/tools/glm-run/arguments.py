# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The command line of glm-run: what is refused before an artifact is needed, and how."""
import sys
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from invoke import ToolTest, call  # noqa: E402


class Arguments(ToolTest):
    def test_help_and_version(self):
        """Help names every flag of the contract; both end with 0 and need no artifact."""
        text = self.succeed("--help").decode()
        for flag in ("prompt", "chat", "max-tokens", "temperature", "top-p", "top-k", "seed", "draft", "threads", "min-p", "repetition-penalty",
                     "stop", "ignore-stop", "logprobs", "context", "weights-memory", "device", "stats", "tokens", "logits", "draft-logits",
                     "output-tokens", "stages-to", "tokenize", "detokenize", "skip-special", "messages", "render"):
            self.assertIn(f"--{flag}", text)
        self.assertRegex(self.succeed("--version").decode(), r"^glm-run \d+\.\d+\.\d+\n$")

    def test_flags_that_do_not_parse(self):
        """An unknown flag is named, also when more is missing; values have forms and ranges."""
        self.refuse(1, "no artifact", )
        self.refuse(1, "--bogus", "--bogus")
        self.refuse(1, "--bogus", "x.glm", "--prompt", "a", "--bogus")
        self.refuse(1, "--two lines", "x.glm", "--prompt", "a", "--two\nlines")
        self.refuse(1, "other.glm", "x.glm", "other.glm", "--prompt", "a")
        for words in (["--threads", 0], ["--top-p", 2], ["--min-p", -1], ["--temperature", "warm"], ["--temperature", -1], ["--seed", -1],
                      ["--max-tokens", 1.5], ["--context", 0], ["--chunk", 0], ["--repetition-penalty", 0], ["--weights-memory", "ram"],
                      ["--prompt", "twice"], ["--stop", ""], ["--logprobs=0"], ["--logprobs=101"], ["--logprobs=x"], ["--draft", "many"],
                      ["--device", "gpu"]):
            self.refuse(1, words[0].split("=")[0], "x.glm", "--prompt", "a", *words)

    def test_flags_in_conflict(self):
        """What would be ignored is refused, before any file is touched."""
        ids = "--tokens=@ids.npy"
        self.refuse(1, "nothing to run", "x.glm")
        self.refuse(3, "more than one prompt", "x.glm", "--prompt", "a", ids)
        self.refuse(3, "more than one prompt", "x.glm", "--chat", "--messages=@m.json")
        self.refuse(3, "more than one prompt", "x.glm", "--tokenize=@t", "--detokenize=@t")
        self.refuse(3, "--messages", "x.glm", "--prompt", "a", "--render")
        self.refuse(3, "--detokenize", "x.glm", "--prompt", "a", "--skip-special")
        for flag in ("--logits=@o.npy", "--output-tokens=@o.npy", "--stages-to=o", "--draft-logits=@o.npy"):
            self.refuse(3, "--tokens", "x.glm", "--prompt", "a", flag)
        self.refuse(3, "run twice", "x.glm", ids, "--logits=@a.npy", "--output-tokens=@b.npy")
        self.refuse(3, "--logprobs", "x.glm", ids, "--logprobs", "--output-tokens=@b.npy")

    def test_bare_flags_take_no_word(self):
        """`--stats model.glm` and `--logprobs model.glm` leave the artifact alone."""
        for flag in ("--stats", "--logprobs"):
            self.refuse(7003, "^x.glm: .*No such file", flag, "x.glm", "--prompt", "a")

    def test_files_that_are_no_artifact(self):
        """Missing, a folder, empty, something else."""
        words = ("--prompt", "a")
        self.refuse(7003, "missing.glm", self.folder / "missing.glm", *words)
        self.refuse(7003, "two.lines.glm", "two\nlines.glm", *words)
        self.refuse(7010, "regular file", self.folder, *words)
        self.refuse(7010, "not an artifact|shorter|artifact", self.write("empty.glm", ""), *words)
        self.refuse(7010, "not an artifact", self.write("text.glm", "no artifact at all\n" * 1000), *words)
        np.save(self.folder / "ids.npy", np.arange(3))
        self.refuse(7010, "not an artifact", self.folder / "ids.npy", *words)

    def test_exit_code_of_a_full_disk(self):
        """Output that cannot be written is an error."""
        import subprocess
        from invoke import BIN
        with open("/dev/full", "wb") as full:
            done = subprocess.run([str(BIN / self.tool), "--version"], stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"error[GLM0006]: standard output", done.stderr)


if __name__ == "__main__":
    unittest.main()
