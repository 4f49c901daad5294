//! YAML as a tree that knows where everything stands, so that a refusal can name a line and a column.

use anyhow::{Result, anyhow, bail};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, StrInput};
use std::path::Path;

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 32;

/// A file's path and what it says.
#[derive(Debug)]
pub struct Document<'a> {
    pub path: &'a Path,
    pub root: Node,
}

#[derive(Debug)]
pub struct Node {
    /// Both 1-based.
    pub line: usize,
    pub column: usize,
    pub holds: Holds,
}

#[derive(Debug)]
pub enum Holds {
    /// Its text; `is_plain` when it is not quoted, so that it may be a number or a flag.
    Scalar {
        text: String,
        is_plain: bool,
    },
    List(Vec<Node>),
    /// Keys in the order of the file; each stands there once.
    Map(Vec<(Node, Node)>),
}

impl<'a> Document<'a> {
    /// Reads the one document of a file.
    pub fn parse(path: &'a Path, text: &str) -> Result<Self> {
        let mut events = Events { path, parser: Parser::new_from_str(text) };
        let root = loop {
            let (event, at) = events.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
                // An empty file.
                Event::StreamEnd => return Ok(Self { path, root: Node::empty() }),
                first => break events.node(first, at, 0)?,
            }
        };
        loop {
            let (event, at) = events.next()?;
            match event {
                Event::StreamEnd => return Ok(Self { path, root }),
                Event::DocumentEnd | Event::Nothing => {}
                _ => return Err(refuse(path, place(at), "one document is read, and here begins another")),
            }
        }
    }

    /// An error that names the file, the line and the column of a node.
    pub fn refuse(&self, node: &Node, what: impl std::fmt::Display) -> anyhow::Error {
        anyhow!("{}", self.say(node, what))
    }

    /// The same as text.
    pub fn say(&self, node: &Node, what: impl std::fmt::Display) -> String {
        format!("{}:{}:{}: {what}", self.path.display(), node.line, node.column)
    }
}

impl Node {
    fn empty() -> Self {
        Self { line: 1, column: 1, holds: Holds::Scalar { text: String::new(), is_plain: true } }
    }

    /// Keys and values, none of them, in the place of another.
    pub fn of_nothing(place: &Self) -> Self {
        Self { line: place.line, column: place.column, holds: Holds::Map(Vec::new()) }
    }

    /// Whether nothing is written there.
    pub fn is_null(&self) -> bool {
        match &self.holds {
            Holds::Scalar { text, is_plain: true } => {
                matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
            }
            _ => false,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match &self.holds {
            Holds::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    pub fn flag(&self) -> Option<bool> {
        match &self.holds {
            Holds::Scalar { text, is_plain: true } => match text.as_str() {
                "true" | "True" | "TRUE" => Some(true),
                "false" | "False" | "FALSE" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    pub fn number(&self) -> Option<u64> {
        match &self.holds {
            Holds::Scalar { text, is_plain: true } => text.parse().ok(),
            _ => None,
        }
    }

    /// What is found there, for an error.
    pub fn name(&self) -> &'static str {
        match &self.holds {
            _ if self.is_null() => "nothing",
            Holds::Scalar { .. } => "a single value",
            Holds::List(_) => "a list",
            Holds::Map(_) => "keys and values",
        }
    }
}

struct Events<'a, 't> {
    path: &'a Path,
    parser: Parser<'t, StrInput<'t>>,
}

impl<'t> Events<'_, 't> {
    fn next(&mut self) -> Result<(Event<'t>, Marker)> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, span.start)),
            Some(Err(error)) => Err(refuse(self.path, place(*error.marker()), error.info())),
            None => Ok((Event::StreamEnd, Marker::default())),
        }
    }

    fn node(&mut self, event: Event<'t>, at: Marker, depth: usize) -> Result<Node> {
        let (line, column) = place(at);
        if depth > DEPTH_MAX {
            return Err(refuse(self.path, (line, column), format!("nested deeper than {DEPTH_MAX}")));
        }
        let holds = match event {
            Event::Scalar(text, style, _, _) => {
                Holds::Scalar { text: text.into_owned(), is_plain: style == ScalarStyle::Plain }
            }
            Event::SequenceStart(..) => Holds::List(self.list(depth)?),
            Event::MappingStart(..) => Holds::Map(self.map(depth)?),
            Event::Alias(_) => {
                return Err(refuse(self.path, (line, column), "aliases are not read: write the value again"));
            }
            other => bail!("{}:{line}:{column}: a value is missing: {other:?}", self.path.display()),
        };
        Ok(Node { line, column, holds })
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, at) => items.push(self.node(event, at, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Vec<(Node, Node)>> {
        let mut entries: Vec<(Node, Node)> = Vec::new();
        loop {
            let key = match self.next()? {
                (Event::MappingEnd, _) => return Ok(entries),
                (event, at) => self.node(event, at, depth + 1)?,
            };
            let at = (key.line, key.column);
            let Some(name) = key.text() else {
                return Err(refuse(self.path, at, format!("a key is text, not {}", key.name())));
            };
            if let Some((first, _)) = entries.iter().find(|(known, _)| known.text() == Some(name)) {
                let told = format!("`{name}` stands on line {} already", first.line);
                return Err(refuse(self.path, at, told));
            }
            let (event, at) = self.next()?;
            let value = self.node(event, at, depth + 1)?;
            entries.push((key, value));
        }
    }
}

fn place(at: Marker) -> (usize, usize) {
    (at.line(), at.col() + 1)
}

fn refuse(path: &Path, (line, column): (usize, usize), what: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("{}:{line}:{column}: {what}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Document::parse(Path::new("a.yaml"), text).unwrap_err().to_string()
    }

    #[test]
    fn everything_knows_where_it_stands() {
        let document =
            Document::parse(Path::new("a.yaml"), "# words\na: 1\nb:\n  - \"true\"\n  - {c: no}\n").unwrap();
        let Holds::Map(entries) = &document.root.holds else { panic!("{document:?}") };
        let (key, value) = &entries[0];
        assert_eq!((key.text(), value.number(), value.line, value.column), (Some("a"), Some(1), 2, 4));
        let Holds::List(items) = &entries[1].1.holds else { panic!("{document:?}") };
        assert_eq!((items[0].flag(), items[0].text()), (None, Some("true")));
        assert_eq!((items[1].line, items[1].column, items[1].name()), (5, 5, "keys and values"));
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_place() {
        assert_eq!(refused("a: 1\nb: 2\na: 3\n"), "a.yaml:3:1: `a` stands on line 1 already");
        assert_eq!(refused("a: &x 1\nb: *x\n"), "a.yaml:2:4: aliases are not read: write the value again");
        assert_eq!(refused("a: 1\n---\nb: 1\n"), "a.yaml:2:1: one document is read, and here begins another");
        assert!(refused("a: [1, 2\nb: 3\n").starts_with("a.yaml:"), "{}", refused("a: [1, 2\nb: 3\n"));
        assert!(refused(&"[".repeat(200)).contains("nested deeper than 32"), "{}", refused(&"[".repeat(200)));
        assert!(Document::parse(Path::new("a.yaml"), "# nothing\n").unwrap().root.is_null());
    }
}
