// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The first header of everything that links LLVM's libraries. They were compiled with NDEBUG and without sanitizers, and
// two things of their headers look otherwise in code that was not: a Statistic has members that the libraries'
// constructors do not know, and memory of allocators that both sides fill is poisoned by one side only.
#ifndef GLM_TOOLS_CMAKE_RELEASEABI_H
#define GLM_TOOLS_CMAKE_RELEASEABI_H

#ifndef NDEBUG
#define NDEBUG
#include "llvm/ADT/Statistic.h"
#undef NDEBUG
#include <cassert>
#else
#include "llvm/ADT/Statistic.h"
#endif
static_assert(sizeof(llvm::Statistic) == 1, "llvm::Statistic differs from the one in libMLIR.so");

#include "llvm/Support/Compiler.h"
#if LLVM_ADDRESS_SANITIZER_BUILD
#define __asan_poison_memory_region(p, size)
#define __asan_unpoison_memory_region(p, size)
#endif

#endif
