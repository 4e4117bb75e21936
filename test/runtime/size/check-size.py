#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The runtime stays thin: code and constants in 64 KiB, libc and nothing else, no trace of C++'s runtime library."""
import re
import subprocess
import sys

LIMIT = 64 * 1024
FOREIGN = re.compile(r"__cxa_(?!finalize)|__gxx_personality|_Unwind_|_Zn[wa]|_Zd[la]|_ZSt|_ZNSt|_ZNKSt|abort|__assert_fail|\bmalloc\b|\bcalloc\b")
LIBRARIES = re.compile(r"^(linux-vdso|libc\.|ld-linux|/lib.*/ld-linux)")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main(library):
    wrong = []
    sizes = {name: int(size) for name, size in re.findall(r"^(\.\S+)\s+(\d+)", run("size", "-A", library), re.M)}
    total = sizes[".text"] + sizes[".rodata"]
    print(f".text {sizes['.text']} + .rodata {sizes['.rodata']} = {total} bytes of {LIMIT}")
    if total > LIMIT:
        wrong.append(f"{total} bytes of code and constants, at most {LIMIT}")

    loaded = [line.split()[0] for line in run("ldd", library).splitlines() if line.strip()]
    print("needs", ", ".join(loaded))
    wrong += [f"needs {name}" for name in loaded if not LIBRARIES.match(name)]

    imported, exported = [], []
    for line in run("nm", "-D", library).splitlines():
        *_, kind, name = line.split()
        (imported if kind in "UwW" else exported).append(name.split("@")[0])
    wrong += [f"imports {name}" for name in imported if FOREIGN.search(name)]
    wrong += [f"exports {name}" for name in exported if not name.startswith("glm_")]
    print(f"{len(exported)} functions exported")
    if len(exported) > 30:
        wrong.append(f"exports {len(exported)} functions, at most 30")

    for rule in wrong:
        print("error:", rule, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
