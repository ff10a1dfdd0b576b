#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| qrvey_relay::fuzzing::config(text));
