# Headers that nearly every source reads, read once: in builds for tests. In the release build each source includes what it uses.
function(millrace_precompile target)
  if(CMAKE_BUILD_TYPE STREQUAL Dev)
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()

# millrace_read_with(target other): `target` reads what was compiled for `other`.
function(millrace_read_with target other)
  if(CMAKE_BUILD_TYPE STREQUAL Dev)
    target_precompile_headers(${target} REUSE_FROM ${other})
  endif()
endfunction()
