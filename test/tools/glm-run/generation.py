# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How glm-run generates: stops, seeds, statistics, streaming, Ctrl-C, contexts. On the trained demo, whose greedy text is known."""
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from invoke import ARTIFACTS, BIN, DATA, ToolTest, call  # noqa: E402

DEMO = ARTIFACTS / "demo-f32.glm"
CASE = json.loads((DATA / "glm5-demo" / "prompts.json").read_text())["prompts"][0]
GREEDY = ["--prompt", CASE["prompt"], "--temperature", 0]
SAMPLED = ["--prompt", CASE["prompt"], "--max-tokens", 24, "--temperature", 0.8, "--top-p", 0.95]


def receive(process, enough):
    """What a process prints, until it is `enough`; a process that ends or says nothing for 30 seconds is a failure."""
    out = b""
    while not enough(out):
        ready, _, _ = select.select([process.stdout], [], [], 30)
        piece = os.read(process.stdout.fileno(), 65536) if ready else b""
        if not piece:
            process.kill()
            raise AssertionError(f"nothing more came after {out!r}")
        out += piece
    return out


class Stop(ToolTest):
    def text(self, *words):
        return self.succeed(DEMO, *GREEDY, "--max-tokens", 64, *words).decode()

    def test_stop_text(self):
        """The text ends before a stop text, though it begins and ends inside tokens; of several the first to come counts."""
        before = CASE["continuation"].index("e cou")
        self.assertEqual(self.text("--stop", "e cou"), CASE["continuation"][:before] + "\n")
        self.assertEqual(self.text("--stop", "Crown", "--stop", "e cou"), CASE["continuation"][:before] + "\n")
        self.assertEqual(self.text("--stop", "in the country, and I was"), CASE["continuation"] + "\n")

    def test_ignore_stop(self):
        """--ignore-stop goes on after stop texts."""
        self.assertEqual(self.text("--stop", "e cou", "--ignore-stop"), CASE["continuation"] + "\n")

    def test_unfinished_stop_text(self):
        """The beginning of a stop text that the limit cuts off is text after all."""
        self.assertEqual(self.succeed(DEMO, *GREEDY, "--max-tokens", 7, "--stop", "the country").decode(), " glad I am to be in the\n")


class Sampling(ToolTest):
    def test_seed(self):
        """A seed fixes the text, whatever the threads and chunks; another one gives another."""
        texts = [self.succeed(DEMO, *SAMPLED, "--seed", seed, "--threads", threads, "--chunk", chunk)
                 for seed, threads, chunk in ((7, 1, 512), (7, 2, 512), (7, 2, 3), (8, 2, 512))]
        self.assertEqual(texts[0], texts[1])
        self.assertEqual(texts[0], texts[2])
        self.assertNotEqual(texts[0], texts[3])

    def test_drawn_seed(self):
        """Without --seed one is drawn and told; given back, it gives the same text. Greedy text needs none."""
        code, text, err = call(self.tool, DEMO, *SAMPLED)
        self.assertEqual(code, 0)
        seed = re.fullmatch(r"note: --seed (\d+)\n", err)[1]
        self.assertEqual(self.succeed(DEMO, *SAMPLED, "--seed", seed), text)
        self.assertEqual(call(self.tool, DEMO, *GREEDY, "--max-tokens", 2)[2], "")

    def test_narrow_sampling_is_greedy(self):
        """One token to choose from is the most likely one, by each of the three cuts."""
        greedy = self.succeed(DEMO, *GREEDY, "--max-tokens", 16)
        for cut in (["--top-k", 1], ["--top-p", 0.0001], ["--min-p", 1]):
            self.assertEqual(self.succeed(DEMO, *GREEDY[:2], "--max-tokens", 16, "--temperature", 1, "--seed", 5, *cut), greedy)

    def test_repetition_penalty(self):
        """Greedy text of the demo repeats itself; a penalty changes that."""
        self.assertNotEqual(self.succeed(DEMO, *GREEDY, "--max-tokens", 48, "--repetition-penalty", 1.5), self.succeed(DEMO, *GREEDY, "--max-tokens", 48))


class Drafts(ToolTest):
    """Speculative decoding saves steps and changes nothing else."""

    def run_with(self, artifact, drafts, *words):
        text = self.succeed(ARTIFACTS / artifact, *words, "--draft", drafts, f"--stats=@{self.folder / 's.json'}")
        return text, json.loads((self.folder / "s.json").read_text())

    def test_same_text(self):
        """Greedy and sampled, in both precisions, with a stop text in the middle of a batch of drafts."""
        for artifact in ("demo-f32.glm", "demo-bf16.glm"):
            for words in ([*GREEDY, "--max-tokens", 64], [*SAMPLED, "--seed", 3], [*GREEDY, "--stop", "e cou"], [*GREEDY, "--max-tokens", 1]):
                with self.subTest(f"{artifact} {words}"):
                    text, statistics = self.run_with(artifact, 0, *words)
                    self.assertEqual((statistics["drafted"], statistics["accepted"]), (0, 0))
                    for drafts in (1, 2, 3, 8, "auto"):
                        self.assertEqual(self.run_with(artifact, drafts, *words)[0], text)

    def test_fewer_steps(self):
        """The trained draft layer is right often enough: about 2.1 tokens a step with two drafts."""
        text, statistics = self.run_with("demo-f32.glm", 2, *GREEDY, "--max-tokens", 64)
        self.assertEqual(statistics["generated_tokens"], 64)
        self.assertEqual(statistics["steps"] + statistics["accepted"] + 1, 64)
        self.assertLess(statistics["steps"], 40)
        self.assertGreaterEqual(statistics["drafted"], statistics["accepted"])

    def test_full_context(self):
        """Drafts never need more room than the tokens themselves."""
        for context in range(13, 20):
            words = [*GREEDY, "--context", context, "--max-tokens", context - 11]
            self.assertEqual(self.run_with("demo-f32.glm", 3, *words)[0], self.run_with("demo-f32.glm", 0, *words)[0])


class Statistics(ToolTest):
    FIELDS = ["prompt_tokens", "generated_tokens", "steps", "drafted", "accepted", "load_ms", "prefill_ms", "decode_ms", "peak_bytes"]

    def check(self, statistics):
        self.assertEqual(list(statistics)[:len(self.FIELDS)], self.FIELDS)
        self.assertEqual([statistics[field] for field in self.FIELDS[:5]], [len(CASE["prompt_ids"]), 10, 9, 0, 0])
        for field in self.FIELDS[5:]:  # more may follow
            self.assertGreater(statistics[field], 0, field)
        self.assertTrue(statistics["level"], "which code ran")

    def test_file(self):
        self.succeed(DEMO, *GREEDY, "--draft", 0, "--max-tokens", 10, f"--stats=@{self.folder / 's.json'}")
        self.check(json.loads((self.folder / "s.json").read_text()))
        self.assertEqual([path.name for path in self.folder.iterdir()], ["s.json"])

    def test_printed(self):
        """Bare --stats prints one line beside the text."""
        code, out, err = call(self.tool, "--stats", DEMO, *GREEDY, "--draft", 0, "--max-tokens", 10)
        self.assertEqual(code, 0)
        self.assertTrue(CASE["continuation"].startswith(out.decode().rstrip("\n")))
        self.check(json.loads(err))

    def test_weights_memory(self):
        """Copied weights count as allocated, mapped ones do not; the text is the same."""
        peaks, texts = [], []
        for kind in ("map", "copy"):
            texts.append(self.succeed(DEMO, *GREEDY, "--max-tokens", 4, f"--weights-memory={kind}", f"--stats=@{self.folder / 's.json'}"))
            peaks.append(json.loads((self.folder / "s.json").read_text())["peak_bytes"])
        self.assertEqual(texts[0], texts[1])
        self.assertGreater(peaks[1], peaks[0] + (8 << 20))


class Streaming(ToolTest):
    LONG = [*GREEDY, "--max-tokens", 2000, "--ignore-stop"]

    def start(self, *words):
        return subprocess.Popen([str(word) for word in (BIN / self.tool, DEMO, *words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def test_text_comes_while_it_generates(self):
        """The first words arrive long before the last."""
        with self.start(*self.LONG) as process:
            first = receive(process, lambda out: len(out) > 0)
            self.assertIsNone(process.poll())
            process.kill()
        self.assertTrue(CASE["continuation"].startswith(first.decode()[:20]))

    def interrupt(self, *words, after):
        """SIGINT once `after` bytes came; standard output from the start."""
        with self.start(*words) as process:
            out = receive(process, lambda out: len(out) >= after)
            process.send_signal(signal.SIGINT)
            rest, err = process.communicate(timeout=60)
        return process.returncode, (out + rest).decode(), err.decode()

    def test_interrupted(self):
        """Ctrl-C ends with 130, what came so far stays, nothing is said."""
        code, out, err = self.interrupt(*self.LONG, after=40)
        self.assertEqual((code, err), (130, ""))
        self.assertTrue(out.startswith(CASE["continuation"][:40]))
        self.assertTrue(out.endswith("\n"))
        self.assertLess(len(out), 6000)

    def test_interrupted_with_statistics(self):
        """The statistics of an interrupted run are told."""
        code, out, err = self.interrupt(*self.LONG, "--stats", after=40)
        self.assertEqual(code, 130)
        self.assertLess(json.loads(err)["generated_tokens"], 2000)

    def test_interrupted_before_the_file(self):
        """--output-tokens of an interrupted run is not written, in part neither."""
        np.save(self.folder / "ids.npy", np.array(CASE["prompt_ids"]))
        with self.start(f"--tokens=@{self.folder / 'ids.npy'}", "--max-tokens", 2000, "--ignore-stop", f"--output-tokens=@{self.folder / 'o.npy'}",
                        "--temperature", 0) as process:
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertRegex(err.decode(), r"^error\[GLM0007\]: .*o\.npy: interrupted, not written\n$")
        self.assertEqual([path.name for path in self.folder.iterdir()], ["ids.npy"])

    def test_interrupted_chat(self):
        """Ctrl-C stops an answer; the conversation goes on with the next question, and the next Ctrl-C works again."""
        with subprocess.Popen([str(BIN / self.tool), str(DEMO), "--chat", "--temperature", "0", "--max-tokens", "1500", "--ignore-stop"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            for _ in range(2):
                process.stdin.write(b"How can you be so teasing?\n")
                process.stdin.flush()
                answer = receive(process, lambda out: len(out) >= 40)
                process.send_signal(signal.SIGINT)
                if not answer.endswith(b"\n"):
                    answer += receive(process, lambda out: out.endswith(b"\n"))
                self.assertLess(len(answer), 5000)
            process.stdin.write(b"/exit\n")
            out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, out, err), (0, b"", b""))


class Context(ToolTest):
    def test_too_small(self):
        """A prompt that does not fit is refused with both numbers and the remedy."""
        self.refuse(1, "prompt: needs 12 positions, the context has 5; give --context up to 2048", DEMO, *GREEDY, "--context", 5)
        self.refuse(1, "prompt: needs 12 positions, the context has 11", DEMO, *GREEDY, "--context", 11)
        self.refuse(1, "--context: 5000 positions, the artifact was compiled for 2048; compile with a larger --context", DEMO, *GREEDY, "--context", 5000)

    def test_longer_than_compiled_for(self):
        """The bound of the artifact, for text, logits and conversations."""
        np.save(self.folder / "ids.npy", np.arange(100) % 700)
        ids, tiny = f"--tokens=@{self.folder / 'ids.npy'}", ARTIFACTS / "tiny.glm"
        rule = "needs 100 positions, the context has 80; make it shorter, or compile with a larger --context"
        self.refuse(1, rule, tiny, ids, f"--output-tokens=@{self.folder / 'o.npy'}")
        self.refuse(1, rule, tiny, ids, f"--logits=@{self.folder / 'o.npy'}")
        self.refuse(1, "--context: 81 positions", tiny, "--chat", "--context", 81)

    def test_full(self):
        """Generation ends when the context is full, and says so if more was asked for."""
        code, out, err = call(self.tool, DEMO, *GREEDY, "--context", 20, "--max-tokens", 50, f"--stats=@{self.folder / 's.json'}")
        self.assertEqual(code, 0, err)
        self.assertEqual(err, "warning: the context of 20 positions is full after 9 of 50 tokens\n")
        self.assertEqual(json.loads((self.folder / "s.json").read_text())["generated_tokens"], 9)
        self.assertTrue(CASE["continuation"].startswith(out.decode().rstrip("\n")))
        self.succeed(DEMO, *GREEDY, "--context", 20, "--max-tokens", 9)

    def test_exactly_full(self):
        """A prompt that fills the context still gets its next token."""
        self.assertEqual(len(self.succeed(DEMO, *GREEDY, "--context", 12, "--max-tokens", 1, "--logprobs").splitlines()), 1)


if __name__ == "__main__":
    unittest.main()
