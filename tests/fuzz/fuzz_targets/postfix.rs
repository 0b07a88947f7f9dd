#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::log(logs::Format::Postfix, data));
