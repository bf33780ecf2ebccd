# Compiler flags that every target of the project shares, and the two target kinds: a floor's
# library and a floor's test program.

add_library(memside_flags INTERFACE)
target_compile_options(memside_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Werror)
target_include_directories(memside_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(memside_flags INTERFACE MEMSIDE_VERSION="${PROJECT_VERSION}")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC's flow-sensitive warnings misfire on inlined std::variant and std::optional.
  target_compile_options(memside_flags INTERFACE -Wno-maybe-uninitialized)
  if(CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
    # GCC 14 follows the destructor of a variant of vectors into an alternative that it does not hold,
    # and std::string's operator+ beyond the short buffer. GCC 12 keeps the second kind of warning.
    target_compile_options(memside_flags INTERFACE
      -Wno-free-nonheap-object -Wno-array-bounds -Wno-stringop-overflow -Wno-restrict)
  endif()
  if(MEMSIDE_SANITIZE)
    # Instrumentation makes GCC 12 see copies beyond the short buffer in std::string's operator+;
    # the Release build, which is not instrumented, keeps these warnings.
    target_compile_options(memside_flags INTERFACE
      -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-restrict)
  endif()
else()
  # libstdc++ 12's stable_sort calls a function that it deprecates, and clang 19 blames the caller.
  target_compile_options(memside_flags INTERFACE -Wno-deprecated-declarations)
endif()
if(MEMSIDE_SANITIZE)
  target_compile_options(memside_flags INTERFACE
    -fsanitize=${MEMSIDE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(memside_flags INTERFACE -fsanitize=${MEMSIDE_SANITIZE})
endif()
if(MEMSIDE_FUZZ)
  target_compile_options(memside_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# memside_library(FLOOR [sources...] [LINK targets...]): the static library of one folder of src/.
# A floor links only floors below it; scripts/check-floors verifies the includes.
function(memside_library floor)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_library(memside_${floor} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(memside_${floor} PUBLIC memside_flags ${ARG_LINK})
  target_precompile_headers(memside_${floor} PRIVATE
    <algorithm> <cstdint> <map> <memory> <optional> <string> <string_view> <utility> <vector>
    <fmt/format.h>)
endfunction()

# memside_test(FLOOR [sources...] [LINK targets...]): one GoogleTest program for a folder of tests/.
function(memside_test floor)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(test_${floor} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(test_${floor} PRIVATE
    memside_flags ${ARG_LINK} rapidcheck GTest::gmock GTest::gtest GTest::gtest_main)
  target_include_directories(test_${floor} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(test_${floor} PRIVATE
    MEMSIDE_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
    MEMSIDE_BINARY="${CMAKE_BINARY_DIR}/memside")
  target_precompile_headers(test_${floor} PRIVATE
    <string> <vector> <fmt/format.h> <gmock/gmock.h> <gtest/gtest.h>)
  gtest_discover_tests(test_${floor} TEST_PREFIX "${floor}." DISCOVERY_TIMEOUT 60)
endfunction()
