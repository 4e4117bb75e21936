# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What the build takes from the system, and the flags every target shares. tools/setup installs all of it.

# Debian's Python has numpy; the first python3 on PATH may not.
find_program(GLM_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
find_program(GLM_FLATC flatc REQUIRED)
find_package(Threads REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(GTest REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
include(GoogleTest)

if(NOT GLM_RUNTIME_ONLY)
  set(GLM_LLVM_ROOT /usr/lib/llvm-22 CACHE PATH "The LLVM and MLIR 22 installation")
  set(MLIR_LINK_MLIR_DYLIB ON)
  find_package(MLIR REQUIRED CONFIG HINTS ${GLM_LLVM_ROOT}/lib/cmake/mlir)
  find_package(LLD REQUIRED CONFIG HINTS ${GLM_LLVM_ROOT}/lib/cmake/lld)
  if(NOT LLVM_VERSION_MAJOR EQUAL 22)
    message(FATAL_ERROR "MLIR 22 is needed, ${LLVM_PACKAGE_VERSION} was found; run tools/setup")
  endif()
  find_package(absl REQUIRED)
  find_program(GLM_TBLGEN mlir-tblgen PATHS ${GLM_LLVM_ROOT}/bin NO_DEFAULT_PATH REQUIRED)
  find_program(GLM_LIT lit PATHS ${GLM_LLVM_ROOT}/bin NO_DEFAULT_PATH REQUIRED)
endif()

# ccache sees through precompiled headers only with this sloppiness and without time stamps in them.
find_program(GLM_CCACHE ccache)
if(GLM_CCACHE)
  set(sloppiness pch_defines,time_macros,include_file_mtime,include_file_ctime)
  foreach(language C CXX)
    set(CMAKE_${language}_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=${sloppiness} ${GLM_CCACHE})
  endforeach()
endif()

# -fPIC for tools too, not -fPIE: the precompiled header is shared only between equal code models.
add_compile_options(-fPIC -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  add_link_options(-fuse-ld=lld)
endif()
if(GLM_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
  if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
    add_compile_options(-fsanitize=fuzzer-no-link) # coverage, which guides the programs of test/fuzz
  endif()
endif()

# `#include` paths start at the root of the tree; generated files have the same paths below the build folder.
include_directories(${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/runtime/include)
include_directories(SYSTEM ${PROJECT_BINARY_DIR})

# The Jinja engine of the chat templates, in its authors' sources: `LINK glm-jinja`, `#include <jinja/runtime.h>`.
# It throws. Its JSON file wants ggml.h for one macro only.
if(NOT GLM_JINJA_DIR)
  file(GLOB jinja_folders ${PROJECT_SOURCE_DIR}/build/deps/jinja-*)
  if(jinja_folders)
    list(SORT jinja_folders COMPARE NATURAL ORDER DESCENDING)
    list(GET jinja_folders 0 GLM_JINJA_DIR)
  endif()
endif()
if(NOT EXISTS ${GLM_JINJA_DIR}/jinja/runtime.h)
  message(FATAL_ERROR "No Jinja engine in '${GLM_JINJA_DIR}': run tools/setup, or set GLM_JINJA_DIR")
endif()
file(CONFIGURE OUTPUT jinja/ggml.h CONTENT "#include <cassert>\n#define GGML_ASSERT assert\n")
file(GLOB jinja_sources ${GLM_JINJA_DIR}/*.cpp ${GLM_JINJA_DIR}/jinja/*.cpp)
add_library(glm-jinja STATIC ${jinja_sources})
target_include_directories(glm-jinja SYSTEM PUBLIC ${GLM_JINJA_DIR} PRIVATE ${PROJECT_BINARY_DIR}/jinja)
target_compile_options(glm-jinja PRIVATE -w -fvisibility=hidden)
