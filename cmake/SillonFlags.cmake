# SPDX-License-Identifier: MIT
# How everything in this tree is compiled. None of it reaches programs that use the library.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_compile_options(
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wvla -Wundef
  -Wpointer-arith -Wwrite-strings
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>
  $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>)
if(SILLON_WERROR)
  add_compile_options(-Werror)
endif()

if(SILLON_SANITIZE)
  # Instrumented code misleads this one warning of gcc; the other presets keep it.
  add_compile_options(-fsanitize=${SILLON_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer
                      $<$<C_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  add_link_options(-fsanitize=${SILLON_SANITIZE})
endif()
if(SILLON_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
if(SILLON_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()
if(SILLON_FAULTS)
  add_compile_definitions(SIL_FAULTS=1)
endif()
