//! A flame graph as SVG: a box for each stack of names, as wide as its time, on what it lay in. The same profile gives
//! the same bytes. There is no script in it: what a box is about stands in its title, which viewers show on hovering.

use crate::profile::milliseconds;
use std::collections::BTreeMap;
use std::fmt::Write;
use tacho_engine::Profile;
use tacho_event::head;

/// In pixels.
const WIDTH: f64 = 1_200.0;
const MARGIN: f64 = 12.0;
const ROW: usize = 19;
const TOP: usize = 52;
/// Boxes that are narrower are left out.
const NARROWEST: f64 = 0.4;
/// What a character of a label takes.
const CHARACTER: f64 = 6.7;
/// Calm colours that text can be read on.
const COLOURS: [&str; 8] =
    ["#f3c98b", "#f0b27a", "#e8c15d", "#dfae86", "#cfc07a", "#f2d29b", "#e3a98b", "#d8b66a"];
const WAITS: &str = "#b9c6d8";

#[derive(Default)]
struct Frame {
    /// With everything in it, in nanoseconds.
    total: i64,
    inside: BTreeMap<String, Frame>,
}

/// The answer of `GET /api/profile/{category}/{id}/flamegraph`.
pub fn profile_flamegraph(profile: &Profile) -> String {
    let mut all = Frame::default();
    for (stack, length) in profile.stacks() {
        let mut frame = &mut all;
        frame.total += length;
        for name in stack.split(';') {
            frame = frame.inside.entry(name.to_owned()).or_default();
            frame.total += length;
        }
    }
    let height = TOP + depth(&all) * ROW + 12;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"ui-monospace, Menlo, Consolas, monospace\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fdfcf9\"/>\n\
         <text x=\"{MARGIN}\" y=\"22\" font-size=\"14\" fill=\"#222\">{}</text>\n\
         <text x=\"{MARGIN}\" y=\"40\" fill=\"#666\">{} of work and waiting, {} from the first event to the last</text>\n",
        escaped(&profile.stream),
        length_text(all.total),
        length_text(profile.wall_ns())
    );
    let scale = (WIDTH - 2.0 * MARGIN) / (all.total.max(1) as f64);
    draw(&all, MARGIN, 0, scale, all.total.max(1), &mut out);
    out += "</svg>\n";
    out
}

fn depth(frame: &Frame) -> usize {
    frame.inside.values().map(|inside| 1 + depth(inside)).max().unwrap_or(0)
}

fn draw(frame: &Frame, from: f64, row: usize, scale: f64, all: i64, out: &mut String) {
    let mut x = from;
    for (name, inside) in &frame.inside {
        let width = inside.total as f64 * scale;
        if width >= NARROWEST {
            let y = TOP + row * ROW;
            let share = inside.total as f64 / all as f64 * 100.0;
            let _ = writeln!(
                out,
                "<g><title>{name}: {}, {share:.1} %</title><rect x=\"{x:.1}\" y=\"{y}\" width=\"{:.1}\" height=\"{}\" \
                 rx=\"1\" fill=\"{}\"/>{}</g>",
                length_text(inside.total),
                (width - 0.6).max(0.3),
                ROW - 1,
                colour(name),
                label(name, x, y, width),
                name = escaped(name)
            );
            draw(inside, x, row + 1, scale, all, out);
        }
        x += width;
    }
}

/// The name, as much of it as fits.
fn label(name: &str, x: f64, y: usize, width: f64) -> String {
    let room = ((width - 6.0) / CHARACTER).max(0.0) as usize;
    let count = name.chars().count();
    if room < 2 {
        return String::new();
    }
    let shown: String =
        if count <= room { name.to_owned() } else { name.chars().take(room - 1).chain(['…']).collect() };
    format!("<text x=\"{:.1}\" y=\"{}\" fill=\"#222\">{}</text>", x + 3.0, y + 13, escaped(&shown))
}

fn colour(name: &str) -> &'static str {
    if name.starts_with("waiting") || name == "paused" {
        return WAITS;
    }
    let sum = name.bytes().fold(7_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
    COLOURS[sum % COLOURS.len()]
}

fn length_text(nanoseconds: i64) -> String {
    let milliseconds = milliseconds(nanoseconds);
    match milliseconds {
        ..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{:.1} s", milliseconds as f64 / 1e3),
        _ => format!("{} min {} s", milliseconds / 60_000, milliseconds / 1_000 % 60),
    }
}

/// As XML takes it, whatever a stranger called a tool; characters that XML has no place for are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in head(text, 512).chars() {
        match character {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            character if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => {}
            character => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_write_is_text() {
        assert_eq!(escaped("<b>\"a&b\"\u{1}"), "&lt;b&gt;&quot;a&amp;b&quot;");
        let label = label("<script>", 0.0, 0, 500.0);
        assert!(label.contains("&lt;script&gt;"), "{label}");
    }

    #[test]
    fn lengths_read_well() {
        assert_eq!(
            [1_600_000, 1_250_000_000, 125_000_000_000].map(length_text),
            ["2 ms", "1.2 s", "2 min 5 s"]
        );
    }
}
