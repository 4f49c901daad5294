#![no_main]

use libfuzzer_sys::fuzz_target;
use tacho_event::json;
use tacho_ingest::Redactor;

fuzz_target!(|bytes: &[u8]| {
    let redactor = Redactor::builtin();
    if let Ok(text) = std::str::from_utf8(bytes) {
        let once = redactor.redact_text(text);
        assert_eq!(redactor.redact_text(&once), once);
    }
    let mut minified = Vec::new();
    if json::minify(bytes, 100, &mut minified).is_ok() {
        let once = redactor.redact_json(&minified);
        let mut again = Vec::new();
        json::minify(&once, 100, &mut again).expect("what is left is JSON");
        assert_eq!(redactor.redact_json(&once), once);
    }
});
