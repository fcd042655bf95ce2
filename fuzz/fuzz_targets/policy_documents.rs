#![no_main]

#[global_allocator]
static COUNTING: tower_authz_fuzz::memory::Counting = tower_authz_fuzz::memory::Counting;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(finding) = tower_authz_fuzz::policy_document(bytes) {
        panic!("{finding}");
    }
});
