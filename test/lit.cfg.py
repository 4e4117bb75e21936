# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# All lit tests. Run a part by hand with `/usr/lib/llvm-22/bin/lit -sv build/<preset>/test/<area>`.
#   %data    test/data, the checkpoints and corpora of the tree
#   %python  Debian's Python, which has numpy
import os

import lit.formats

config.name = "glmc"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["data", "lit.cfg.py", "lit.site.cfg.py.in", "CMakeLists.txt"]
config.test_source_root = os.path.join(config.glm_source_root, "test")
config.test_exec_root = os.path.join(config.glm_binary_root, "test")

config.substitutions.append(("%data", os.path.join(config.test_source_root, "data")))
config.substitutions.append(("%python", config.glm_python))

# Sanitizers reserve terabytes of addresses: a limit on them says nothing there.
if config.glm_sanitize:
    config.available_features.add("sanitizers")

config.environment["PATH"] = os.pathsep.join(
    [os.path.join(config.glm_binary_root, "bin"), config.glm_llvm_bin, os.environ.get("PATH", "/usr/bin:/bin")]
)
for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
    if name in os.environ:
        config.environment[name] = os.environ[name]
