//! Ids that are derived from what caused an event, so that the same cause always gives the same id. The
//! bytes that are hashed can never change: ids of recorded events are made of them.

use crate::trace::to_hex;
use sha2::{Digest, Sha256};

/// First 16 bytes, in hex, of SHA-256("tacho:<domain>:1" ‖ LP(part) ‖ …) with `LP(x) = u32be length ‖ bytes`.
pub fn derived_id(domain: &str, parts: &[&str]) -> String {
    let mut hash = Sha256::new().chain_update("tacho:").chain_update(domain).chain_update(":1");
    for part in parts {
        hash.update((part.len() as u32).to_be_bytes());
        hash.update(part);
    }
    to_hex(&hash.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_ids_never_change() {
        assert_eq!(derived_id("marker", &["s", "a.b"]), "949a60b46d8cef222ad6c5d682838a71");
    }
}
