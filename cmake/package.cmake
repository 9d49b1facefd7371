# What `make install` and `make deb` put on a machine: the program, the libraries, the headers, find_package(Millrace).
#
# Headers that typed code instantiates stand under millrace/detail, on the include path of Millrace::Millrace alone.
include(CMakePackageConfigHelpers)

add_library(Millrace::Millrace ALIAS millrace)
set_target_properties(millrace PROPERTIES EXPORT_NAME Millrace)
install(TARGETS millrace_app RUNTIME DESTINATION bin COMPONENT program)
install(
  TARGETS millrace millrace_service millrace_engine EXPORT MillraceTargets
  ARCHIVE DESTINATION lib COMPONENT development)
# Topologies in YAML: find_package(Millrace COMPONENTS Yaml). Apart, so that the others need no yaml-cpp.
add_library(Millrace::Yaml ALIAS millrace_yaml)
set_target_properties(millrace_yaml PROPERTIES EXPORT_NAME Yaml)
install(
  TARGETS millrace_yaml millrace_catalog EXPORT MillraceYamlTargets
  ARCHIVE DESTINATION lib COMPONENT development)
install(DIRECTORY include/millrace DESTINATION include COMPONENT development FILES_MATCHING PATTERN "*.hpp")
foreach(folder base expr env metrics record state window pattern journal operator topology checkpoint runtime connector)
  install(
    DIRECTORY src/${folder} DESTINATION include/millrace/detail COMPONENT development
    FILES_MATCHING PATTERN "*.hpp")
endforeach()

set(package_dir lib/cmake/Millrace)
configure_package_config_file(
  cmake/MillraceConfig.cmake.in ${CMAKE_BINARY_DIR}/MillraceConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/MillraceConfigVersion.cmake COMPATIBILITY SameMinorVersion)
foreach(set MillraceTargets MillraceYamlTargets)
  install(EXPORT ${set} NAMESPACE Millrace:: DESTINATION ${package_dir} COMPONENT development)
endforeach()
install(
  FILES ${CMAKE_BINARY_DIR}/MillraceConfig.cmake ${CMAKE_BINARY_DIR}/MillraceConfigVersion.cmake
  DESTINATION ${package_dir} COMPONENT development)
foreach(component program development)
  install(FILES LICENSE NOTICE DESTINATION share/doc/millrace-${component} COMPONENT ${component})
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME millrace)
set(CPACK_PACKAGE_VENDOR Millrace)
set(CPACK_PACKAGE_CONTACT "The Millrace team <millrace@localhost>")
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL program development)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME millrace)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION utils)
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION
    "real-time stream processing in one native program
 Spouts, bolts, windows and live pages; this package is the program, its demos and benches.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libmillrace-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "g++ (>= 4:12), cmake (>= 3.25), make, libfmt-dev, libsimdjson-dev, zlib1g-dev, libzstd-dev, libyaml-cpp-dev")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_RECOMMENDS millrace)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
    "real-time stream processing: headers and libraries
 What programs of one's own build against; `millrace new` writes the first one.")
include(CPack)
