# SPDX-License-Identifier: MIT
# What `cmake --install` puts where: headers, both libraries, sillon.pc and the CMake package.
# Both packages find their prefix from their own place, so an installed tree can be moved.
include(CMakePackageConfigHelpers)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/sillon" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h" PATTERN tls.h EXCLUDE PATTERN http.h EXCLUDE)
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
# Some systems (Debian) have the static libuv under another name.
set(pc_libuv libuv)
pkg_check_modules(LIBUV_STATIC QUIET libuv-static)
if(LIBUV_STATIC_FOUND)
  set(pc_libuv libuv-static)
endif()
# By name, as another machine may have it elsewhere; the linker is told the folder if it needs that.
set(pc_context)
if(SILLON_CONTEXT_BOOST)
  cmake_path(GET SILLON_BOOST_CONTEXT PARENT_PATH context_dir)
  if(NOT context_dir IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
    set(pc_context "-L${context_dir} ")
  endif()
  string(APPEND pc_context "-l:libboost_context.a ")
endif()
configure_file("${PROJECT_SOURCE_DIR}/cmake/sillon.pc.in" sillon.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/sillon.pc" DESTINATION ${pc_dir})

# Apart, so that find_package looks for OpenSSL only where TLS is asked for, and for libcurl only where
# HTTP is.
if(SILLON_TLS)
  install(FILES "${PROJECT_SOURCE_DIR}/include/sillon/tls.h"
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sillon)
  install(TARGETS sillon_tls sillon_tls_static EXPORT sillonTlsTargets)
  install(EXPORT sillonTlsTargets NAMESPACE sillon:: DESTINATION ${package_dir})
  configure_file("${PROJECT_SOURCE_DIR}/cmake/sillon-tls.pc.in" sillon-tls.pc @ONLY)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/sillon-tls.pc" DESTINATION ${pc_dir})
endif()

if(SILLON_HTTP)
  install(FILES "${PROJECT_SOURCE_DIR}/include/sillon/http.h"
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sillon)
  install(TARGETS sillon_http sillon_http_static EXPORT sillonHttpTargets)
  install(EXPORT sillonHttpTargets NAMESPACE sillon:: DESTINATION ${package_dir})
  configure_file("${PROJECT_SOURCE_DIR}/cmake/sillon-http.pc.in" sillon-http.pc @ONLY)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/sillon-http.pc" DESTINATION ${pc_dir})
endif()

# gdb finds the second by the full name of the library, if its own data is under the same prefix; the
# first is for all others to source.
set(gdb_script "${PROJECT_SOURCE_DIR}/gdb/sillon-gdb.py")
install(FILES "${gdb_script}" DESTINATION ${CMAKE_INSTALL_DATADIR}/sillon)
install(FILES "${gdb_script}"
        DESTINATION ${CMAKE_INSTALL_DATADIR}/gdb/auto-load${CMAKE_INSTALL_FULL_LIBDIR}
        RENAME libsillon.so.${PROJECT_VERSION}-gdb.py)
