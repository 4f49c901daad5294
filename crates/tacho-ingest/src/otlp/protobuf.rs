//! The wire format of Protocol Buffers (protobuf.dev, "Encoding"), read where it lies and written as JSON by
//! the proto3 JSON mapping.
//!
//! No tree is built: a message of many empty parts would take fifty times its bytes. [`check`] walks a body
//! once; whatever passed it is read without errors.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tacho_event::json;
use tacho_event::trace::to_hex;
use thiserror::Error;

/// Most fields of a message of the tables.
const MOST_FIELDS: usize = 16;

pub(super) struct Message(&'static [Field]);

pub(super) struct Field {
    pub number: u64,
    /// As the JSON mapping names it.
    pub name: &'static str,
    pub kind: Kind,
    pub is_repeated: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    /// Bytes that JSON holds as base64.
    Base64,
    /// Bytes that OTLP's JSON holds as hex: the ids of traces and spans.
    Hex,
    Bool,
    /// A varint: `int32`, `int64` and enumerations.
    Signed,
    /// A varint: `uint32` and `uint64`.
    Unsigned,
    /// A varint: `sint32`.
    Zigzag,
    Fixed64,
    SignedFixed64,
    Fixed32,
    Double,
    Message(&'static Message),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum Malformed {
    #[error("the message ends in the middle of a field")]
    Truncated,
    #[error("a varint has more than ten bytes")]
    Varint,
    #[error("field {0} has wire type {1}, which it cannot have")]
    WireType(u64, u8),
    #[error("messages nest deeper than {0} levels")]
    Depth(usize),
}

/// A field's value as it stands on the wire.
#[derive(Clone, Copy)]
pub(super) enum Wire<'a> {
    Varint(u64),
    Eight([u8; 8]),
    Bytes(&'a [u8]),
    Four([u8; 4]),
}

/// The fields of a message in the order of the wire, known ones and others.
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Malformed::Truncated)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            let byte = self.array::<1>()?[0];
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed::Varint)
    }

    fn field(&mut self) -> Result<(u64, Wire<'a>), Malformed> {
        let tag = self.varint()?;
        let wire = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Eight(self.array()?),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed::Truncated)?;
                Wire::Bytes(self.take(length)?)
            }
            5 => Wire::Four(self.array()?),
            group => return Err(Malformed::WireType(tag >> 3, group as u8)),
        };
        Ok((tag >> 3, wire))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Wire<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.0.is_empty()).then(|| self.field())
    }
}

/// Checks the whole of a message, its known fields' types too, to at most `depth` levels.
pub(super) fn check(bytes: &[u8], message: &Message, depth: usize) -> Result<(), Malformed> {
    nested(bytes, message, depth, depth)
}

fn nested(bytes: &[u8], message: &Message, depth: usize, left: usize) -> Result<(), Malformed> {
    if left == 0 {
        return Err(Malformed::Depth(depth));
    }
    for field in Fields(bytes) {
        let (number, wire) = field?;
        let Some(known) = message.0.iter().find(|known| known.number == number) else { continue };
        if !known.takes(wire) {
            let found = match wire {
                Wire::Varint(_) => 0,
                Wire::Eight(_) => 1,
                Wire::Bytes(_) => 2,
                Wire::Four(_) => 5,
            };
            return Err(Malformed::WireType(number, found));
        }
        if let (Kind::Message(inner), Wire::Bytes(bytes)) = (known.kind, wire) {
            nested(bytes, inner, depth, left - 1)?;
        }
    }
    Ok(())
}

/// The values of one field, in the order of the wire.
pub(super) fn values<'a>(bytes: &'a [u8], number: u64) -> impl Iterator<Item = Wire<'a>> {
    Fields(bytes).map_while(Result::ok).filter(move |(found, _)| *found == number).map(|(_, wire)| wire)
}

impl Message {
    /// A table of at most 16 fields; a larger one does not compile.
    pub(super) const fn new(fields: &'static [Field]) -> Self {
        assert!(fields.len() <= MOST_FIELDS);
        Self(fields)
    }

    pub(super) fn field(&self, name: &str) -> Option<&'static Field> {
        self.0.iter().find(|field| field.name == name)
    }

    /// Appends the message as a minified JSON object, in the order of the table; unknown fields are left out.
    pub(super) fn write(&self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut last = [None; MOST_FIELDS];
        for (number, wire) in Fields(bytes).map_while(Result::ok) {
            if let Some(index) = self.0.iter().position(|field| field.number == number) {
                last[index] = Some(wire);
            }
        }
        out.push(b'{');
        let empty = out.len();
        for (field, wire) in self.0.iter().zip(last) {
            let Some(wire) = wire else { continue };
            if out.len() > empty {
                out.push(b',');
            }
            out.push(b'"');
            out.extend_from_slice(field.name.as_bytes());
            out.extend_from_slice(b"\":");
            if field.is_repeated {
                field.write_list(bytes, out);
            } else {
                field.kind.write(wire, out);
            }
        }
        out.push(b'}');
    }
}

impl Field {
    fn takes(&self, wire: Wire<'_>) -> bool {
        let is_packed = |size: usize| {
            self.is_repeated && matches!(wire, Wire::Bytes(bytes) if bytes.len().is_multiple_of(size))
        };
        match self.kind {
            Kind::Text | Kind::Base64 | Kind::Hex | Kind::Message(_) => matches!(wire, Wire::Bytes(_)),
            Kind::Fixed64 | Kind::SignedFixed64 | Kind::Double => {
                matches!(wire, Wire::Eight(_)) || is_packed(8)
            }
            Kind::Fixed32 => matches!(wire, Wire::Four(_)) || is_packed(4),
            Kind::Bool | Kind::Signed | Kind::Unsigned | Kind::Zigzag => {
                matches!(wire, Wire::Varint(_)) || is_packed(1)
            }
        }
    }

    /// Appends the value as JSON; answers whether `message` has it. The last one counts unless it is a list.
    pub(super) fn write(&self, message: &[u8], out: &mut Vec<u8>) -> bool {
        let Some(wire) = values(message, self.number).last() else { return false };
        if self.is_repeated {
            self.write_list(message, out);
        } else {
            self.kind.write(wire, out);
        }
        true
    }

    fn write_list(&self, message: &[u8], out: &mut Vec<u8>) {
        out.push(b'[');
        for wire in values(message, self.number) {
            self.kind.write_elements(wire, out);
        }
        // Every element left a comma behind it.
        if out.last() == Some(&b',') {
            out.pop();
        }
        out.push(b']');
    }
}

impl Kind {
    /// One element of a list, or several numbers that are packed.
    fn write_elements(self, wire: Wire<'_>, out: &mut Vec<u8>) {
        let is_scalar = !matches!(self, Self::Text | Self::Base64 | Self::Hex | Self::Message(_));
        let Wire::Bytes(packed) = wire else { return self.write_element(wire, out) };
        if !is_scalar {
            return self.write_element(wire, out);
        }
        let mut rest = Fields(packed);
        while !rest.0.is_empty() {
            let next = match self {
                Self::Fixed64 | Self::SignedFixed64 | Self::Double => rest.array().map(Wire::Eight),
                Self::Fixed32 => rest.array().map(Wire::Four),
                _ => rest.varint().map(Wire::Varint),
            };
            let Ok(next) = next else { break };
            self.write_element(next, out);
        }
    }

    fn write_element(self, wire: Wire<'_>, out: &mut Vec<u8>) {
        self.write(wire, out);
        out.push(b',');
    }

    fn write(self, wire: Wire<'_>, out: &mut Vec<u8>) {
        match (self, wire) {
            (Self::Text, Wire::Bytes(bytes)) => json::write_string(&String::from_utf8_lossy(bytes), out),
            (Self::Base64, Wire::Bytes(bytes)) => json::write_string(&STANDARD.encode(bytes), out),
            (Self::Hex, Wire::Bytes(bytes)) => json::write_string(&to_hex(bytes), out),
            (Self::Message(message), Wire::Bytes(bytes)) => message.write(bytes, out),
            (Self::Bool, Wire::Varint(value)) => push(value != 0, out),
            (Self::Signed, Wire::Varint(value)) => push(value as i64, out),
            (Self::Zigzag, Wire::Varint(value)) => push((value >> 1) as i64 ^ -((value & 1) as i64), out),
            (Self::Fixed64, Wire::Eight(bytes)) => push(u64::from_le_bytes(bytes), out),
            (Self::SignedFixed64, Wire::Eight(bytes)) => push(i64::from_le_bytes(bytes), out),
            (Self::Double, Wire::Eight(bytes)) => write_double(f64::from_le_bytes(bytes), out),
            (Self::Fixed32, Wire::Four(bytes)) => push(u32::from_le_bytes(bytes), out),
            (_, Wire::Varint(value)) => push(value, out),
            _ => out.extend_from_slice(b"null"),
        }
    }
}

fn push(value: impl std::fmt::Display, out: &mut Vec<u8>) {
    out.extend_from_slice(value.to_string().as_bytes());
}

/// The shortest text that reads back the same; what JSON has no number for, as the mapping's string.
fn write_double(value: f64, out: &mut Vec<u8>) {
    match value {
        _ if value.is_nan() => out.extend_from_slice(b"\"NaN\""),
        f64::INFINITY => out.extend_from_slice(b"\"Infinity\""),
        f64::NEG_INFINITY => out.extend_from_slice(b"\"-Infinity\""),
        _ if value != 0.0 && !(1e-7..1e17).contains(&value.abs()) => {
            out.extend_from_slice(format!("{value:e}").as_bytes());
        }
        _ => push(value, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static INNER: Message =
        Message::new(&[field(1, "n", Kind::Zigzag), field(2, "again", Kind::Message(&OUTER))]);
    static OUTER: Message = Message::new(&[
        field(1, "text", Kind::Text),
        field(2, "signed", Kind::Signed),
        field(3, "double", Kind::Double),
        Field { is_repeated: true, ..field(4, "bounds", Kind::Double) },
        Field { is_repeated: true, ..field(5, "inner", Kind::Message(&INNER)) },
        field(6, "id", Kind::Hex),
    ]);

    const fn field(number: u64, name: &'static str, kind: Kind) -> Field {
        Field { number, name, kind, is_repeated: false }
    }

    fn told(bytes: &[u8]) -> String {
        match check(bytes, &OUTER, 4) {
            Ok(()) => {
                let mut out = Vec::new();
                OUTER.write(bytes, &mut out);
                String::from_utf8(out).unwrap()
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn fields_become_members() {
        assert_eq!(told(b""), "{}");
        assert_eq!(told(b"\x0a\x03a\"b"), r#"{"text":"a\"b"}"#);
        assert_eq!(told(b"\x10\x01\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), r#"{"signed":-1}"#);
        assert_eq!(
            told(b"\x2a\x02\x08\x03\x2a\x00\x32\x02\xab\x01"),
            r#"{"inner":[{"n":-2},{}],"id":"ab01"}"#
        );
        // Field 9 is unknown, in each wire type.
        assert_eq!(told(b"\x48\x01\x49\0\0\0\0\0\0\0\0\x4a\x01x\x4d\0\0\0\0\x0a\x00"), r#"{"text":""}"#);
    }

    #[test]
    fn doubles_packed_and_not() {
        let (one, half) = (1f64.to_le_bytes(), 0.5f64.to_le_bytes());
        let packed = [b"\x22\x10".as_slice(), &one, &half].concat();
        let apart = [b"\x21".as_slice(), &one, b"\x21", &half].concat();
        assert_eq!((told(&packed), told(&apart)), (r#"{"bounds":[1,0.5]}"#.into(), told(&packed)));
        for (value, text) in [(f64::NAN, "\"NaN\""), (1e300, "1e300"), (-3e-9, "-3e-9"), (-0.0, "-0")] {
            assert_eq!(
                told(&[b"\x19".as_slice(), &value.to_le_bytes()].concat()),
                format!("{{\"double\":{text}}}")
            );
        }
    }

    #[test]
    fn what_is_malformed_is_told() {
        for (bytes, reason) in [
            (&b"\x0a\x05ab"[..], "the message ends in the middle of a field"),
            (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "the message ends in the middle of a field"),
            (b"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "a varint has more than ten bytes"),
            (b"\x08\x01", "field 1 has wire type 0, which it cannot have"),
            (b"\x0b", "field 1 has wire type 3, which it cannot have"),
            (b"\x2a\x08\x12\x06\x2a\x04\x12\x02\x2a\x00", "messages nest deeper than 4 levels"),
        ] {
            assert_eq!(told(bytes), reason);
        }
    }
}
