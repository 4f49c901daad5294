//! Colours and glyphs: the same for a type wherever it is shown.

use anstyle::{AnsiColor, Style};
use std::fmt::Display;

/// Paints text, or leaves it as it is where nobody sees colour.
#[derive(Debug, Clone, Copy)]
pub struct Palette {
    pub colour: bool,
}

impl Palette {
    pub fn paint(self, style: Style, text: impl Display) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_string() }
    }

    pub fn dim(self, text: impl Display) -> String {
        self.paint(Style::new().dimmed(), text)
    }

    /// What came, or went well.
    pub fn good(self, text: impl Display) -> String {
        self.paint(AnsiColor::Green.on_default(), text)
    }

    /// What went, or went wrong.
    pub fn bad(self, text: impl Display) -> String {
        self.paint(AnsiColor::Red.on_default(), text)
    }

    pub fn bold(self, text: impl Display) -> String {
        self.paint(Style::new().bold(), text)
    }
}

/// What a type tells, as far as its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Bad,
    Warning,
    Good,
    Begins,
    Person,
    Own,
    Plain,
}

/// Words of types, the first match decides.
const MOODS: &[(&[&str], Mood)] = &[
    (&["fail", "error", "exceeded", "rejected", "denied", "unreadable", "blocked"], Mood::Bad),
    (&["warning", "escalated", "permission", "notification", "retry", "paused"], Mood::Warning),
    (&["user_prompt"], Mood::Person),
    (&["completed", "succeeded", "resolved", "merged", "post_tool_use", "validated", "cached"], Mood::Good),
    (&["started", "start", "queued", "spawned", "pre_tool_use", "requested", "created"], Mood::Begins),
    (&["tacho."], Mood::Own),
];

fn mood(kind: &str) -> Mood {
    let lower = kind.to_ascii_lowercase();
    let found = MOODS.iter().find(|(words, _)| words.iter().any(|word| lower.contains(word)));
    found.map_or(Mood::Plain, |(_, mood)| *mood)
}

pub fn kind_style(kind: &str) -> Style {
    let colour = match mood(kind) {
        Mood::Bad => AnsiColor::Red,
        Mood::Warning => AnsiColor::Yellow,
        Mood::Good => AnsiColor::Green,
        Mood::Begins => AnsiColor::Cyan,
        Mood::Person => AnsiColor::Magenta,
        Mood::Own => AnsiColor::BrightBlack,
        Mood::Plain => AnsiColor::Blue,
    };
    Style::new().fg_color(Some(colour.into()))
}

/// One column wide.
pub fn glyph(kind: &str) -> char {
    match mood(kind) {
        Mood::Bad => '✗',
        Mood::Warning => '!',
        Mood::Good => '✓',
        Mood::Begins => '▸',
        Mood::Person => '›',
        Mood::Own => '·',
        Mood::Plain => '•',
    }
}
