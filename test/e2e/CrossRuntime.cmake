# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# e2e-logits for aarch64: the runtime and one small program, compiled file by file by the same clang for the other
# processor, linked statically so that an emulator needs no system around it. Nothing is built where Debian's
# libstdc++-12-dev-arm64-cross is missing; the tests then say so.
set(cross_logits ${PROJECT_BINARY_DIR}/bin/test/e2e-logits-aarch64)
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang AND EXISTS /usr/aarch64-linux-gnu/include/c++/12 AND NOT GLM_SANITIZE)
  get_target_property(sources glm-runtime-objects SOURCES)
  list(TRANSFORM sources PREPEND ${PROJECT_SOURCE_DIR}/runtime/)
  set(objects)
  foreach(source ${CMAKE_CURRENT_SOURCE_DIR}/Logits.cpp ${sources})
    get_filename_component(name ${source} NAME)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/aarch64/${name}.o)
    # Headers of the build's own system come last: those of libraries that are headers only.
    add_custom_command(OUTPUT ${object}
      COMMAND ${CMAKE_CXX_COMPILER_LAUNCHER} ${CMAKE_CXX_COMPILER} --target=aarch64-linux-gnu -std=c++20 -O1 -fno-exceptions
        -D_GNU_SOURCE -DGLM_VERSION="${PROJECT_VERSION}" -I${PROJECT_SOURCE_DIR} -I${PROJECT_SOURCE_DIR}/runtime/include
        -I${PROJECT_BINARY_DIR} -idirafter /usr/include -MD -MF ${object}.d -c ${source} -o ${object}
      DEPENDS ${source} glm-schema-inc DEPFILE ${object}.d VERBATIM)
    list(APPEND objects ${object})
  endforeach()
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/aarch64 ${PROJECT_BINARY_DIR}/bin/test)
  add_custom_command(OUTPUT ${cross_logits}
    COMMAND ${CMAKE_CXX_COMPILER} --target=aarch64-linux-gnu -static -fuse-ld=lld ${objects} -o ${cross_logits}
    DEPENDS ${objects} VERBATIM)
  add_custom_target(e2e-logits-aarch64 ALL DEPENDS ${cross_logits})
endif()
