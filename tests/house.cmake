# Tests of the house itself: tidy rules, headers that compile alone, programs that must not compile.
option(MILLRACE_HEADER_CHECK "Test that every header compiles alone" OFF)
find_package(Python3 REQUIRED COMPONENTS Interpreter)

add_test(NAME tidy COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tests/tidy/tidy.py)
add_test(NAME tidy_selftest
  COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tests/tidy/tidy_selftest.py)
add_test(NAME expected_wikipedia
  COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tools/expected_wikipedia.py --check)
set_tests_properties(tidy tidy_selftest expected_wikipedia PROPERTIES LABELS house)

# Wrong programs: each must be refused with its sentence, and compile once its fault is mended.
file(GLOB wrong_programs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/compile_fail/*.cpp)
if(wrong_programs)
  add_test(NAME compile_fail
    COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tests/compile_fail/compile_fail.py
      --compiler ${CMAKE_CXX_COMPILER} --include ${CMAKE_SOURCE_DIR}/include
      --include ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/tests/compile_fail)
  set_tests_properties(compile_fail PROPERTIES LABELS house TIMEOUT 600 PROCESSORS 2)
endif()

# One translation unit for each header that has no source of its own, built only by its test: it costs compile time.
if(MILLRACE_HEADER_CHECK)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS
    ${CMAKE_SOURCE_DIR}/src/*.hpp ${CMAKE_SOURCE_DIR}/include/*.hpp)
  set(header_units)
  foreach(header ${headers})
    file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR} ${header})
    # A source that includes its header before all else has shown it.
    string(REGEX REPLACE "hpp$" "cpp" own ${header})
    if(EXISTS ${own})
      file(STRINGS ${own} first LIMIT_COUNT 1 REGEX "^#include ")
      string(REGEX REPLACE "^(src|include)/" "" included ${name})
      if(first STREQUAL "#include \"${included}\"")
        continue()
      endif()
    endif()
    set(unit ${CMAKE_BINARY_DIR}/header_check/${name}.cpp)
    # Included twice: the second time must add nothing.
    file(CONFIGURE OUTPUT ${unit} CONTENT "#include \"${header}\"\n#include \"${header}\"\n")
    list(APPEND header_units ${unit})
  endforeach()
  millrace_take_part(header_units)
  add_library(header_check OBJECT EXCLUDE_FROM_ALL ${header_units})
  target_link_libraries(header_check PRIVATE millrace_engine)
  target_include_directories(header_check SYSTEM PRIVATE ${Boost_INCLUDE_DIRS})
  target_compile_options(header_check PRIVATE -O0 -g0)
  add_test(NAME headers_compile_alone
    COMMAND ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR} --target header_check -- -k 0)
  set_tests_properties(headers_compile_alone PROPERTIES LABELS house TIMEOUT 900 PROCESSORS 2)
endif()
