# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The few functions every CMakeLists.txt of the tree is made of:
#
#   glm_add_rooms(FOLDER...)                         add_subdirectory, for those that have a CMakeLists.txt
#   glm_add_dialect(NAME CHAPTER.td...)              mlir-tblgen for dialects/NAME, target glm-NAME-inc
#   glm_add_passes(PHASE PREFIX)                     mlir-tblgen for Passes.td, target glm-passes-PHASE-inc
#   glm_add_flatbuffer(TARGET SCHEMA.fbs...)         flatc, INTERFACE target to link
#   glm_add_library(NAME SOURCES... LINK... DEPENDS... [MLIR] [EXCEPTIONS] [RUNTIME])
#   glm_add_tool(NAME SOURCES... LINK... DEPENDS... [MLIR] [EXCEPTIONS])         build/<preset>/bin/NAME
#   glm_add_gtest(NAME SOURCES... LINK... DEPENDS... [LABEL slow] [MLIR] [EXCEPTIONS])  bin/test/NAME, ctest
#   glm_add_script_test(NAME SCRIPT.py [LABEL slow] [ARTIFACTS] ARGUMENT...)    a Python script as a ctest entry
#
# MLIR: RTTI and no exceptions as LLVM's own build, the shared precompiled header, libMLIR.so and libLLVM.so.
# EXCEPTIONS: for code on top of libraries that throw; beside MLIR it costs the precompiled header.
# RUNTIME: neither exceptions nor RTTI nor guarded statics, hidden symbols, one section a function.

function(glm_add_rooms)
  foreach(room ${ARGN})
    if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${room}/CMakeLists.txt)
      add_subdirectory(${room})
    endif()
  endforeach()
endfunction()

# One mlir-tblgen call: FILE.td -> OUTPUT in the mirrored build folder; appends to `generated` of the caller.
macro(glm_tablegen file output)
  add_custom_command(
    OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${output}
    COMMAND ${GLM_TBLGEN} ${ARGN} -I ${PROJECT_SOURCE_DIR} -I ${PROJECT_BINARY_DIR} -I ${GLM_LLVM_ROOT}/include
            ${CMAKE_CURRENT_SOURCE_DIR}/${file} -o ${output} --write-if-changed -d ${output}.d
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file}
    DEPFILE ${CMAKE_CURRENT_BINARY_DIR}/${output}.d
    WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}
    COMMENT "mlir-tblgen ${output}"
    VERBATIM)
  list(APPEND generated ${CMAKE_CURRENT_BINARY_DIR}/${output})
endmacro()

# For dialects/NAME: <Name>.td holds the dialect with its attributes, types and enums; every chapter holds ops and is
# generated, and compiled, by itself (one file of 45 ops costs 35 s). A file named *Interfaces.td holds interfaces of
# ops, *Patterns.td declarative rewrites.
function(glm_add_dialect name)
  string(SUBSTRING ${name} 0 1 initial)
  string(TOUPPER ${initial} initial)
  string(SUBSTRING ${name} 1 -1 rest)
  set(title ${initial}${rest})
  set(generated)
  set(suffixes h cpp)
  set(kinds decls defs)
  foreach(suffix kind IN ZIP_LISTS suffixes kinds)
    glm_tablegen(${title}.td ${title}Dialect.${suffix}.inc -gen-dialect-${kind} -dialect=${name})
    glm_tablegen(${title}.td ${title}Types.${suffix}.inc -gen-typedef-${kind} -typedefs-dialect=${name})
    glm_tablegen(${title}.td ${title}Attributes.${suffix}.inc -gen-attrdef-${kind} -attrdefs-dialect=${name})
    glm_tablegen(${title}.td ${title}Enums.${suffix}.inc -gen-enum-${kind})
    foreach(chapter ${ARGN})
      get_filename_component(stem ${chapter} NAME_WE)
      if(stem MATCHES "Patterns$")
        if(suffix STREQUAL h)
          glm_tablegen(${chapter} ${stem}.h.inc -gen-rewriters)
        endif()
      elseif(stem MATCHES "Interfaces$")
        glm_tablegen(${chapter} ${stem}.${suffix}.inc -gen-op-interface-${kind})
      else()
        glm_tablegen(${chapter} ${stem}.${suffix}.inc -gen-op-${kind} -dialect=${name})
      endif()
    endforeach()
  endforeach()
  add_custom_target(glm-${name}-inc DEPENDS ${generated})
endfunction()

# For passes/PHASE (or any folder with a Passes.td): Passes.h.inc with register<PREFIX>Passes().
function(glm_add_passes phase prefix)
  set(generated)
  glm_tablegen(Passes.td Passes.h.inc -gen-pass-decls -name ${prefix})
  add_custom_target(glm-passes-${phase}-inc DEPENDS ${generated})
endfunction()

# <schema>_generated.h at the schema's own path below the build folder; link TARGET to get the order right.
function(glm_add_flatbuffer target)
  set(generated)
  foreach(schema ${ARGN})
    get_filename_component(stem ${schema} NAME_WE)
    set(header ${CMAKE_CURRENT_BINARY_DIR}/${stem}_generated.h)
    add_custom_command(
      OUTPUT ${header}
      COMMAND ${GLM_FLATC} --cpp --cpp-std c++17 --scoped-enums -o ${CMAKE_CURRENT_BINARY_DIR}
              ${CMAKE_CURRENT_SOURCE_DIR}/${schema}
      DEPENDS ${schema}
      COMMENT "flatc ${stem}_generated.h"
      VERBATIM)
    list(APPEND generated ${header})
  endforeach()
  add_custom_target(${target}-inc DEPENDS ${generated})
  add_library(${target} INTERFACE)
  add_dependencies(${target} ${target}-inc)
endfunction()

# The flags a kind of code is compiled with: precompiled headers are shared only between equal flags.
function(glm_set_flags target)
  cmake_parse_arguments(PARSE_ARGV 1 A "MLIR;EXCEPTIONS;RUNTIME" "" "")
  if(NOT A_EXCEPTIONS)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>)
  endif()
  if(A_RUNTIME)
    target_compile_options(${target} PRIVATE -ffunction-sections -fdata-sections -fvisibility=hidden
      $<$<COMPILE_LANGUAGE:CXX>:-fno-rtti -fno-threadsafe-statics -fvisibility-inlines-hidden>)
  endif()
  if(A_MLIR)
    target_include_directories(${target} SYSTEM PRIVATE ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
    target_compile_options(${target} PRIVATE
      "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-include ${PROJECT_SOURCE_DIR}/tools/cmake/ReleaseAbi.h>")
    target_link_libraries(${target} PUBLIC MLIR LLVM)
  endif()
  if(A_MLIR AND NOT A_EXCEPTIONS)
    target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
    if(NOT target STREQUAL glm-pch)
      target_precompile_headers(${target} REUSE_FROM glm-pch)
    endif()
  endif()
endfunction()

# What the three below share: NAME is there, A_* are parsed; VISIBILITY is PUBLIC for a library.
macro(glm_finish name visibility)
  set(kinds)
  foreach(kind MLIR EXCEPTIONS RUNTIME)
    if(A_${kind})
      list(APPEND kinds ${kind})
    endif()
  endforeach()
  glm_set_flags(${name} ${kinds})
  target_link_libraries(${name} ${visibility} ${A_LINK})
  if(A_DEPENDS)
    add_dependencies(${name} ${A_DEPENDS})
  endif()
endmacro()

# Without sources a library is an empty one that others may already link.
function(glm_add_library name)
  cmake_parse_arguments(PARSE_ARGV 1 A "MLIR;EXCEPTIONS;RUNTIME" "" "SOURCES;LINK;DEPENDS")
  if(NOT A_SOURCES)
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${A_LINK})
    return()
  endif()
  add_library(${name} STATIC ${A_SOURCES})
  glm_finish(${name} PUBLIC)
endfunction()

function(glm_add_tool name)
  cmake_parse_arguments(PARSE_ARGV 1 A "MLIR;EXCEPTIONS;RUNTIME" "" "SOURCES;LINK;DEPENDS")
  if(A_SOURCES)
    add_executable(${name} ${A_SOURCES})
    glm_finish(${name} PRIVATE)
    target_compile_definitions(${name} PRIVATE GLM_VERSION="${PROJECT_VERSION}")
  endif()
endfunction()

# One ctest entry a case, found when ctest runs.
function(glm_add_gtest name)
  cmake_parse_arguments(PARSE_ARGV 1 A "MLIR;EXCEPTIONS;RUNTIME" "LABEL" "SOURCES;LINK;DEPENDS")
  add_executable(${name} ${A_SOURCES})
  list(APPEND A_LINK GTest::gmock GTest::gtest_main)
  glm_finish(${name} PRIVATE)
  target_compile_definitions(${name} PRIVATE GLM_TEST_DATA="${PROJECT_SOURCE_DIR}/test/data")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin/test)
  gtest_discover_tests(${name} TEST_PREFIX ${name}. DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT 600 LABELS "${A_LABEL}")
endfunction()

# The script finds the tools in $GLM_BIN and the checkpoints in $GLM_TEST_DATA; exit code 0 means passed. LABEL: slow.
# ARTIFACTS: it runs after test/e2e/compile.py and finds what that compiled in $GLM_ARTIFACTS.
function(glm_add_script_test name script)
  cmake_parse_arguments(PARSE_ARGV 2 A "ARTIFACTS" "LABEL" "")
  add_test(NAME ${name} COMMAND ${GLM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${A_UNPARSED_ARGUMENTS})
  set(environment
    GLM_BIN=${PROJECT_BINARY_DIR}/bin
    GLM_TEST_DATA=${PROJECT_SOURCE_DIR}/test/data
    GLM_ARTIFACTS=${PROJECT_BINARY_DIR}/test/artifacts
    PYTHONDONTWRITEBYTECODE=1)
  set_tests_properties(${name} PROPERTIES TIMEOUT 1200 LABELS "${A_LABEL}" ENVIRONMENT "${environment}")
  if(A_ARTIFACTS)
    set_tests_properties(${name} PROPERTIES FIXTURES_REQUIRED artifacts)
  endif()
endfunction()

# About twenty seconds once; a file on top of it then compiles in one or two instead of ten.
if(NOT GLM_RUNTIME_ONLY)
  add_library(glm-pch OBJECT ${PROJECT_SOURCE_DIR}/tools/cmake/Precompiled.cpp)
  glm_set_flags(glm-pch MLIR)
  target_precompile_headers(glm-pch PRIVATE
    <mlir/Conversion/LLVMCommon/TypeConverter.h>
    <mlir/Dialect/Arith/IR/Arith.h>
    <mlir/Dialect/Func/IR/FuncOps.h>
    <mlir/Dialect/LLVMIR/LLVMDialect.h>
    <mlir/Dialect/Math/IR/Math.h>
    <mlir/Dialect/MemRef/IR/MemRef.h>
    <mlir/Dialect/SCF/IR/SCF.h>
    <mlir/Dialect/Tensor/IR/Tensor.h>
    <mlir/Dialect/Vector/IR/VectorOps.h>
    <mlir/Dialect/X86Vector/X86VectorDialect.h>
    <mlir/IR/Builders.h>
    <mlir/IR/BuiltinOps.h>
    <mlir/IR/DialectImplementation.h>
    <mlir/IR/OpImplementation.h>
    <mlir/IR/PatternMatch.h>
    <mlir/Pass/Pass.h>
    <mlir/Pass/PassManager.h>
    <mlir/Transforms/DialectConversion.h>
    <mlir/Transforms/GreedyPatternRewriteDriver.h>
    <mlir/Transforms/InliningUtils.h>
    <llvm/ADT/TypeSwitch.h>)
endif()
