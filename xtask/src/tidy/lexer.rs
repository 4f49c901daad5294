//! Tells code, comments and strings apart, well enough for rules that look at words and braces.

use super::source::Language;

/// `(code, comments)`, both as long as the text, with the rest blanked. Line ends stay in both.
pub fn split(text: &str, language: Language) -> (String, String) {
    let mut lexer = Lexer { bytes: text.as_bytes(), at: 0, code: Vec::new(), comments: Vec::new() };
    while lexer.at < lexer.bytes.len() {
        lexer.step(language);
    }
    let readable = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (readable(lexer.code), readable(lexer.comments))
}

struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    code: Vec<u8>,
    comments: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Code,
    Comment,
    Text,
}

impl Lexer<'_> {
    fn step(&mut self, language: Language) {
        match language {
            Language::Rust => self.step_rust(),
            Language::Script | Language::Svelte => self.step_script(language == Language::Svelte),
            Language::Python => self.step_python(),
        }
    }

    fn step_rust(&mut self) {
        let previous_is_name =
            self.previous().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if self.starts("//") {
            self.line_comment();
        } else if self.starts("/*") {
            self.block_comment("/*", "*/");
        } else if let (false, Some(length)) = (previous_is_name, self.raw_string_length()) {
            self.take(Part::Text, length);
        } else if self.starts("\"") {
            self.quoted(b'"', true);
        } else if self.starts("'") {
            match self.character_length() {
                Some(length) => self.take(Part::Text, length),
                None => self.take(Part::Code, 1),
            }
        } else {
            self.take(Part::Code, 1);
        }
    }

    fn step_script(&mut self, markup: bool) {
        if self.starts("//") && self.previous() != Some(b':') {
            self.line_comment();
        } else if self.starts("/*") {
            self.block_comment("/*", "*/");
        } else if self.starts("<!--") {
            self.block_comment("<!--", "-->");
        } else if self.starts("`") {
            self.quoted(b'`', true);
        } else if self.starts("\"") || (self.starts("'") && !(markup && self.previous_is_letter())) {
            self.quoted(self.bytes[self.at], false);
        } else if self.starts("/") && self.expects_value() {
            self.quoted(b'/', false);
        } else {
            self.take(Part::Code, 1);
        }
    }

    fn step_python(&mut self) {
        if self.starts("#") {
            self.line_comment();
        } else if self.starts("\"\"\"") || self.starts("'''") {
            let quote = &self.bytes[self.at..self.at + 3];
            let end = find(&self.bytes[self.at + 3..], quote).map_or(self.bytes.len(), |i| self.at + i + 6);
            self.take(Part::Text, end - self.at);
        } else if self.starts("\"") || self.starts("'") {
            self.quoted(self.bytes[self.at], false);
        } else {
            self.take(Part::Code, 1);
        }
    }

    fn starts(&self, prefix: &str) -> bool {
        self.bytes[self.at..].starts_with(prefix.as_bytes())
    }

    fn previous(&self) -> Option<u8> {
        self.at.checked_sub(1).map(|index| self.bytes[index])
    }

    fn previous_is_letter(&self) -> bool {
        self.previous().is_some_and(|byte| byte.is_ascii_alphanumeric())
    }

    /// Whether a `/` here begins a regular expression, not a division.
    fn expects_value(&self) -> bool {
        let before = self.code.iter().rev().find(|byte| **byte != b' ');
        before.is_some_and(|byte| b"(,=:[!&|?;".contains(byte))
    }

    fn take(&mut self, part: Part, length: usize) {
        let end = (self.at + length).min(self.bytes.len());
        for &byte in &self.bytes[self.at..end] {
            let blank = if byte == b'\n' { b'\n' } else { b' ' };
            self.code.push(if part == Part::Code && byte.is_ascii() { byte } else { blank });
            self.comments.push(if part == Part::Comment && byte.is_ascii() { byte } else { blank });
        }
        self.at = end;
    }

    fn line_comment(&mut self) {
        let length = self.bytes[self.at..].iter().position(|byte| *byte == b'\n');
        self.take(Part::Comment, length.unwrap_or(self.bytes.len() - self.at));
    }

    fn block_comment(&mut self, open: &str, close: &str) {
        let (mut depth, mut end) = (0_usize, self.at);
        while end < self.bytes.len() {
            if self.bytes[end..].starts_with(close.as_bytes()) {
                depth = depth.saturating_sub(1);
                end += close.len();
                if depth == 0 {
                    break;
                }
            } else if self.bytes[end..].starts_with(open.as_bytes()) {
                depth += 1;
                end += open.len();
            } else {
                end += 1;
            }
        }
        self.take(Part::Comment, end - self.at);
    }

    /// A string with backslash escapes; one that may not span lines ends with its line.
    fn quoted(&mut self, quote: u8, spans_lines: bool) {
        let mut end = self.at + 1;
        while end < self.bytes.len() {
            match self.bytes[end] {
                b'\\' => end += 2,
                b'\n' if !spans_lines => break,
                byte => {
                    end += 1;
                    if byte == quote {
                        break;
                    }
                }
            }
        }
        self.take(Part::Text, end - self.at);
    }

    /// The length of `r"…"`, `r#"…"#`, `br"…"`, when one begins here.
    fn raw_string_length(&self) -> Option<usize> {
        let rest = &self.bytes[self.at..];
        let prefix = rest.iter().take_while(|byte| b"bcr".contains(byte)).count();
        if prefix == 0 || prefix > 2 || rest[prefix - 1] != b'r' {
            return None;
        }
        let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
        let open = prefix + hashes;
        if rest.get(open) != Some(&b'"') {
            return None;
        }
        let close = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
        Some(find(&rest[open + 1..], &close).map_or(rest.len(), |end| open + 1 + end + close.len()))
    }

    /// The length of a character literal; None for a lifetime.
    fn character_length(&self) -> Option<usize> {
        let rest = &self.bytes[self.at..];
        if rest.get(1) == Some(&b'\\') {
            return find(rest.get(3..)?, b"'").map(|end| end + 4);
        }
        let text = std::str::from_utf8(&rest[1..rest.len().min(5)])
            .or_else(|error| std::str::from_utf8(&rest[1..1 + error.valid_up_to()]));
        let width = text.ok()?.chars().next()?.len_utf8();
        (rest.get(1 + width) == Some(&b'\'')).then_some(width + 2)
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(language: Language, text: &str, code: &str, comments: &str) {
        let (found_code, found_comments) = split(text, language);
        assert_eq!(found_code.len(), text.len());
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!((squeeze(&found_code), squeeze(&found_comments)), (code.to_owned(), comments.to_owned()));
    }

    #[test]
    fn rust() {
        check(Language::Rust, "let a = \"{ // \\\" }\"; // why", "let a = ;", "// why");
        check(Language::Rust, "x(r#\"a \" { \"#, b\"}\", '{', '\\'', b'\\n') {", "x( , b , , , b ) {", "");
        check(
            Language::Rust,
            "fn f<'a>(x: &'a str) /* a /* b */ c */ {}",
            "fn f<'a>(x: &'a str) {}",
            "/* a /* b */ c */",
        );
        check(Language::Rust, "let é = 'é'; for x in y {}", "let = ; for x in y {}", "");
    }

    #[test]
    fn script() {
        check(Language::Script, "f('{', `a\n${x}`, /[\"'{]/) // c", "f( , , )", "// c");
        check(Language::Script, "a / b / c; fetch(\"http://x\")", "a / b / c; fetch( )", "");
        check(Language::Svelte, "<p>don't</p> <!-- no --> {#if a}", "<p>don't</p> {#if a}", "<!-- no -->");
    }

    #[test]
    fn python() {
        check(Language::Python, "x = '#' # why\n\"\"\"a\n'b'\"\"\"\ny", "x = y", "# why");
    }
}
