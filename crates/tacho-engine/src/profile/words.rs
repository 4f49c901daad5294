//! What is read of payloads.

use tacho_event::json::{self, Kind};

/// Longest detail of a span, in characters.
const DETAIL_CHARACTERS: usize = 120;

/// A member that is a text, or a number as one; not an empty one.
pub(super) fn field(data: &[u8], name: &str) -> Option<String> {
    let value = json::member(data, name)?;
    let is_text = matches!(json::kind(value), Kind::String | Kind::Number);
    Some(json::text(value).into_owned()).filter(|text| is_text && !text.is_empty())
}

/// A member that is a finite number, or a text that is one.
pub(super) fn number(data: &[u8], name: &str) -> Option<f64> {
    let value: f64 = json::text(json::member(data, name)?).parse().ok()?;
    value.is_finite().then_some(value)
}

/// The first of these members, on one line and cut.
pub(super) fn brief(data: &[u8], names: &[&str]) -> String {
    let text = names.iter().find_map(|name| field(data, name)).unwrap_or_default();
    let line = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    line.take(DETAIL_CHARACTERS).collect()
}
