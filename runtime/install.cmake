# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Component `runtime`: libraries, headers, find_package(glm-runtime), pkg-config, notices.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/glm-runtime)
install(TARGETS glm-runtime glm-runtime-shared EXPORT glm-runtime-targets COMPONENT runtime
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} NAMELINK_COMPONENT runtime
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES include/glm/runtime.h include/glm/glm.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/glm COMPONENT runtime)
install(EXPORT glm-runtime-targets NAMESPACE glm:: DESTINATION ${config_folder} COMPONENT runtime)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/NOTICE EMBEDDING.md
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/glm-runtime COMPONENT runtime)

file(CONFIGURE OUTPUT glm-runtime-config.cmake @ONLY CONTENT [[
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include("${CMAKE_CURRENT_LIST_DIR}/glm-runtime-targets.cmake")
]])
write_basic_package_version_file(glm-runtime-config-version.cmake VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
file(CONFIGURE OUTPUT glm-runtime.pc @ONLY CONTENT [[
prefix=${pcfiledir}/../..
libdir=${prefix}/@CMAKE_INSTALL_LIBDIR@
includedir=${prefix}/@CMAKE_INSTALL_INCLUDEDIR@

Name: glm-runtime
Description: Executes compiled GLM artifacts
Version: @PROJECT_VERSION@
Libs: -L${libdir} -lglm-runtime
Libs.private: -pthread -ldl
Cflags: -I${includedir}
]])
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/glm-runtime-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/glm-runtime-config-version.cmake
  DESTINATION ${config_folder} COMPONENT runtime)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/glm-runtime.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT runtime)
