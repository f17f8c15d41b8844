# strait-train from the outside; included where the trainer is built.
foreach(part errors run splits)
  add_test(NAME cli.train_${part}
           COMMAND ${PROJECT_SOURCE_DIR}/tests/cli/train_cli_test.sh $<TARGET_FILE:strait-train> ${part})
  set_tests_properties(cli.train_${part} PROPERTIES TIMEOUT 300)
endforeach()
