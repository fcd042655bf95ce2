//! Pins what every command prints; `TRYCMD=overwrite cargo test --features cli --test cli` writes it anew.
#![cfg(feature = "cli")]

#[test]
fn every_command_prints_what_it_printed() {
    trycmd::TestCases::new().case("tests/cli/*.trycmd").env("NO_COLOR", "1");
}

#[test]
fn the_schema_that_is_printed_is_the_one_that_is_kept() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_tower-authz")).arg("schema").output().unwrap();
    let kept = include_str!("../schema/policy.schema.json");
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), kept);
}
