#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    camelid_tests::branches(data);
});
