# The C++ example of the README is compiled as it stands there and run on the golden model.
file(READ ${PROJECT_SOURCE_DIR}/README.md readme)
if(NOT readme MATCHES "```cpp\n([^`]*)```")
  message(FATAL_ERROR "README.md: no ```cpp example found")
endif()
file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/readme_example.cc CONTENT "${CMAKE_MATCH_1}" @ONLY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/README.md)
add_executable(readme_example ${CMAKE_CURRENT_BINARY_DIR}/readme_example.cc)
strait_target(readme_example)
target_link_libraries(readme_example PRIVATE strait_codec)
add_test(NAME cli.ReadmeExampleRestoresATensor
         COMMAND readme_example ${PROJECT_SOURCE_DIR}/tests/golden/valid/model.strait)
set_tests_properties(cli.ReadmeExampleRestoresATensor PROPERTIES PASS_REGULAR_EXPRESSION "[0-9]+ floats in [0-9]+ bytes")
