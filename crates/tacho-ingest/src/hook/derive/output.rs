//! What a command printed, and how numbers are found in it.

use std::borrow::Cow;
use tacho_event::head;

/// What is looked at of an output, in bytes, at its beginning and at its end; what is between is left out.
const END_BYTES: usize = 64 * 1024;
/// What is looked at of a line, in bytes.
const LINE_BYTES: usize = 4 * 1024;
/// Lines that are looked at.
const LINES: usize = 20_000;

/// The lines of an output, without colours.
pub(super) struct Lines<'a>(Vec<&'a str>);

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self(text.lines().take(LINES).map(|line| head(line, LINE_BYTES).trim_end()).collect())
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &'a str> {
        self.0.iter().copied()
    }

    pub(super) fn rev(&self) -> impl Iterator<Item = &'a str> {
        self.iter().rev()
    }
}

/// The beginning and the end of a text, without the sequences that colour a terminal.
pub(super) fn bounded(text: &str) -> Cow<'_, str> {
    if text.len() <= 2 * END_BYTES {
        return plain(text);
    }
    let mut end = text.len() - END_BYTES;
    while !text.is_char_boundary(end) {
        end += 1;
    }
    Cow::Owned(format!("{}\n{}", plain(head(text, END_BYTES)), plain(&text[end..])))
}

fn plain(text: &str) -> Cow<'_, str> {
    if memchr::memchr(0x1b, text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // ECMA-48: a control sequence ends with a byte from `@` to `~`.
        let rest = part.strip_prefix('[').and_then(|part| {
            let end = part.find(|byte: char| ('@'..='~').contains(&byte))?;
            Some(&part[end + 1..])
        });
        plain.push_str(rest.unwrap_or(part));
    }
    Cow::Owned(plain)
}

/// Each whole number that stands before a word: `3 failed, 12 passed` gives two.
pub(super) fn pairs(line: &str) -> impl Iterator<Item = (u64, String)> {
    let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_' | '/' | '%');
    let words: Vec<&str> =
        line.split(move |letter| !is_part(letter)).filter(|word| !word.is_empty()).collect();
    let pairs: Vec<_> = words
        .windows(2)
        .filter_map(|pair| {
            let number = pair[0].parse().ok()?;
            let word = pair[1].trim_end_matches('.').to_ascii_lowercase();
            word.starts_with(char::is_alphabetic).then_some((number, word))
        })
        .collect();
    pairs.into_iter()
}

/// The number before the first word that begins so: `12 tests` by `test`.
pub(super) fn number_before(line: &str, word: &str) -> Option<u64> {
    pairs(line).find(|(_, found)| found.starts_with(word)).map(|(number, _)| number)
}

/// The number behind a label: `Failures: 2`.
pub(super) fn labelled(line: &str, label: &str) -> Option<u64> {
    let (_, rest) = line.split_once(label)?;
    let rest = rest.trim_start();
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// A length of time such as `1.23s`, `34ms`, `1m 5s`, `1.2 seconds`, `(…)`; in seconds.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let mut rest = text.trim_start_matches([' ', '\t', '(', '[']);
    let (mut sum, mut any) = (0.0, false);
    loop {
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
        let Ok(number) = rest[..end].parse::<f64>() else { break };
        rest = rest[end..].trim_start();
        let end = rest.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "ms" | "milliseconds" => 1e-3,
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "minute" | "minutes" => 60.0,
            "h" | "hour" | "hours" => 3_600.0,
            _ => break,
        };
        (sum, any) = (sum + number * unit, true);
        rest = rest[end..].trim_start();
    }
    (any && f64::is_finite(sum)).then_some((sum * 1e6_f64).round() / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_words_and_times() {
        assert_eq!(
            pairs("= 2 failed, 48 passed. in 3.21s (7)").collect::<Vec<_>>(),
            [(2, "failed".to_owned()), (48, "passed".to_owned())]
        );
        assert_eq!((labelled("Failures: 2, x", "Failures:"), labelled("a", "b")), (Some(2), None));
        for (text, expected) in [
            ("3.21s ====", Some(3.21)),
            ("(34ms)", Some(0.034)),
            ("1m 5s", Some(65.0)),
            (" 1.2 seconds (files", Some(1.2)),
            ("soon", None),
            ("12", None),
            ("1.2.3s", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn colours_and_the_middle_are_left_out() {
        assert_eq!(bounded("\u{1b}[32m5 passed\u{1b}[0m\u{1b}x\u{1b}[1"), "5 passedx[1");
        let long = format!("begin{}é{}end", "x".repeat(200_000), "y".repeat(END_BYTES - 4));
        let cut = bounded(&long);
        assert!(cut.len() < 2 * END_BYTES + 2 && cut.starts_with("begin") && cut.ends_with("end"));
    }
}
