//! A message of an export, in either encoding, read where it lies.

use super::protobuf::{Kind, Message, Wire, values};
use std::borrow::Cow;
use tacho_event::json;

#[derive(Clone, Copy)]
pub(super) enum Node<'a> {
    /// Minified.
    Json(&'a [u8]),
    /// Checked.
    Protobuf(&'a [u8], &'static Message),
}

impl<'a> Node<'a> {
    /// The messages of a list.
    pub(super) fn children(self, name: &'static str) -> Box<dyn Iterator<Item = Node<'a>> + 'a> {
        match self {
            Self::Json(object) => {
                Box::new(json::elements(json::member(object, name).unwrap_or(b"")).map(Node::Json))
            }
            Self::Protobuf(bytes, message) => match message.field(name) {
                Some(field) => {
                    let Kind::Message(inner) = field.kind else { return Box::new(std::iter::empty()) };
                    let found = values(bytes, field.number);
                    Box::new(found.filter_map(move |wire| match wire {
                        Wire::Bytes(bytes) => Some(Node::Protobuf(bytes, inner)),
                        _ => None,
                    }))
                }
                None => Box::new(std::iter::empty()),
            },
        }
    }

    /// The message of this name; the last one, where the encoding can hold several.
    pub(super) fn child(self, name: &'static str) -> Option<Node<'a>> {
        match self {
            Self::Json(object) => {
                let found = json::member(object, name).filter(|value| value.first() == Some(&b'{'));
                found.map(Node::Json)
            }
            Self::Protobuf(..) => self.children(name).last(),
        }
    }

    /// The JSON of a field that is no message.
    pub(super) fn member(self, name: &'static str) -> Option<Cow<'a, [u8]>> {
        match self {
            Self::Json(object) => json::member(object, name).map(Cow::Borrowed),
            Self::Protobuf(bytes, message) => {
                let mut out = Vec::new();
                message.field(name)?.write(bytes, &mut out).then_some(Cow::Owned(out))
            }
        }
    }

    /// The whole message as minified JSON.
    pub(super) fn json(self) -> Cow<'a, [u8]> {
        match self {
            Self::Json(json) => Cow::Borrowed(json),
            Self::Protobuf(bytes, message) => {
                let mut out = Vec::with_capacity(bytes.len() * 2);
                message.write(bytes, &mut out);
                Cow::Owned(out)
            }
        }
    }
}
