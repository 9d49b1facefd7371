# Headers that nearly every source reads, read once: those of the engine's own sources in builds for tests, for in the release
# build each of these includes what it uses; the public ones (millrace_headers) in any build.
function(millrace_precompile target)
  if(CMAKE_BUILD_TYPE STREQUAL Dev)
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()

# millrace_read_with(target other): `target` reads what was compiled for `other`.
function(millrace_read_with target other)
  if(CMAKE_BUILD_TYPE STREQUAL Dev OR other STREQUAL millrace_headers)
    target_precompile_headers(${target} REUSE_FROM ${other})
  endif()
endfunction()
