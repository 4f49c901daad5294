//! Tickets: each lets one browser in, once, within a minute.

use crate::gate::is_same;
use std::collections::VecDeque;
use std::fmt::Write;
use std::time::{Duration, Instant};

const LIFETIME: Duration = Duration::from_secs(60);
/// Most tickets that are out at once; of more, the oldest no longer count.
const TICKETS_MAX: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Tickets {
    /// The oldest first.
    out: VecDeque<Ticket>,
}

#[derive(Debug)]
struct Ticket {
    text: String,
    /// Where it leads.
    path: String,
    issued: Instant,
}

impl Tickets {
    pub(super) fn issue(&mut self, text: String, path: String, now: Instant) {
        if self.out.len() >= TICKETS_MAX {
            self.out.pop_front();
        }
        self.out.push_back(Ticket { text, path, issued: now });
    }

    /// Where the ticket leads; it is used up then.
    pub(super) fn redeem(&mut self, text: &str, now: Instant) -> Option<String> {
        self.out.retain(|ticket| now.saturating_duration_since(ticket.issued) < LIFETIME);
        let is_it = |ticket: &Ticket| is_same(ticket.text.as_bytes(), text.as_bytes());
        let index = self.out.iter().position(is_it)?;
        self.out.remove(index).map(|ticket| ticket.path)
    }
}

/// 32 random bytes in hexadecimal digits.
pub(super) fn random() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    let mut text = String::with_capacity(64);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_counts_once_and_for_a_minute() {
        let begun = Instant::now();
        let mut tickets = Tickets::default();
        tickets.issue("one".into(), "/".into(), begun);
        tickets.issue("two".into(), "/handlers".into(), begun);
        let soon = begun + Duration::from_secs(59);
        assert_eq!(tickets.redeem("two", soon).as_deref(), Some("/handlers"));
        assert_eq!((tickets.redeem("two", soon), tickets.redeem("", soon)), (None, None));
        assert_eq!(tickets.redeem("one", begun + LIFETIME), None);
    }

    #[test]
    fn only_so_many_are_out() {
        let now = Instant::now();
        let mut tickets = Tickets::default();
        (0..=TICKETS_MAX).for_each(|number| tickets.issue(number.to_string(), "/".into(), now));
        assert_eq!((tickets.redeem("0", now), tickets.out.len()), (None, TICKETS_MAX));
        assert!(tickets.redeem("1", now).is_some());
    }

    #[test]
    fn tickets_cannot_be_guessed() {
        let (one, other) = (random().unwrap(), random().unwrap());
        assert!(one.len() == 64 && one != other);
    }
}
