//! Clauses that need the process itself, or a clock that can be turned: which test of another package checks them.

/// Clause, file from the top of the workspace, test.
pub(crate) const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("start-listens", "node/tests/life.rs", "every_listener_serves"),
    ("start-defaults", "node/src/config/tests.rs", "the_class_environment_is_enough"),
    ("start-extra-ports", "node/tests/binary.rs", "extra_ports_are_listened_on"),
    ("start-extra-ports", "node/src/config/tests.rs", "an_extra_port_equal_to_the_main_one_is_dropped"),
    ("start-bad-variable", "node/tests/binary.rs", "a_bad_configuration_is_one_line_and_exit_code_2"),
    ("start-bad-variable", "node/src/config/tests.rs", "a_complaint_names_variable_value_and_expectation"),
    ("dialect-auto", "node/src/config/tests.rs", "the_port_tells_the_generation_unless_it_is_named"),
    (
        "reshard-slow",
        "node/simulation/src/scenarios/moving.rs",
        "a_reshard_that_is_not_done_in_time_must_say_so_and_go_on",
    ),
];
