#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(finding) = tower_authz_fuzz::differential(bytes) {
        panic!("{finding}");
    }
});
