//! Moments: nanoseconds since 1970 in UTC, and the ways in which people write them.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use std::fmt;

/// A moment in UTC, to the nanosecond. Holds the years 1678 to 2261.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

const NANOS_PER_SECOND: i64 = 1_000_000_000;

impl Timestamp {
    /// Reads RFC 3339; any offset is accepted, a missing one is not.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let shaped = bytes.len() >= 20
            && bytes.len() <= 64
            && bytes[4] == b'-'
            && bytes[7] == b'-'
            && matches!(bytes[10], b'T' | b't' | b' ')
            && bytes[13] == b':'
            && bytes[16] == b':'
            && !bytes.contains(&b'[');
        if !shaped {
            return None;
        }
        text.parse::<jiff::Timestamp>().ok().and_then(Self::from_jiff)
    }

    /// Seconds since 1970, rounded to the microsecond: a float carries no more.
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        let micros = (seconds * 1e6).round();
        (micros.abs() < 9.2e15).then(|| Self(micros as i64 * 1000))
    }

    pub fn seconds(self) -> f64 {
        (self.0 / 1000) as f64 / 1e6
    }

    fn from_jiff(moment: jiff::Timestamp) -> Option<Self> {
        i64::try_from(moment.as_nanosecond()).ok().map(Self)
    }

    fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// RFC 3339 in UTC; the fraction has 0, 3, 6 or 9 digits, as few as lose nothing.
    pub fn to_rfc3339(self) -> String {
        let fraction = self.0.rem_euclid(NANOS_PER_SECOND);
        let digits = match fraction {
            0 => 0,
            nanos if nanos % 1_000_000 == 0 => 3,
            nanos if nanos % 1000 == 0 => 6,
            _ => 9,
        };
        self.with_digits(digits)
    }

    /// RFC 3339 in UTC with exactly three digits of fraction, cut, not rounded.
    pub fn to_rfc3339_millis(self) -> String {
        self.with_digits(3)
    }

    fn with_digits(self, digits: usize) -> String {
        let seconds = self.0.div_euclid(NANOS_PER_SECOND);
        let nanos = self.0.rem_euclid(NANOS_PER_SECOND);
        let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
        let of_day = seconds.rem_euclid(86_400);
        let mut text = Vec::with_capacity(30);
        push_digits(&mut text, year, 4);
        text.push(b'-');
        push_digits(&mut text, month, 2);
        text.push(b'-');
        push_digits(&mut text, day, 2);
        text.push(b'T');
        push_digits(&mut text, of_day / 3600, 2);
        text.push(b':');
        push_digits(&mut text, of_day / 60 % 60, 2);
        text.push(b':');
        push_digits(&mut text, of_day % 60, 2);
        if digits > 0 {
            text.push(b'.');
            push_digits(&mut text, nanos / 10_i64.pow(9 - digits as u32), digits);
        }
        text.push(b'Z');
        String::from_utf8(text).unwrap_or_default()
    }

    /// Reads what a person types for a moment: RFC 3339, a date, `2026-01-31 14:00`, `14:00` (today),
    /// `now`, `today`, `yesterday`, `last week` (seven days ago), and an age such as `90s`, `15m`, `2h`,
    /// `7d`, `2w`. Times without an offset are of `zone`.
    pub fn from_words(text: &str, now: Self, zone: &TimeZone) -> Option<Self> {
        let text = text.trim();
        if let Some(moment) = Self::from_rfc3339(text) {
            return Some(moment);
        }
        let here = now.to_jiff().to_zoned(zone.clone());
        let midnight = |days_back: i64| {
            let day = here.date().checked_sub(days_back.days()).ok()?;
            Self::from_civil(day.at(0, 0, 0, 0), zone)
        };
        match text.to_ascii_lowercase().as_str() {
            "now" => return Some(now),
            "today" => return midnight(0),
            "yesterday" => return midnight(1),
            "last week" => {
                return here.checked_sub(1.week()).ok().and_then(|at| Self::from_jiff(at.timestamp()));
            }
            _ => {}
        }
        if let Ok(time) = text.parse::<jiff::civil::Time>().or_else(|_| format!("{text}:00").parse())
            && text.contains(':')
            && !text.contains('-')
        {
            return Self::from_civil(here.date().to_datetime(time), zone);
        }
        if let Some(age) = parse_age(text) {
            return here.checked_sub(age).ok().and_then(|at| Self::from_jiff(at.timestamp()));
        }
        Self::from_civil(
            text.parse::<DateTime>()
                .or_else(|_| text.parse::<jiff::civil::Date>().map(|day| day.at(0, 0, 0, 0)))
                .ok()?,
            zone,
        )
    }

    fn from_civil(moment: DateTime, zone: &TimeZone) -> Option<Self> {
        Self::from_jiff(moment.to_zoned(zone.clone()).ok()?.timestamp())
    }
}

/// A length of time such as `90s`, `15m`, `2h`, `7d`, `2w`, `250ms`; in nanoseconds.
pub fn parse_duration_ns(text: &str) -> Option<i64> {
    let (number, unit) = split_unit(text)?;
    let nanos = match unit {
        "ms" => 1_000_000,
        "s" => NANOS_PER_SECOND,
        "m" | "min" => 60 * NANOS_PER_SECOND,
        "h" => 3600 * NANOS_PER_SECOND,
        "d" => 86_400 * NANOS_PER_SECOND,
        "w" => 7 * 86_400 * NANOS_PER_SECOND,
        _ => return None,
    };
    number.checked_mul(nanos)
}

fn parse_age(text: &str) -> Option<Span> {
    let (number, unit) = split_unit(text)?;
    let number = (number <= 4_000_000).then_some(number)?;
    Some(match unit {
        "s" => number.seconds(),
        "m" | "min" => number.minutes(),
        "h" => number.hours(),
        "d" => number.days(),
        "w" => number.weeks(),
        _ => return None,
    })
}

fn split_unit(text: &str) -> Option<(i64, &str)> {
    let end = text.find(|character: char| !character.is_ascii_digit())?;
    Some((text[..end].parse().ok()?, text[end..].trim_start()))
}

fn push_digits(out: &mut Vec<u8>, number: i64, width: usize) {
    for place in (0..width).rev() {
        out.push(b'0' + (number / 10_i64.pow(place as u32) % 10) as u8);
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_rfc3339(text).unwrap()
    }

    #[test]
    fn writes_what_it_reads_and_agrees_with_the_library() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2024-02-29T23:59:59.123Z",
            "2026-01-01T00:00:00.000001Z",
            "1999-12-31T01:02:03.123456789Z",
            "1680-03-01T00:00:00Z",
        ] {
            assert_eq!(at(text).to_rfc3339(), text);
            assert_eq!(at(text).to_jiff().to_string(), text);
        }
        assert_eq!(at("2026-01-01T01:00:00.5+01:00").to_rfc3339(), "2026-01-01T00:00:00.500Z");
        assert_eq!(at("2026-01-01T00:00:00.1239Z").to_rfc3339_millis(), "2026-01-01T00:00:00.123Z");
    }

    #[test]
    fn refuses_what_is_no_rfc3339() {
        for text in [
            "yesterday",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-13-01T00:00:00Z",
            "",
            "2026-01-01T00:00:00Z[UTC]",
            "9999-01-01T00:00:00Z",
        ] {
            assert_eq!(Timestamp::from_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn float_seconds_round_to_microseconds() {
        assert_eq!(
            Timestamp::from_seconds(1_729_012_418.123).unwrap().to_rfc3339(),
            "2024-10-15T17:13:38.123Z"
        );
        assert_eq!(Timestamp::from_seconds(f64::NAN), None);
        assert_eq!(Timestamp::from_seconds(1.5).unwrap().seconds(), 1.5);
    }

    #[test]
    fn words_for_moments() {
        let now = at("2026-05-20T15:30:00Z");
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let read = |text: &str| Timestamp::from_words(text, now, &zone).map(Timestamp::to_rfc3339);
        assert_eq!(read("14:00").unwrap(), "2026-05-20T12:00:00Z");
        assert_eq!(read("yesterday").unwrap(), "2026-05-18T22:00:00Z");
        assert_eq!(read("last week").unwrap(), "2026-05-13T15:30:00Z");
        assert_eq!(read("2h").unwrap(), "2026-05-20T13:30:00Z");
        assert_eq!(read("2026-05-01").unwrap(), "2026-04-30T22:00:00Z");
        assert_eq!(read("2026-05-01 08:00").unwrap(), "2026-05-01T06:00:00Z");
        assert_eq!(read("2026-05-01T08:00:00Z").unwrap(), "2026-05-01T08:00:00Z");
        for nonsense in ["whenever", "", "h", "12x", "25:00"] {
            assert_eq!(read(nonsense), None, "{nonsense}");
        }
        assert_eq!(parse_duration_ns("250ms"), Some(250_000_000));
        assert_eq!(parse_duration_ns("7d"), Some(7 * 86_400 * NANOS_PER_SECOND));
    }
}
