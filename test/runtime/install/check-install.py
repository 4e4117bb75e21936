#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Installs the runtime and builds the two programs of EMBEDDING.md against it, as somebody outside of the tree would: with
find_package (static and shared) and with pkg-config. Then runs them on the toy artifact and compares what they print."""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys

PROJECT = """cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES C CXX)
set(CMAKE_CXX_STANDARD 20)
find_package(glm-runtime REQUIRED)
add_executable(c-program program.c)
target_link_libraries(c-program PRIVATE glm::glm-runtime)
add_executable(c-program-shared program.c)
target_link_libraries(c-program-shared PRIVATE glm::glm-runtime-shared)
add_executable(cpp-program program.cpp)
target_link_libraries(cpp-program PRIVATE glm::glm-runtime)
"""

# The toy's logits of a token t after a prompt: sum of embeddings dot embedding of t, plus a number of a bank.
WIDTH, VOCABULARY = 4, 16


def embedding(token):
    return [(token + 1) * 0.25 - column for column in range(WIDTH)]


def likeliest(tokens):
    sums = [sum(column) for column in zip(*map(embedding, tokens))]
    scores = [sum(a * b for a, b in zip(sums, embedding(v))) + (0.5 if v % 2 == 0 else -1.5) for v in range(VOCABULARY)]
    return scores.index(max(scores))


def generated(token, count):
    tokens = [token]
    for _ in range(count):
        tokens.append(likeliest(tokens))
    return tokens[1:]


def run(*command, **options):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{result.stdout}{result.stderr}")
    return result.stdout.strip()


def expect(what, got, wanted):
    print(f"{what}: {got}")
    if got != wanted:
        sys.exit(f"error: {what} printed '{got}', should be '{wanted}'")


def write_consumer(source, folder):
    text = (source / "runtime/EMBEDDING.md").read_text()
    for language, name in (("c", "program.c"), ("cpp", "program.cpp")):
        (code,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)
        (folder / name).write_text(code)
    (folder / "CMakeLists.txt").write_text(PROJECT)


def main():
    parser = argparse.ArgumentParser()
    for name in ("cmake", "build", "source", "work", "c-compiler", "cxx-compiler", "toy"):
        parser.add_argument(f"--{name}", required=True)
    a = parser.parse_args()
    work = pathlib.Path(a.work)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    prefix = work / "prefix"
    run(a.cmake, "--install", a.build, "--component", "runtime", "--prefix", prefix)
    files = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()}
    for wanted in ("include/glm/runtime.h", "include/glm/glm.hpp"):
        if wanted not in files:
            sys.exit(f"error: {wanted} is not installed")
    if not any(name.endswith("NOTICE") for name in files) or not any(name.endswith("LICENSE") for name in files):
        sys.exit("error: NOTICE and LICENSE are not installed")

    write_consumer(pathlib.Path(a.source), work)
    artifact = work / "toy.glm"
    run(a.toy, artifact)
    run(a.cmake, "-G", "Ninja", "-S", work, "-B", work / "build", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_C_COMPILER={a.c_compiler}",
        f"-DCMAKE_CXX_COMPILER={a.cxx_compiler}", "-DCMAKE_BUILD_TYPE=Release")
    run(a.cmake, "--build", work / "build")
    prompt = [3, 1, 4]
    for program in ("c-program", "c-program-shared"):
        expect(program, run(work / "build" / program, artifact, *prompt), str(likeliest(prompt)))
    expect("cpp-program", run(work / "build/cpp-program", artifact, 3), " ".join(map(str, generated(3, 8))))

    if shutil.which("pkg-config"):
        (folder,) = {path.parent for path in prefix.rglob("glm-runtime.pc")}
        environment = dict(os.environ, PKG_CONFIG_PATH=str(folder))
        flags = run("pkg-config", "--cflags", "--libs", "glm-runtime", env=environment).split()
        run(a.c_compiler, work / "program.c", *flags, "-o", work / "pkg-program")
        library = next(prefix.rglob("libglm-runtime.so")).parent
        environment["LD_LIBRARY_PATH"] = str(library)
        expect("pkg-config", run(work / "pkg-program", artifact, *prompt, env=environment), str(likeliest(prompt)))

    missing = subprocess.run([work / "build/c-program", work / "none.glm", "1"], capture_output=True, text=True)
    expect("missing file", missing.stderr.strip(), f"error[GLM7003]: {work}/none.glm: cannot open the file; No such file or directory")


if __name__ == "__main__":
    main()
