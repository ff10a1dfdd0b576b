#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| qrvey_relay::fuzzing::config(bytes));
