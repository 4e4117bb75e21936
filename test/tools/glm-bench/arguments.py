# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The command line of glm-bench: what is refused before an artifact is needed, and how."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from invoke import ToolTest  # noqa: E402


class Arguments(ToolTest):
    tool = "glm-bench"

    def test_help_and_version(self):
        """Help names every flag; both end with 0 and need no artifact."""
        text = self.succeed("--help").decode()
        for flag in ("prefill", "decode", "context", "threads", "slots", "json", "perplexity", "window", "device", "kernels", "repetitions", "trace", "neighbour",
                     "no-limits", "attention"):
            self.assertIn(f"--{flag}", text)
        self.assertRegex(self.succeed("--version").decode(), r"^glm-bench \d+\.\d+\.\d+\n$")

    def test_flags_that_do_not_parse(self):
        """An unknown flag is named, also when more is missing; values have forms and ranges."""
        self.refuse(1, "no artifact")
        self.refuse(1, "--bogus", "--bogus")
        self.refuse(1, "other.glm", "x.glm", "other.glm")
        for words in (["--prefill", "0"], ["--prefill", "1,x"], ["--decode", "0"], ["--context", "-1"], ["--slots", "0"], ["--threads", "0"], ["--threads", "1,0"],
                      ["--repetitions", "0"], ["--window", "1"], ["--seed", "-1"], ["--device", "gpu"], ["--attention", "dense"]):
            self.refuse(1, words[0], "x.glm", *words)

    def test_files_that_are_no_artifact(self):
        """Missing, or something else; no figures are written."""
        figures = self.folder / "figures.json"
        self.refuse(7003, "missing.glm", self.folder / "missing.glm", "--json", figures)
        self.refuse(7010, "not an artifact", self.write("text.glm", "no artifact at all\n" * 1000), "--json", figures)


if __name__ == "__main__":
    unittest.main()
