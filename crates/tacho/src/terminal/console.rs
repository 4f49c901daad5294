//! The live console: a headline, then the payload's fields below it.

use super::line::{cut, local};
use super::{Palette, escape, kind_style};
use crate::cloud_event::CloudEvent;
use jiff::tz::TimeZone;
use serde_json::Value;
use tacho_event::{Recorded, json};

/// Longest value of a field where the output is no terminal, in columns.
const VALUE_COLUMNS: usize = 2_000;

/// `[HH:MM:SS] TASK_QUEUED` in the type's colour, then the payload's fields indented by two spaces.
pub fn console_block(event: &CloudEvent, zone: &TimeZone, palette: Palette, columns: usize) -> String {
    let headline =
        format!("[{}] {}", local(event, zone).strftime("%H:%M:%S"), escape(&shown_kind(&event.kind())));
    let mut block = palette.paint(kind_style(&event.kind()), headline);
    let Some(data) = event.data() else { return block };
    match json::to_value(data) {
        Value::Object(members) => {
            for (name, value) in &members {
                block.push('\n');
                block.push_str(&field(name, value, palette, columns));
            }
        }
        other => {
            block.push_str("\n  ");
            block.push_str(&cut(&escape(&other.to_string()), columns.min(VALUE_COLUMNS)));
        }
    }
    block
}

/// The same for a server's own console.
pub fn sink_block(event: &Recorded) -> String {
    let colour = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
    let event = CloudEvent::new(event.to_cloudevent());
    console_block(&event, &TimeZone::system(), Palette { colour }, usize::MAX)
}

fn field(name: &str, value: &Value, palette: Palette, columns: usize) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let name = escape(name);
    let room = columns.min(VALUE_COLUMNS).saturating_sub(name.chars().count() + 4).max(20);
    format!("  {}: {}", palette.dim(&name), cut(&escape(&text), room))
}

/// A name in `snake_case` reads well in capitals; `urlCacher.cacheRequested` does not.
fn shown_kind(kind: &str) -> String {
    if kind.chars().any(char::is_uppercase) { kind.to_owned() } else { kind.to_uppercase() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_of_the_console() {
        let event = CloudEvent::new(br#"{"type":"task_queued","time":"1970-01-01T01:00:00Z","data":{"task_id":"t_001","est_cost":0.35,"tags":["a"],"evil":"\u001b[2J"}}"#.to_vec());
        let block = console_block(&event, &TimeZone::UTC, Palette { colour: false }, usize::MAX);
        assert_eq!(
            block,
            "[01:00:00] TASK_QUEUED\n  task_id: t_001\n  est_cost: 0.35\n  tags: [\"a\"]\n  evil: \\x1b[2J"
        );
        let coloured = console_block(&event, &TimeZone::UTC, Palette { colour: true }, usize::MAX);
        assert!(coloured.starts_with("\u{1b}[36m[01:00:00] TASK_QUEUED\u{1b}[0m\n"), "{coloured:?}");
    }
}
