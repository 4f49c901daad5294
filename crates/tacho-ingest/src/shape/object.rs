//! Writes one minified JSON object.

use tacho_event::Recorded;
use tacho_event::json;

pub(super) struct Object<'o> {
    out: &'o mut Vec<u8>,
    is_empty: bool,
}

impl<'o> Object<'o> {
    pub(super) fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, is_empty: true }
    }

    /// A member whose value is minified JSON.
    pub(super) fn raw(&mut self, key: &str, value: &[u8]) {
        self.key(key);
        self.out.extend_from_slice(value);
    }

    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        json::write_string(value, self.out);
    }

    /// An attribute of the event, when it is there.
    pub(super) fn attribute(&mut self, key: &str, event: &Recorded, name: &str) {
        if let Some(value) = event.attribute(name) {
            self.raw(key, value);
        }
    }

    /// The payload; one that is no JSON as the object `{"data_base64": …}`.
    pub(super) fn payload(&mut self, key: &str, event: &Recorded) {
        self.key(key);
        match (event.data(), event.attribute("data_base64")) {
            (Some(data), _) => self.out.extend_from_slice(data),
            (None, Some(encoded)) => {
                let mut inner = Object::open(self.out);
                inner.raw("data_base64", encoded);
                inner.close();
            }
            (None, None) => self.out.extend_from_slice(b"{}"),
        }
    }

    /// An object inside.
    pub(super) fn object(&mut self, key: &str) -> Object<'_> {
        self.key(key);
        Object::open(self.out)
    }

    pub(super) fn close(self) {
        self.out.push(b'}');
    }

    fn key(&mut self, key: &str) {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }
}
