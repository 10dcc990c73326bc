# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where: programs, library with CMake package and pkg-config file, settings, unit.
include(CMakePackageConfigHelpers)

set_target_properties(tocsin_core PROPERTIES EXPORT_NAME core)
set_target_properties(tocsin_io PROPERTIES EXPORT_NAME io)
target_compile_features(tocsin_core PUBLIC cxx_std_20)
install(TARGETS tocsin tocsin_io tocsin_core EXPORT tocsinTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/tocsin DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tocsin)
install(EXPORT tocsinTargets NAMESPACE tocsin:: DESTINATION ${package_dir})
configure_package_config_file(cmake/tocsinConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/tocsinConfig.cmake
  INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor version may break its users.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/tocsinConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tocsinConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/tocsinConfigVersion.cmake
  cmake/FindCAF.cmake DESTINATION ${package_dir})
file(RELATIVE_PATH pc_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/tocsin.pc.in ${CMAKE_CURRENT_BINARY_DIR}/tocsin.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tocsin.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(FILES config/tocsin.yaml DESTINATION ${CMAKE_INSTALL_SYSCONFDIR}/tocsin)
install(DIRECTORY config/rules DESTINATION ${CMAKE_INSTALL_SYSCONFDIR}/tocsin FILES_MATCHING PATTERN "*.yaml")
install(FILES LICENSE NOTICE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs FILES_MATCHING PATTERN "*.md" PATTERN "*.yaml")

# The unit names the paths of a package's install; here they become those of this prefix.
file(READ config/tocsind.service unit)
string(REPLACE "/usr/bin/" "${CMAKE_INSTALL_FULL_BINDIR}/" unit "${unit}")
string(REPLACE "/etc/tocsin/" "${CMAKE_INSTALL_FULL_SYSCONFDIR}/tocsin/" unit "${unit}")
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/tocsind.service "${unit}")
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tocsind.service DESTINATION lib/systemd/system)
