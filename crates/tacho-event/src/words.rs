//! The words of an event, for full text: what is indexed, and what a search compares with.

use crate::json;

/// Words of one event that can be found; those after them cannot. A limit, so that one large
/// payload does not cost what a thousand small ones do.
pub const MAX_WORDS: usize = 2000;

/// Bytes of a word that count; longer words are cut here, in the index and in the search alike.
pub const MAX_WORD_BYTES: usize = 40;

/// Calls `visit` with each word of `text` in lower case: runs of letters and digits of any script.
/// Stops when `visit` answers false, and answers whether it went through.
pub fn words(text: &str, visit: &mut impl FnMut(&str) -> bool) -> bool {
    let mut word = Word { bytes: [0; MAX_WORD_BYTES], length: 0, any: false };
    let mut rest = text;
    loop {
        // Most text is ASCII, and most of that is letters: a run is taken as one piece.
        let run = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        word.push_ascii(&rest.as_bytes()[..run]);
        rest = &rest[run..];
        let Some(character) = rest.chars().next() else { break };
        rest = &rest[character.len_utf8()..];
        if character.is_alphanumeric() {
            character.to_lowercase().for_each(|lower| word.push(lower));
        } else if !word.end(visit) {
            return false;
        }
    }
    word.end(visit)
}

/// A word being read, in lower case; what goes beyond the limit is left out.
struct Word {
    bytes: [u8; MAX_WORD_BYTES],
    length: usize,
    any: bool,
}

impl Word {
    fn push_ascii(&mut self, run: &[u8]) {
        let fits = run.len().min(MAX_WORD_BYTES - self.length);
        let place = &mut self.bytes[self.length..self.length + fits];
        place.copy_from_slice(&run[..fits]);
        place.make_ascii_lowercase();
        self.length += fits;
        self.any |= !run.is_empty();
    }

    fn push(&mut self, lower: char) {
        self.any = true;
        let size = lower.len_utf8();
        if self.length + size <= MAX_WORD_BYTES {
            lower.encode_utf8(&mut self.bytes[self.length..]);
            self.length += size;
        }
    }

    /// Hands the word over, if there is one, and starts the next.
    fn end(&mut self, visit: &mut impl FnMut(&str) -> bool) -> bool {
        let (length, any) = (std::mem::take(&mut self.length), std::mem::take(&mut self.any));
        !any || visit(std::str::from_utf8(&self.bytes[..length]).unwrap_or_default())
    }
}

/// Calls `visit` with the words of an event: of its type, its actor and the values of its payload, in
/// that order, at most [`MAX_WORDS`].
pub fn event_words(event: &crate::Recorded, visit: &mut impl FnMut(&str)) {
    let mut left = MAX_WORDS;
    let mut bounded = |word: &str| {
        visit(word);
        left -= 1;
        left > 0
    };
    if !words(event.kind(), &mut bounded) {
        return;
    }
    for (name, value) in event.attributes() {
        let through = match name {
            b"actorid" | b"actormodel" => words(&json::text(value), &mut bounded),
            b"data" => {
                let mut through = true;
                json::strings(value, &mut |text| {
                    through = words(&json::text(text), &mut bounded);
                    through
                });
                through
            }
            _ => true,
        };
        if !through {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_and_folds_case() {
        let mut seen = Vec::new();
        assert!(words("Don't re-run tests_PASSED ÉTÉ 3.14", &mut |word| {
            seen.push(word.to_owned());
            true
        }));
        assert_eq!(seen, ["don", "t", "re", "run", "tests", "passed", "été", "3", "14"]);
    }

    /// The definition, a character at a time.
    fn plainly(text: &str) -> Vec<String> {
        let mut found = vec![String::new()];
        for character in text.chars() {
            match found.last_mut() {
                Some(word) if character.is_alphanumeric() => {
                    let fitting = character.to_lowercase().filter(|lower| {
                        let fits = word.len() + lower.len_utf8() <= MAX_WORD_BYTES;
                        if fits {
                            word.push(*lower);
                        }
                        fits
                    });
                    fitting.for_each(drop);
                }
                _ => found.push(String::new()),
            }
        }
        found.retain(|word| !word.is_empty());
        found
    }

    #[test]
    fn runs_of_ascii_make_no_difference() {
        let alphabet: Vec<char> = "aZ9bQ _-.éİßǅ中🚀Ω\n".chars().collect();
        let mut state = 7usize;
        for length in 0..400 {
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                alphabet[(state >> 33) % if length % 2 == 0 { 5 } else { alphabet.len() }]
            };
            let text: String = (0..length).map(|_| next()).collect();
            let mut seen = Vec::new();
            words(&text, &mut |word| {
                seen.push(word.to_owned());
                true
            });
            assert_eq!(seen, plainly(&text), "{text:?}");
        }
    }

    #[test]
    fn a_long_word_is_cut() {
        words(&"x".repeat(100), &mut |word| {
            assert_eq!(word.len(), MAX_WORD_BYTES);
            true
        });
    }
}
