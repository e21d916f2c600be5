# SPDX-License-Identifier: MIT
# What `cmake --install` puts where: headers, both libraries, sillon.pc and the CMake package.
# Both packages find their prefix from their own place, so an installed tree can be moved.
include(CMakePackageConfigHelpers)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/sillon" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")
install(TARGETS sillon sillon_static EXPORT sillonTargets)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/sillon)
install(EXPORT sillonTargets NAMESPACE sillon:: DESTINATION ${package_dir})
configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/sillonConfig.cmake.in" sillonConfig.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(sillonConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/sillonConfig.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/sillonConfigVersion.cmake"
        DESTINATION ${package_dir})

set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig"
           OUTPUT_VARIABLE pc_prefix)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_LIBDIR BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}"
           OUTPUT_VARIABLE pc_libdir)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_INCLUDEDIR BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}"
           OUTPUT_VARIABLE pc_includedir)
configure_file("${PROJECT_SOURCE_DIR}/cmake/sillon.pc.in" sillon.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/sillon.pc" DESTINATION ${pc_dir})
