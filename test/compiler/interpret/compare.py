# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Says whether two .npy files hold the same numbers up to a limit: compare.py GOT WANTED LIMIT"""
import sys

import numpy as np

got, wanted, limit = np.load(sys.argv[1]), np.load(sys.argv[2]), float(sys.argv[3])
assert got.shape == wanted.shape, f"shape {got.shape}, wanted {wanted.shape}"
worst = np.abs(got.astype(np.float64) - wanted).max()
print(f"{'equal' if worst <= limit else 'different'}: {worst:.2g}")
