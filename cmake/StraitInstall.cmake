# cmake --install: components `runtime` (libstrait.so, strait), `dev` (headers, archives, what CMake and pkg-config ask
# for) and `tools` (the commands that train and measure). Everything may be moved after the install.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set_target_properties(strait_codec PROPERTIES EXPORT_NAME strait)
set_target_properties(strait_entropy PROPERTIES EXPORT_NAME entropy)

install(TARGETS strait_c EXPORT StraitTargets
        LIBRARY COMPONENT runtime NAMELINK_COMPONENT dev
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS strait_codec strait_entropy EXPORT StraitTargets
        ARCHIVE COMPONENT dev
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

if(TARGET strait_cli)
  install(TARGETS strait_cli RUNTIME COMPONENT runtime)
endif()
foreach(tool IN ITEMS strait-train strait-rd strait-plan strait-bench)
  if(TARGET ${tool})
    install(TARGETS ${tool} RUNTIME COMPONENT tools)
  endif()
endforeach()

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/strait DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev
        FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(FILES ${PROJECT_BINARY_DIR}/include/strait/version.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/strait COMPONENT dev)
# For those who have LibTorch; needs nothing of it here.
install(FILES ${PROJECT_SOURCE_DIR}/bindings/torch/strait/torch.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/strait COMPONENT dev OPTIONAL)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Strait)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/StraitConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/StraitConfig.cmake INSTALL_DESTINATION ${config_dir})
# Before 1.0 a minor version may break what is built on it.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/StraitConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/StraitConfig.cmake ${PROJECT_BINARY_DIR}/StraitConfigVersion.cmake
        DESTINATION ${config_dir} COMPONENT dev)
install(EXPORT StraitTargets NAMESPACE Strait:: DESTINATION ${config_dir} COMPONENT dev)

# Paths in the .pc files are relative to where they lie, so that an install can be moved and packaged.
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH STRAIT_PC_PREFIX /prefix/${pkgconfig_dir} /prefix)
foreach(pc IN ITEMS strait strait-cpp)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/${pc}.pc.in ${PROJECT_BINARY_DIR}/${pc}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${pc}.pc DESTINATION ${pkgconfig_dir} COMPONENT dev)
endforeach()
