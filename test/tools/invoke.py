# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How the tests of the tools call them: programs from $GLM_BIN, checkpoints from $GLM_TEST_DATA, compiled artifacts from
$GLM_ARTIFACTS (test/e2e/compile.py wrote them), everything else in a folder of the test's own."""
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

BIN = Path(os.environ["GLM_BIN"])
DATA = Path(os.environ["GLM_TEST_DATA"])
ARTIFACTS = Path(os.environ.get("GLM_ARTIFACTS", "."))

ERROR = re.compile(r"error\[GLM(\d{4})\]: (.+)")


def call(tool, *words, input=b"", timeout=300):
    """Runs a tool to its end: exit code, standard output, standard error."""
    command = [str(BIN / tool), *(str(word) for word in words)]
    done = subprocess.run(command, input=input, capture_output=True, timeout=timeout)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


class ToolTest(unittest.TestCase):
    """A test with a folder of its own."""

    tool = "glm-run"

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def succeed(self, *words, **options):
        """What the tool printed; it must end with 0 and print no warning or error."""
        code, out, err = call(self.tool, *words, **options)
        self.assertEqual(code, 0, err)
        self.assertNotRegex(err, "error|warning")
        return out

    def refuse(self, code, pattern, *words, **options):
        """The tool must end with 1, say why in exactly one coded line, print nothing else and leave no file."""
        before = sorted(self.folder.rglob("*"))
        status, out, err = call(self.tool, *words, **options)
        self.assertEqual(status, 1, err)
        self.assertEqual(out, b"")
        lines = [line for line in err.splitlines() if not line.startswith(("note: ", "warning: "))]
        self.assertEqual(len(lines), 1, err)
        found = ERROR.fullmatch(lines[0])
        self.assertTrue(found, f"not of the form error[GLMnnnn]: {lines[0]}")
        self.assertEqual(int(found[1]), code, lines[0])
        self.assertRegex(found[2], pattern)
        self.assertEqual(sorted(self.folder.rglob("*")), before, "an output was left behind")

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path
