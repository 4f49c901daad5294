//! One event on one line.

use super::{Palette, escape, glyph, kind_style, summary};
use crate::cloud_event::CloudEvent;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Columns of the type and of the actor; longer ones push what is behind them.
const TYPE_COLUMNS: usize = 29;
const ACTOR_COLUMNS: usize = 20;
const STREAM_COLUMNS: usize = 17;
/// Digits at the end of a UUID that tell two of them apart well enough for the eye: its first ones are a time,
/// the same for a minute.
const SHORT_ID: usize = 8;

/// `14:02:11.031 ▸ claude.pre_tool_use  agent:claude-code  session/…d4b51373  Bash: cargo test`, cut to
/// `columns`; with its date when it was not today. Where nothing is cut, streams are whole.
pub fn event_line(
    event: &CloudEvent,
    zone: &TimeZone,
    today: Date,
    palette: Palette,
    columns: usize,
) -> String {
    let moment = local(event, zone);
    let format = if moment.date() == today { "%H:%M:%S%.3f" } else { "%Y-%m-%d %H:%M:%S%.3f" };
    let time = moment.strftime(format).to_string();
    let kind = escape(&event.kind()).into_owned();
    let actor = escape(&actor(event)).into_owned();
    let stream = event.stream();
    let stream = if columns == usize::MAX { stream.into_owned() } else { short_stream(&stream) };
    let stream = escape(&stream).into_owned();
    let (kind_padded, actor_padded) = (format!("{kind:<TYPE_COLUMNS$}"), format!("{actor:<ACTOR_COLUMNS$}"));
    let stream_padded = format!("{stream:<STREAM_COLUMNS$}");
    let used = time.len()
        + 3
        + kind_padded.chars().count()
        + actor_padded.chars().count()
        + stream_padded.chars().count()
        + 3;
    let room = columns.saturating_sub(used).max(20);
    let told = cut(&escape(&summary(event)), room);
    let mark = palette.paint(kind_style(&event.kind()), format!("{} {kind_padded}", glyph(&event.kind())));
    let line = format!("{} {mark} {} {} {told}", palette.dim(time), actor_padded, palette.dim(stream_padded));
    line.trim_end().to_owned()
}

pub(super) fn local(event: &CloudEvent, zone: &TimeZone) -> jiff::Zoned {
    let moment = jiff::Timestamp::from_nanosecond(i128::from(event.time().0));
    moment.unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_zoned(zone.clone())
}

fn actor(event: &CloudEvent) -> String {
    match (event.text("actortype"), event.text("actorid")) {
        (Some(kind), Some(id)) if kind == id => kind.into_owned(),
        (Some(kind), Some(id)) => format!("{kind}:{id}"),
        (Some(one), None) | (None, Some(one)) => one.into_owned(),
        (None, None) => "-".to_owned(),
    }
}

/// `session/<uuid>` shows the end of the UUID.
fn short_stream(stream: &str) -> String {
    match stream.split_once('/') {
        Some((category, id))
            if id.len() == 36 && id.is_ascii() && id.bytes().filter(|byte| *byte == b'-').count() == 4 =>
        {
            format!("{category}/…{}", &id[id.len() - SHORT_ID..])
        }
        _ => stream.to_owned(),
    }
}

/// The text within `columns`, `…` standing for what was cut.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if text.chars().nth(columns).is_none() {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(columns.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(event: &str, columns: usize) -> String {
        let event = CloudEvent::new(event.as_bytes().to_vec());
        let today = jiff::civil::date(2026, 1, 1);
        event_line(&event, &TimeZone::UTC, today, Palette { colour: false }, columns)
    }

    #[test]
    fn an_event_on_a_line() {
        let event = r#"{"type":"claude.pre_tool_use","subject":"session/9826db1e-f7b2-4d17-9d66-83f0d4b51373","time":"2026-01-01T10:00:00.5Z","actortype":"agent","actorid":"claude-code","data":{"tool_name":"Bash","tool_input":{"command":"cargo test --workspace\n"}}}"#;
        assert_eq!(
            line(event, usize::MAX),
            "10:00:00.500 ▸ claude.pre_tool_use           agent:claude-code    session/9826db1e-f7b2-4d17-9d66-83f0d4b51373 Bash: cargo test --workspace\\n"
        );
        assert!(line(event, 60).ends_with("session/…d4b51373 Bash: cargo test --…"));
        assert_eq!(
            line(
                r#"{"type":"x","subject":"task/t","recordedtime":"2026-01-01T10:00:00Z","data":{"a":1,"b":"two","c":[3]}}"#,
                200
            ),
            "10:00:00.000 • x                             -                    task/t            a=1 b=two"
        );
        let yesterday = line(r#"{"type":"x","subject":"task/t","time":"2025-12-31T10:00:00Z"}"#, 200);
        assert!(yesterday.starts_with("2025-12-31 10:00:00.000 • x"), "{yesterday}");
    }
}
