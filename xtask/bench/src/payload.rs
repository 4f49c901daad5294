//! What is appended: events whose payload is 256 bytes of JSON, and requests that carry them.

use std::net::SocketAddr;

/// Bytes of `data` in every event, for every system.
pub const PAYLOAD_BYTES: usize = 256;

/// Digits of an event's id, of one width so that a prepared request can be used again.
const ID_DIGITS: usize = 16;

/// A small deterministic source of variety (xorshift64*): two runs append the same bytes.
pub struct Variety {
    state: u64,
}

impl Variety {
    pub fn new(seed: u64) -> Variety {
        Variety { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1 }
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) % bound
    }

    /// Like words in prose: low numbers often, high ones rarely.
    pub fn skewed_below(&mut self, bound: u64) -> u64 {
        let limit = self.below(bound) + 1;
        self.below(limit)
    }
}

/// Text of words, `bytes` long.
pub fn words(variety: &mut Variety, bytes: usize) -> String {
    const SYLLABLES: &[&str] =
        &["ba", "co", "di", "fu", "ga", "le", "mi", "no", "pe", "ra", "so", "ti", "ur", "ve", "wo", "zy"];
    let mut text = String::new();
    while text.len() < bytes {
        let word = variety.skewed_below(4096) as usize;
        for index in [word & 15, word >> 4 & 15, word >> 8 & 15] {
            text.push_str(SYLLABLES[index]);
        }
        text.push(' ');
    }
    text.truncate(bytes);
    text
}

/// A JSON object of exactly `PAYLOAD_BYTES`.
pub fn payload(variety: &mut Variety) -> String {
    let (head, tail) = ("{\"text\":\"", "\"}");
    format!("{head}{}{tail}", words(variety, PAYLOAD_BYTES - head.len() - tail.len()))
}

/// An append request for `count` events that is sent again and again with new ids.
pub struct AppendRequest {
    bytes: Vec<u8>,
    id_offsets: Vec<usize>,
}

impl AppendRequest {
    /// Ids are unique within `source`.
    pub fn new(
        address: SocketAddr,
        source: &str,
        stream: &str,
        count: usize,
        variety: &mut Variety,
    ) -> AppendRequest {
        let (mut body, mut id_offsets) = (Vec::new(), Vec::new());
        for index in 0..count {
            body.extend_from_slice(if index == 0 { b"[" } else { b"," });
            body.extend_from_slice(b"{\"specversion\":\"1.0\",\"id\":\"");
            id_offsets.push(body.len());
            let id = "0".repeat(ID_DIGITS);
            let data = payload(variety);
            let rest = format!(
                "{id}\",\"source\":\"{source}\",\"type\":\"bench.appended\",\"subject\":\"{stream}\",\"data\":{data}}}"
            );
            body.extend_from_slice(rest.as_bytes());
        }
        body.push(b']');
        let mut bytes = post_head(address, body.len());
        id_offsets.iter_mut().for_each(|offset| *offset += bytes.len());
        bytes.extend(body);
        AppendRequest { bytes, id_offsets }
    }

    /// The request with ids counted on from `first_id`.
    pub fn with_ids(&mut self, first_id: u64) -> &[u8] {
        for (&offset, id) in self.id_offsets.iter().zip(first_id..) {
            let mut rest = id;
            for digit in self.bytes[offset..offset + ID_DIGITS].iter_mut().rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
        &self.bytes
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Events that it carries.
    pub fn len(&self) -> usize {
        self.id_offsets.len()
    }
}

/// The head of a request that appends `length` bytes of JSON.
pub fn post_head(address: SocketAddr, length: usize) -> Vec<u8> {
    format!(
        "POST /api/events HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_request_is_json_with_counted_ids_and_payloads_of_the_promised_size() {
        let address = "127.0.0.1:1".parse().unwrap();
        let mut request = AppendRequest::new(address, "/bench/1", "task/bench-1", 3, &mut Variety::new(1));
        let text = String::from_utf8(request.with_ids(98).to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())));
        let events: Value = serde_json::from_str(body).unwrap();
        let ids: Vec<&str> =
            events.as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["0000000000000098", "0000000000000099", "0000000000000100"]);
        assert_eq!(events[0]["data"].to_string().len(), PAYLOAD_BYTES);
    }
}
