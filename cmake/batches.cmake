# millrace_build_in_batches(target count): in builds for tests, `count` sources of a folder at a time are compiled as one, for most
# of the time of a small one goes into what it includes. Names within a folder's unnamed namespaces differ, then.
function(millrace_build_in_batches target count)
  if(NOT CMAKE_BUILD_TYPE STREQUAL Dev)
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  foreach(source IN LISTS sources)
    get_filename_component(folder ${source} DIRECTORY)
    string(MAKE_C_IDENTIFIER "${folder}" folder)
    math(EXPR batch "${batched_${folder}} + 0")
    math(EXPR batched_${folder} "${batch} + 1")
    math(EXPR batch "${batch} / ${count}")
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${folder}${batch})
  endforeach()
  target_compile_options(${target} PRIVATE -Wno-shadow)  # of names of the source before; other builds warn of it
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()
