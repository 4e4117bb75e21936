# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The small trained model as its users meet it: perplexity, continuations and chat against what transformers computed
(test/data/glm5-demo/README.md)."""
import json
import math
import sys
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))
from invoke import ARTIFACTS, DATA, ToolTest, call  # noqa: E402

DEMO = DATA / "glm5-demo"
HELD_OUT_NATS, HELD_OUT_SCORED = 3.605195, 14039
EMULATED_W4A8_NATS, EMULATED_INT4_NATS = 3.60889, 3.61838


class Perplexity(ToolTest):
    tool = "glm-bench"

    def check(self, name, threads, wanted=HELD_OUT_NATS, within=0.005):
        """Within 0.5 % of the reference's perplexity, over exactly as many tokens."""
        self.succeed(ARTIFACTS / f"demo-{name}.glm", "--perplexity", DEMO / "heldout.txt", "--window", 512, "--threads", threads,
                     "--json", self.folder / "out.json")
        figures = json.loads((self.folder / "out.json").read_text())["perplexity"]
        self.assertEqual(figures["tokens"], HELD_OUT_SCORED)
        ratio = math.exp(figures["nats_per_token"] - wanted)
        self.assertLess(abs(ratio - 1), within, figures)
        return figures["nats_per_token"]

    def test_f32(self):
        """In f32 much closer than the tolerance: the same function, summed in another order."""
        self.assertLess(abs(self.check("f32", 2) - HELD_OUT_NATS), 2e-4)

    def test_bf16(self):
        self.check("bf16", 2)

    def test_weights_alone(self):
        """Rules of a file that only round weights to int4 cost what the checkpoint's README emulates, to 0.3 %; 1.3 % more than bf16."""
        self.assertGreater(self.check("int4", 2, EMULATED_INT4_NATS, 0.003), HELD_OUT_NATS + 0.01)

    def test_recipes(self):
        """Codes cost what rounding costs: w4a8 as the checkpoint's README emulates it, w8a8 and codes with zeros less. The artifact
        says how it was made."""
        bf16, w8a8, w4a8 = (self.check(name, 2) for name in ("bf16", "w8a8", "w4a8"))
        self.assertLess(abs(w4a8 - EMULATED_W4A8_NATS), 1e-3)
        self.assertLess(abs(w8a8 - bf16), abs(w4a8 - bf16))
        self.assertLess(self.check("w4a8-zeros", 2), w4a8)
        for name in ("w8a8", "w4a8", "w4a8-zeros"):
            code, out, err = call("glm-inspect", ARTIFACTS / f"demo-{name}.glm", "--json")
            self.assertEqual(code, 0, err)
            self.assertEqual(json.loads(out)["provenance"]["recipe"], name)


class Recipes(ToolTest):
    """What a recipe makes of a model is defined by the interpreter."""

    def test_zeros(self):
        """Experts of int4 with zeros: equal until the first code of a row that lies on a rounding edge, near from then on."""
        text = self.write("text.txt", (DEMO / "heldout.txt").read_text()[:400])
        ids = [int(word) for word in self.succeed(ARTIFACTS / "demo-f32.glm", f"--tokenize=@{text}").split()]
        np.save(self.folder / "ids.npy", np.array(ids))
        tokens, module = f"--tokens=@{self.folder / 'ids.npy'}", self.folder / "model.mlir"
        for command in (["glmc", DEMO, "--recipe=w4a8-zeros", "--precision=f32", "--compile-to=model", "-o", module],
                        ["glm-interpret", DEMO, f"--module={module}", tokens, f"--logits=@{self.folder / 'wanted.npy'}"]):
            code, _, err = call(*command)
            self.assertEqual(code, 0, err)
        self.succeed(ARTIFACTS / "demo-w4a8-zeros.glm", tokens, f"--logits=@{self.folder / 'got.npy'}")
        difference = np.abs(np.load(self.folder / "got.npy") - np.load(self.folder / "wanted.npy"))
        self.assertLess(difference[:4].max(), 1e-3)
        self.assertLess(difference.mean(), 0.05)


class Continuations(ToolTest):
    """Greedy text of 64 tokens after each prompt of prompts.json."""

    prompts = json.loads((DEMO / "prompts.json").read_text())["prompts"]

    def test_ids(self):
        """The prompt's ids, and in f32 every id of the continuation."""
        for case in self.prompts:
            with self.subTest(case["prompt"]):
                text = self.write("prompt.txt", case["prompt"])
                ids = [int(word) for word in self.succeed(ARTIFACTS / "demo-f32.glm", f"--tokenize=@{text}").split()]
                self.assertEqual(ids, case["prompt_ids"])
                np.save(self.folder / "ids.npy", np.array(ids, np.int64))
                self.succeed(ARTIFACTS / "demo-f32.glm", f"--tokens=@{self.folder / 'ids.npy'}", "--max-tokens", 64, "--temperature", 0,
                             "--ignore-stop", f"--output-tokens=@{self.folder / 'out.npy'}")
                out = np.load(self.folder / "out.npy")
                self.assertEqual(out.dtype, np.int64)
                self.assertEqual(out.tolist(), case["continuation_ids"])

    def test_text(self):
        """The same as text, from the command line, a file and standard input, with one thread and two."""
        for case, threads, source in zip(self.prompts, (1, 2, 1, 2, 1), ("text", "file", "stdin", "text", "file")):
            with self.subTest(case["prompt"]):
                prompt = {"text": case["prompt"], "file": f"@{self.write('prompt.txt', case['prompt'])}", "stdin": "-"}[source]
                out = self.succeed(ARTIFACTS / "demo-f32.glm", f"--prompt={prompt}", "--max-tokens", 64, "--temperature", 0, "--ignore-stop",
                                   "--threads", threads, input=case["prompt"].encode())
                self.assertEqual(out.decode(), case["continuation"] + "\n")

    def test_bf16(self):
        """In bf16 the text starts the same way."""
        case = self.prompts[0]
        out = self.succeed(ARTIFACTS / "demo-bf16.glm", "--prompt", case["prompt"], "--max-tokens", 8, "--temperature", 0)
        self.assertEqual(out.decode().strip(), case["continuation"][:len(out.decode().rstrip())].strip())

    def test_log_probabilities(self):
        """--logprobs: a line for each token, the natural logarithms of the reference, the best first."""
        case = self.prompts[1]
        out = self.succeed(ARTIFACTS / "demo-f32.glm", "--prompt", case["prompt"], "--max-tokens", 64, "--temperature", 0, "--ignore-stop",
                           "--logprobs=3").decode()
        lines = out.splitlines()
        self.assertEqual(len(lines), 64)
        text = ""
        for line, token, wanted in zip(lines, case["continuation_ids"], case["logprobs"]):
            number, logprob, rest = line.split(" ", 2)
            piece, end = json.JSONDecoder().raw_decode(rest)
            text += piece
            best = [pair.split(":") for pair in rest[end:].split()]
            self.assertEqual(int(number), token)
            self.assertAlmostEqual(float(logprob), wanted, delta=1e-3)
            self.assertEqual(best[0], [number, logprob])
            self.assertEqual(len(best), 2)
            self.assertLessEqual(float(best[1][1]), float(logprob))
        self.assertEqual(text, case["continuation"])


class LongSequence(ToolTest):
    """1,200 tokens: far beyond index_topk, and beyond a page of the caches."""

    def test_against_the_interpreter(self):
        """One call, chunks of any size and a context with room to spare give what the interpreter gives. Long chunks expand keys, short ones gather them."""
        text = self.write("text.txt", (DEMO / "heldout.txt").read_text()[:6000])
        ids = [int(word) for word in self.succeed(ARTIFACTS / "demo-f32.glm", f"--tokenize=@{text}").split()][:1200]
        self.assertEqual(len(ids), 1200)
        np.save(self.folder / "ids.npy", np.array(ids))
        tokens, out = f"--tokens=@{self.folder / 'ids.npy'}", self.folder / "out.npy"
        code, _, err = call("glm-interpret", DEMO, tokens, f"--logits=@{out}")
        self.assertEqual(code, 0, err)
        wanted = np.load(out)
        for words in (["--chunk", 2048], ["--chunk", 512, "--context", 2048], ["--chunk", 100, "--threads", 1]):
            self.succeed(ARTIFACTS / "demo-f32.glm", tokens, f"--logits=@{out}", *words)
            self.assertLess(np.abs(np.load(out) - wanted).max(), 1e-3, words)


class Chat(ToolTest):
    question = "How can you be so teasing?"

    def ask(self, *words, **options):
        return self.succeed(ARTIFACTS / "demo-f32.glm", "--temperature", 0, "--max-tokens", 60, *words, **options).decode()

    def test_answer(self):
        """--chat --prompt is the conversation of one message: the model closes its thoughts, answers and stops by itself."""
        answer = self.ask("--chat", "--prompt", self.question, f"--stats=@{self.folder / 's.json'}")
        self.assertRegex(answer, '^</think>"I am sure .*"\n$')
        self.assertLess(json.loads((self.folder / "s.json").read_text())["generated_tokens"], 60)
        messages = self.write("m.json", json.dumps({"messages": [{"role": "user", "content": self.question}]}))
        self.assertEqual(self.ask(f"--messages=@{messages}"), answer)
        self.assertGreater(len(self.ask("--chat", "--prompt", self.question, "--ignore-stop")), len(answer))

    def test_conversation(self):
        """A conversation over a pipe: what the slot remembers changes nothing, /reset forgets, /exit ends."""
        second = "And what of your sister?"
        lines = "\n".join([self.question, second, "/reset", self.question, "", "/exit", "never read"])
        answers = self.ask("--chat", input=lines.encode()).splitlines()
        self.assertEqual(len(answers), 3)
        self.assertEqual(answers[2], answers[0])
        thoughts, _, answer = answers[0].partition("</think>")
        history = [{"role": "user", "content": self.question}, {"role": "assistant", "reasoning_content": thoughts, "content": answer},
                   {"role": "user", "content": second}]
        messages = self.write("m.json", json.dumps({"messages": history}))
        self.assertEqual(self.ask(f"--messages=@{messages}"), answers[1] + "\n")

    def test_conversation_keeps_its_rows(self):
        """The second prompt runs only the tokens that are new."""
        code, out, err = call("glm-run", ARTIFACTS / "demo-f32.glm", "--chat", "--temperature", 0, "--max-tokens", 20, "--stats",
                              input=f"{self.question}\nAnd what of your sister, pray?\n".encode())
        self.assertEqual(code, 0, err)
        first, second = (json.loads(line) for line in err.splitlines())
        self.assertLess(second["prompt_tokens"], first["prompt_tokens"] + 20)

    def test_conversation_too_long(self):
        """A question that does not fit is refused with the numbers; the conversation goes on."""
        lines = f"{self.question}\n{'and ' * 100}\n/reset\n{self.question}\n"
        code, out, err = call("glm-run", ARTIFACTS / "demo-f32.glm", "--chat", "--temperature", 0, "--max-tokens", 20, "--context", 100, input=lines.encode())
        self.assertEqual(code, 0, err)
        answers = out.decode().splitlines()
        self.assertEqual(len(answers), 2)
        self.assertEqual(answers[0], answers[1])
        self.assertRegex(err, r"^warning: the conversation needs \d+ positions, the context has 100; /reset or .*\n$")

    def test_text_that_is_not_utf8(self):
        """A message of broken bytes is answered: they become U+FFFD."""
        self.assertEqual(self.ask("--chat", input=b"\xff\xfe?\n"), self.ask("--chat", "--prompt", "\ufffd\ufffd?"))


if __name__ == "__main__":
    unittest.main()
