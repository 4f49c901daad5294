//! A shell's command line → its words and what joins them.
//!
//! Enough of POSIX's shell grammar to tell a program's name from a text that only mentions it: quotes, escapes,
//! comments, redirections, here-documents, substitutions. Nothing is expanded; a substitution stays in its
//! word as it is written. One pass from left to right, whatever comes in.

use tacho_event::head;

/// What is looked at of a command line, in bytes; agents write scripts into it.
const LINE_BYTES: usize = 64 * 1024;
/// Words and joints; what stands behind is not looked at.
const TOKENS: usize = 4_096;
/// Substitutions inside substitutions; a deeper one ends the line.
const DEPTH: usize = 16;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    Joint(Joint),
}

/// What stands between two commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    /// `&&`
    And,
    /// `||`
    Or,
    /// `|`, `|&`
    Pipe,
    /// `;`, `&`, a parenthesis or a line's end: the next command runs whatever became of this one.
    Next,
}

pub(super) fn tokens(line: &str) -> Vec<Token> {
    let mut scanner = Scanner { bytes: head(line, LINE_BYTES).as_bytes(), at: 0, documents: Vec::new() };
    let mut tokens = Vec::new();
    let mut word = Word::default();
    while let Some(byte) = scanner.next() {
        if tokens.len() >= TOKENS {
            break;
        }
        scanner.step(byte, &mut word, &mut tokens);
    }
    word.end(&mut tokens);
    tokens
}

/// The word that is being read.
#[derive(Default)]
struct Word {
    bytes: Vec<u8>,
    /// Whether anything began it; `''` is a word too.
    begun: bool,
    /// Whether it is a redirection's target, which is no argument.
    is_target: bool,
}

impl Word {
    fn push(&mut self, bytes: &[u8]) {
        self.begun = true;
        self.bytes.extend_from_slice(bytes);
    }

    fn end(&mut self, tokens: &mut Vec<Token>) {
        if std::mem::take(&mut self.begun) {
            let bytes = std::mem::take(&mut self.bytes);
            if !std::mem::take(&mut self.is_target) {
                tokens.push(Token::Word(String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
    }

    fn join(&mut self, joint: Joint, tokens: &mut Vec<Token>) {
        self.end(tokens);
        self.is_target = false;
        tokens.push(Token::Joint(joint));
    }
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Ends of here-documents whose text begins with the next line, and whether tabs before them count not.
    documents: Vec<(Vec<u8>, bool)>,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn skip_if(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn step(&mut self, byte: u8, word: &mut Word, tokens: &mut Vec<Token>) {
        match byte {
            b' ' | b'\t' | b'\r' => word.end(tokens),
            b'\n' => {
                word.join(Joint::Next, tokens);
                self.skip_documents();
            }
            b'#' if !word.begun => self.skip_while(|byte| byte != b'\n'),
            b'\\' => match self.next() {
                Some(b'\n') | None => {}
                Some(byte) => word.push(&[byte]),
            },
            b'\'' | b'"' | b'`' => self.quoted(byte, word),
            b'$' if self.peek() == Some(b'(') => {
                let from = self.at - 1;
                self.at += 1;
                self.skip_substitution(0);
                word.push(&self.bytes[from..self.at]);
            }
            b'&' if self.peek() == Some(b'>') => {
                word.end(tokens);
                self.at += 1;
                self.redirect(word);
            }
            b'&' if self.skip_if(b'&') => word.join(Joint::And, tokens),
            b'|' if self.skip_if(b'|') => word.join(Joint::Or, tokens),
            b'|' => {
                self.skip_if(b'&');
                word.join(Joint::Pipe, tokens);
            }
            b'&' | b';' | b'(' | b')' => word.join(Joint::Next, tokens),
            b'<' | b'>' => {
                // Digits before it name a file descriptor.
                if word.bytes.iter().all(u8::is_ascii_digit) {
                    *word = Word::default();
                }
                word.end(tokens);
                if byte == b'<' && self.peek() == Some(b'<') {
                    self.document(word)
                } else {
                    self.redirect(word)
                }
            }
            _ => word.push(&[byte]),
        }
    }

    /// What follows names a file or a descriptor.
    fn redirect(&mut self, word: &mut Word) {
        while matches!(self.peek(), Some(b'<' | b'>' | b'&' | b'|')) {
            self.at += 1;
        }
        word.is_target = true;
    }

    /// `<<END`, `<<-'END'`, or `<<< text`; the first `<` is behind us.
    fn document(&mut self, word: &mut Word) {
        self.at += 1;
        if self.skip_if(b'<') {
            word.is_target = true;
            return;
        }
        let is_indented = self.skip_if(b'-');
        self.skip_while(|byte| byte == b' ' || byte == b'\t');
        let mut end = Vec::new();
        while let Some(byte) = self.peek().filter(|byte| !b" \t\n;|&<>()".contains(byte)) {
            self.at += 1;
            if !b"'\"\\".contains(&byte) {
                end.push(byte);
            }
        }
        // Many documents on one line are no program that we know.
        if !end.is_empty() && self.documents.len() < DEPTH {
            self.documents.push((end, is_indented));
        }
    }

    /// Skips the texts of the here-documents that were announced; we stand at a line's beginning.
    fn skip_documents(&mut self) {
        for (end, is_indented) in std::mem::take(&mut self.documents) {
            while self.at < self.bytes.len() {
                let rest = &self.bytes[self.at..];
                let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                self.at += (length + 1).min(rest.len());
                let line = rest[..length].strip_suffix(b"\r").unwrap_or(&rest[..length]);
                let line = if is_indented { trim_tabs(line) } else { line };
                if line == end {
                    break;
                }
            }
        }
    }

    /// The rest of what a quote opened.
    fn quoted(&mut self, quote: u8, word: &mut Word) {
        word.begun = true;
        if quote == b'`' {
            word.push(b"`");
        }
        while let Some(byte) = self.next() {
            match byte {
                _ if byte == quote => break,
                b'\\' if quote != b'\'' => match self.next() {
                    Some(b'\n') | None => {}
                    Some(escaped) if b"\"\\$`".contains(&escaped) => word.push(&[escaped]),
                    Some(other) => word.push(&[b'\\', other]),
                },
                b'$' if quote == b'"' && self.peek() == Some(b'(') => {
                    let from = self.at - 1;
                    self.at += 1;
                    self.skip_substitution(0);
                    word.push(&self.bytes[from..self.at]);
                }
                _ => word.push(&[byte]),
            }
        }
    }

    /// Moves behind the parenthesis that closes a substitution; here-documents inside may hold anything.
    fn skip_substitution(&mut self, depth: usize) {
        if depth >= DEPTH {
            self.at = self.bytes.len();
            return;
        }
        let outside = std::mem::take(&mut self.documents);
        let mut open = 1;
        while let Some(byte) = self.next() {
            match byte {
                b'(' => open += 1,
                b')' => open -= 1,
                b'\\' => self.at = (self.at + 1).min(self.bytes.len()),
                b'\'' => {
                    self.skip_while(|byte| byte != b'\'');
                    self.skip_if(b'\'');
                }
                b'"' => self.skip_double_quoted(depth),
                b'<' if self.peek() == Some(b'<') => self.document(&mut Word::default()),
                b'\n' => self.skip_documents(),
                _ => {}
            }
            if open == 0 {
                break;
            }
        }
        self.documents = outside;
    }

    fn skip_double_quoted(&mut self, depth: usize) {
        while let Some(byte) = self.next() {
            match byte {
                b'"' => break,
                b'\\' => self.at = (self.at + 1).min(self.bytes.len()),
                b'$' if self.skip_if(b'(') => self.skip_substitution(depth + 1),
                _ => {}
            }
        }
    }

    fn skip_while(&mut self, goes_on: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&goes_on) {
            self.at += 1;
        }
    }
}

fn trim_tabs(line: &[u8]) -> &[u8] {
    &line[line.iter().take_while(|byte| **byte == b'\t').count()..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(line: &str, expected: Expect) {
        let told: Vec<String> = tokens(line)
            .into_iter()
            .map(|token| match token {
                Token::Word(word) => format!("[{word}]"),
                Token::Joint(joint) => format!("{joint:?}"),
            })
            .collect();
        expected.assert_eq(&told.join(" "));
    }

    #[test]
    fn words_and_joints() {
        check(
            "cd x && A=1 pytest -k 'a b' | tail -5; true",
            expect!["[cd] [x] And [A=1] [pytest] [-k] [a b] Pipe [tail] [-5] Next [true]"],
        );
        check(r#"a "b \"c\" $d" e\ f '' # no more"#, expect![[r#"[a] [b "c" $d] [e f] []"#]]);
        check("(a || b) & c\nd", expect!["Next [a] Or [b] Next Next [c] Next [d]"]);
    }

    #[test]
    fn redirections_are_no_arguments() {
        check("npm test > out.txt 2>&1 < in 2>/dev/null && x &> all", expect!["[npm] [test] And [x]"]);
        check("grep a <<< 'pytest' | b |& c", expect!["[grep] [a] Pipe [b] Pipe [c]"]);
    }

    #[test]
    fn what_a_text_mentions_is_no_command() {
        check(
            "cat > run.sh <<'EOF' && chmod +x run.sh\npytest\nEOF\nls",
            expect!["[cat] And [chmod] [+x] [run.sh] Next [ls]"],
        );
        check("cat <<-X\n\tgit commit (\n\tX\nls", expect!["[cat] Next [ls]"]);
        check(
            "git commit -m \"$(cat <<'EOF'\nfix: it's (done\n\nAnd \"more\"\nEOF\n)\" && ls",
            expect![[r#"
            [git] [commit] [-m] [$(cat <<'EOF'
            fix: it's (done

            And "more"
            EOF
            )] And [ls]"#]],
        );
    }

    #[test]
    fn what_is_not_closed_ends_with_the_line() {
        for line in ["a 'b", "a \"b", "a $(b", "a `b", "a <<X\nb", "a \\", "$(\"$(", "<<", ">", "&"] {
            tokens(line);
        }
        assert!(tokens(&"$(\"".repeat(30_000)).len() <= 2);
        assert_eq!(tokens(&"a ".repeat(100_000)).len(), TOKENS);
    }
}
