//! Edits a JSON text in place: what is not edited keeps every byte.
//!
//! Settings files are written by people. Parsing and printing one again would lose its layout, so the
//! structure is located (`outline`), and the text is spliced at the places found.

use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};
use std::ops::Range;

/// A value and the bytes that it takes.
#[derive(Debug)]
pub struct Node {
    pub span: Range<usize>,
    pub kind: Kind,
}

#[derive(Debug)]
pub enum Kind {
    Object(Vec<Member>),
    Array(Vec<Node>),
    Scalar,
}

#[derive(Debug)]
pub struct Member {
    pub key: String,
    /// From the key's opening quote to the end of the value.
    pub span: Range<usize>,
    pub value: Node,
}

impl Node {
    /// The member that a JSON parser would keep: of equal keys, the last.
    pub fn member(&self, key: &str) -> Option<(usize, &Node)> {
        let Kind::Object(members) = &self.kind else { return None };
        members
            .iter()
            .enumerate()
            .rev()
            .find(|(_, member)| member.key == key)
            .map(|(at, member)| (at, &member.value))
    }

    pub fn elements(&self) -> &[Node] {
        match &self.kind {
            Kind::Array(elements) => elements,
            _ => &[],
        }
    }

    pub fn value(&self, text: &str) -> Value {
        serde_json::from_str(&text[self.span.clone()]).expect("the outline of valid JSON")
    }

    fn children(&self) -> Vec<Range<usize>> {
        match &self.kind {
            Kind::Object(members) => members.iter().map(|member| member.span.clone()).collect(),
            Kind::Array(elements) => elements.iter().map(|element| element.span.clone()).collect(),
            Kind::Scalar => Vec::new(),
        }
    }
}

/// Checks that `text` is JSON and finds where its parts are. A byte order mark is let through.
///
/// # Errors
/// The parser's, with line and column.
pub fn outline(text: &str) -> Result<Node, serde_json::Error> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    // The scanner below trusts its input; this also bounds its depth, at serde_json's limit of 128.
    serde_json::from_str::<Value>(body)?;
    let mut scanner = Scanner { bytes: text.as_bytes(), at: text.len() - body.len() };
    Ok(scanner.value())
}

/// `text` with one more member at the end of `object`.
pub fn insert_member(text: &str, object: &Node, key: &str, value: &Value) -> String {
    insert(text, object, Some(key), value)
}

/// `text` with one more element at the end of `array`.
pub fn append_element(text: &str, array: &Node, value: &Value) -> String {
    insert(text, array, None, value)
}

/// `text` without the child at `index` of an object or array: the inverse of the insertions.
pub fn remove_child(text: &str, container: &Node, index: usize) -> String {
    let children = container.children();
    let gone = match (index, children.len()) {
        (0, 1) => container.span.start + 1..container.span.end - 1,
        (0, _) => children[0].start..children[1].start,
        _ => children[index - 1].end..children[index].end,
    };
    format!("{}{}", &text[..gone.start], &text[gone.end..])
}

fn insert(text: &str, container: &Node, key: Option<&str>, value: &Value) -> String {
    let layout = Layout::of(text);
    let children = container.children();
    let Some(last) = children.last() else {
        let inside = container.span.start + 1..container.span.end - 1;
        let child = match &layout.unit {
            None => layout.inline(key, value),
            Some(unit) => {
                let outer = line_indent(text, container.span.start);
                let inner = format!("{outer}{unit}");
                let child = layout.block(key, value, &inner, unit);
                format!("{}{inner}{child}{}{outer}", layout.newline, layout.newline)
            }
        };
        return format!("{}{child}{}", &text[..inside.start], &text[inside.end..]);
    };
    let before_last = children.len().checked_sub(2).map_or(container.span.start + 1, |at| children[at].end);
    let gap = &text[before_last..last.start];
    let child = match (gap.rsplit_once('\n'), &layout.unit) {
        (Some((_, indent)), Some(unit)) => {
            format!(",{}{indent}{}", layout.newline, layout.block(key, value, indent, unit))
        }
        _ => format!(",{}{}", layout.space, layout.inline(key, value)),
    };
    format!("{}{child}{}", &text[..last.end], &text[last.end..])
}

/// How the file is written, so that what is added looks like the rest.
struct Layout {
    newline: &'static str,
    /// One level of indentation; `None` when all is on one line.
    unit: Option<String>,
    /// What follows a comma or colon on one line.
    space: &'static str,
}

impl Layout {
    fn of(text: &str) -> Layout {
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let body = text.trim();
        let one_line = !body.contains('\n') && body.len() > 2;
        let indented = body.lines().skip(1).map(leading_blanks).find(|blanks| !blanks.is_empty());
        let unit = (!one_line).then(|| indented.unwrap_or("  ").to_owned());
        let space = if one_line && !body.contains("\": ") { "" } else { " " };
        Layout { newline, unit, space }
    }

    fn block(&self, key: Option<&str>, value: &Value, indent: &str, unit: &str) -> String {
        let mut bytes = Vec::new();
        let mut serializer =
            Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(unit.as_bytes()));
        serde::Serialize::serialize(value, &mut serializer).expect("a value becomes text");
        let pretty = String::from_utf8(bytes).expect("JSON is UTF-8");
        // Newlines inside strings are escaped, so every raw one is layout.
        let value = pretty.replace('\n', &format!("{}{indent}", self.newline));
        key.map_or_else(|| value.clone(), |key| format!("{}: {value}", Value::from(key)))
    }

    fn inline(&self, key: Option<&str>, value: &Value) -> String {
        let value = match value {
            Value::Object(members) => {
                let members: Vec<_> =
                    members.iter().map(|(key, value)| self.inline(Some(key), value)).collect();
                format!("{{{}}}", members.join(&format!(",{}", self.space)))
            }
            Value::Array(elements) => {
                let elements: Vec<_> = elements.iter().map(|value| self.inline(None, value)).collect();
                format!("[{}]", elements.join(&format!(",{}", self.space)))
            }
            scalar => scalar.to_string(),
        };
        key.map_or_else(|| value.clone(), |key| format!("{}:{}{value}", Value::from(key), self.space))
    }
}

fn leading_blanks(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

fn line_indent(text: &str, at: usize) -> &str {
    leading_blanks(&text[text[..at].rfind('\n').map_or(0, |newline| newline + 1)..at])
}

/// Walks text that a parser has accepted.
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn value(&mut self) -> Node {
        self.skip_blanks();
        let start = self.at;
        let kind = match self.bytes[start] {
            b'{' => Kind::Object(self.children(b'}', Scanner::member)),
            b'[' => Kind::Array(self.children(b']', Scanner::value)),
            b'"' => {
                self.string();
                Kind::Scalar
            }
            _ => {
                while self.at < self.bytes.len() && !b",]} \t\r\n".contains(&self.bytes[self.at]) {
                    self.at += 1;
                }
                Kind::Scalar
            }
        };
        Node { span: start..self.at, kind }
    }

    fn children<T>(&mut self, close: u8, mut child: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let mut children = Vec::new();
        self.at += 1;
        loop {
            self.skip_blanks();
            match self.bytes[self.at] {
                byte if byte == close => break,
                b',' => self.at += 1,
                _ => children.push(child(self)),
            }
        }
        self.at += 1;
        children
    }

    fn member(&mut self) -> Member {
        let start = self.at;
        self.string();
        let key = serde_json::from_slice(&self.bytes[start..self.at]).expect("a JSON string");
        self.skip_blanks();
        self.at += 1;
        let value = self.value();
        Member { key, span: start..self.at, value }
    }

    fn string(&mut self) {
        self.at += 1;
        while self.bytes[self.at] != b'"' {
            self.at += if self.bytes[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
    }

    fn skip_blanks(&mut self) {
        while self.at < self.bytes.len() && self.bytes[self.at].is_ascii_whitespace() {
            self.at += 1;
        }
    }
}
