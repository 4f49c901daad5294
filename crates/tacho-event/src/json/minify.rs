use thiserror::Error;

/// Why a text is not the JSON that is accepted. Offsets are in bytes from the start of the input.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum JsonError {
    #[error("not UTF-8 at byte {0}")]
    Utf8(usize),
    #[error("the text ends at byte {0}, in the middle of a value")]
    Incomplete(usize),
    #[error("unexpected {1:?} at byte {0}")]
    Unexpected(usize, char),
    #[error("a control character stands unescaped in a string, at byte {0}")]
    Control(usize),
    #[error("a bad escape in a string, at byte {0}")]
    Escape(usize),
    #[error("a bad number at byte {0}")]
    Number(usize),
    #[error("nested deeper than {1} levels, at byte {0}")]
    Depth(usize, usize),
}

/// Checks that `input` is one JSON text of at most `depth` levels, and appends it minified to `out`.
pub fn minify(input: &[u8], depth: usize, out: &mut Vec<u8>) -> Result<(), JsonError> {
    let consumed = minify_next(input, depth, out)?;
    match input[consumed..].iter().position(|byte| !is_space(*byte)) {
        None => Ok(()),
        Some(at) => Err(unexpected(input, consumed + at)),
    }
}

/// As [`minify`], for the first of several texts that follow each other. Returns where it ended.
pub fn minify_next(input: &[u8], depth: usize, out: &mut Vec<u8>) -> Result<usize, JsonError> {
    std::str::from_utf8(input).map_err(|error| JsonError::Utf8(error.valid_up_to()))?;
    out.reserve(input.len());
    let mut minifier = Minifier { input, at: 0, run: 0, depth, out };
    minifier.skip_space();
    minifier.value(0)?;
    minifier.flush();
    Ok(minifier.at)
}

/// As [`minify`], for any number of texts that follow each other, as in JSON Lines; appends them with a
/// comma between and returns how many there are.
pub fn minify_sequence(input: &[u8], depth: usize, out: &mut Vec<u8>) -> Result<usize, JsonError> {
    std::str::from_utf8(input).map_err(|error| JsonError::Utf8(error.valid_up_to()))?;
    out.reserve(input.len());
    let mut minifier = Minifier { input, at: 0, run: 0, depth, out };
    let mut count = 0;
    loop {
        minifier.skip_space();
        if minifier.at == input.len() {
            return Ok(count);
        }
        if count > 0 {
            minifier.out.push(b',');
        }
        minifier.value(0)?;
        minifier.flush();
        count += 1;
    }
}

struct Minifier<'a> {
    input: &'a [u8],
    at: usize,
    /// Start of the bytes that are accepted but not yet copied.
    run: usize,
    depth: usize,
    out: &'a mut Vec<u8>,
}

impl Minifier<'_> {
    fn value(&mut self, level: usize) -> Result<(), JsonError> {
        match self.peek()? {
            b'"' => self.string(),
            b'{' => self.object(level + 1),
            b'[' => self.array(level + 1),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            b'-' | b'0'..=b'9' => self.number(),
            _ => Err(unexpected(self.input, self.at)),
        }
    }

    fn object(&mut self, level: usize) -> Result<(), JsonError> {
        self.enter(level)?;
        if self.peek()? == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek()? != b'"' {
                return Err(unexpected(self.input, self.at));
            }
            self.string()?;
            self.skip_space();
            if self.peek()? != b':' {
                return Err(unexpected(self.input, self.at));
            }
            self.at += 1;
            self.skip_space();
            self.value(level)?;
            if self.ends_with(b'}')? {
                return Ok(());
            }
        }
    }

    fn array(&mut self, level: usize) -> Result<(), JsonError> {
        self.enter(level)?;
        if self.peek()? == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(level)?;
            if self.ends_with(b']')? {
                return Ok(());
            }
        }
    }

    fn enter(&mut self, level: usize) -> Result<(), JsonError> {
        if level > self.depth {
            return Err(JsonError::Depth(self.at, self.depth));
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    /// After an element: true at `close`, false after a comma.
    fn ends_with(&mut self, close: u8) -> Result<bool, JsonError> {
        self.skip_space();
        let byte = self.peek()?;
        if byte != close && byte != b',' {
            return Err(unexpected(self.input, self.at));
        }
        self.at += 1;
        if byte == b',' {
            self.skip_space();
        }
        Ok(byte == close)
    }

    fn string(&mut self) -> Result<(), JsonError> {
        let opened = self.at;
        self.at += 1;
        loop {
            self.at += plain_prefix(&self.input[self.at..]);
            match self.input.get(self.at) {
                None => return Err(JsonError::Incomplete(self.input.len())),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape(opened)?,
                Some(_) => return Err(JsonError::Control(self.at)),
            }
        }
    }

    fn escape(&mut self, opened: usize) -> Result<(), JsonError> {
        let rest = &self.input[self.at + 1..];
        let length = match rest.first() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') if rest.len() < 5 => return Err(JsonError::Incomplete(self.input.len())),
            Some(b'u') if rest[1..5].iter().all(u8::is_ascii_hexdigit) => 6,
            None => return Err(JsonError::Incomplete(opened)),
            Some(_) => return Err(JsonError::Escape(self.at)),
        };
        self.at += length;
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        if self.input[self.at] == b'-' {
            self.at += 1;
        }
        let integer = self.digits();
        let leading_zero = integer > 1 && self.input[self.at - integer] == b'0';
        if integer == 0 || leading_zero {
            return Err(JsonError::Number(start));
        }
        if self.input.get(self.at) == Some(&b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(JsonError::Number(start));
            }
        }
        if matches!(self.input.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.input.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(JsonError::Number(start));
            }
        }
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let count = self.input[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), JsonError> {
        if !self.input[self.at..].starts_with(word) {
            return Err(unexpected(self.input, self.at));
        }
        self.at += word.len();
        Ok(())
    }

    #[inline]
    fn peek(&self) -> Result<u8, JsonError> {
        self.input.get(self.at).copied().ok_or(JsonError::Incomplete(self.input.len()))
    }

    #[inline]
    fn skip_space(&mut self) {
        if !self.input.get(self.at).is_some_and(|byte| is_space(*byte)) {
            return;
        }
        self.flush();
        while self.input.get(self.at).is_some_and(|byte| is_space(*byte)) {
            self.at += 1;
        }
        self.run = self.at;
    }

    fn flush(&mut self) {
        self.out.extend_from_slice(&self.input[self.run..self.at]);
        self.run = self.at;
    }
}

/// How many bytes from the start are neither quote, backslash nor control character.
#[inline]
pub(super) fn plain_prefix(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let special = special_bytes(u64::from_le_bytes(*word));
        if special != 0 {
            return index * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let is_special = |byte: &&u8| **byte < 0x20 || **byte == b'"' || **byte == b'\\';
    words.len() * 8 + rest.iter().take_while(|byte| !is_special(byte)).count()
}

/// The high bit of each byte that is a control character, a quote or a backslash; bits behind the lowest that is set
/// mean nothing, for a subtraction borrows from them.
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    let equals = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | equals(b'"') | equals(b'\\')) & (ONES << 7)
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

fn unexpected(input: &[u8], at: usize) -> JsonError {
    let character = std::str::from_utf8(&input[at..]).ok().and_then(|rest| rest.chars().next());
    character.map_or(JsonError::Incomplete(at), |found| JsonError::Unexpected(at, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str) -> Result<String, JsonError> {
        let mut out = Vec::new();
        minify(input.as_bytes(), 3, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn drops_white_space_and_nothing_else() {
        assert_eq!(
            check(" { \"a\" : [ 1.50 , -0e+2, \"x y\\n\" ] } ").unwrap(),
            r#"{"a":[1.50,-0e+2,"x y\n"]}"#
        );
        assert_eq!(check("[ ]").unwrap(), "[]");
        assert_eq!(check("\"long enough for a whole vector of bytes \\u00e9\"").unwrap().len(), 48);
    }

    #[test]
    fn a_plain_prefix_ends_at_the_first_special_byte() {
        for byte in 0..=255u8 {
            for at in 0..20 {
                let mut bytes = [b'a'; 20];
                bytes[at] = byte;
                let is_special = byte < 0x20 || byte == b'"' || byte == b'\\';
                assert_eq!(plain_prefix(&bytes), if is_special { at } else { 20 }, "{byte} at {at}");
                bytes[19] = b'"';
                assert_eq!(plain_prefix(&bytes), if is_special { at } else { 19 }, "{byte} at {at}");
            }
        }
    }

    #[test]
    fn texts_that_follow_each_other() {
        let mut out = Vec::new();
        assert_eq!(minify_sequence(b" {\"a\": 1}\n[2] 3{} \n", 3, &mut out), Ok(4));
        assert_eq!(out, br#"{"a":1},[2],3,{}"#);
        assert_eq!(minify_sequence(b" \n", 3, &mut out), Ok(0));
        assert_eq!(minify_sequence(b"{} {", 3, &mut out), Err(JsonError::Incomplete(4)));
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        assert_eq!(check("[1,]"), Err(JsonError::Unexpected(3, ']')));
        assert_eq!(check("{\"a\" 1}"), Err(JsonError::Unexpected(5, '1')));
        assert_eq!(check("[1] x"), Err(JsonError::Unexpected(4, 'x')));
        assert_eq!(check("\"a\nb\""), Err(JsonError::Control(2)));
        assert_eq!(check(r#""\x""#), Err(JsonError::Escape(1)));
        assert_eq!(check("01"), Err(JsonError::Number(0)));
        assert_eq!(check("1."), Err(JsonError::Number(0)));
        assert_eq!(check("[[[[1]]]]"), Err(JsonError::Depth(3, 3)));
        assert_eq!(check(""), Err(JsonError::Incomplete(0)));
        assert_eq!(check("{\"a\":tru"), Err(JsonError::Unexpected(5, 't')));
    }
}
