//! What makes events belong together.

use std::borrow::Cow;
use tacho_event::{Jq, JqError, Recorded};

/// An attribute of an event, or the answer of a jq program to it.
#[derive(Clone, Debug)]
pub enum Key {
    Stream,
    /// `type`, `source`, `id`, or any other attribute's name.
    Attribute(String),
    Jq(Jq),
}

impl Key {
    /// `stream`, the name of an attribute, or a jq program (`.data.tenant`).
    ///
    /// # Errors
    ///
    /// Where a program is none.
    pub fn parse(text: &str) -> Result<Self, JqError> {
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        match text {
            "stream" | "subject" => Ok(Self::Stream),
            name if !name.is_empty() && name.bytes().all(is_name) => Ok(Self::Attribute(name.to_owned())),
            program => Ok(Self::Jq(Jq::compile(program)?)),
        }
    }

    /// Of an event, unless a program must be run for it.
    pub(crate) fn plain<'e>(&self, event: &'e Recorded) -> Option<Cow<'e, str>> {
        match self {
            Self::Stream => Some(event.stream().into()),
            Self::Attribute(name) => Some(match name.as_str() {
                "type" => event.kind().into(),
                "source" => event.source().into(),
                "id" => event.id().into(),
                name => event.text(name).unwrap_or_default(),
            }),
            Self::Jq(_) => None,
        }
    }

    /// The program to run, when there is one.
    pub(crate) fn program(&self) -> Option<&Jq> {
        match self {
            Self::Jq(program) => Some(program),
            _ => None,
        }
    }
}
