//! Reads the blocks: strictly, with every problem of a file told at once.

use super::block::{self, Block};
use super::camel_case::camel_case;
use super::{Attribute, Declaration, MAX_ATTRIBUTES, MAX_EVENTS, MAX_FILE_BYTES, MAX_NAME_BYTES};
use super::{MAX_PROBLEMS, Problem};
use crate::catalogue;
use crate::schema::{MAX_MEANING_BYTES, Severity, ValueKind};
use roxmltree::{Document, Node, ParsingOptions};

/// Most nodes of a block, texts and comments counted.
const MAX_NODES: u32 = 100_000;

pub fn declarations(file_stem: &str, markdown: &str) -> Result<Vec<Declaration>, Vec<Problem>> {
    let at_start = |what: String| vec![Problem { line: 1, what }];
    if markdown.len() > MAX_FILE_BYTES {
        return Err(at_start(format!("the file is larger than {MAX_FILE_BYTES} bytes: shorten it")));
    }
    let blocks = block::blocks(markdown).map_err(|problem| vec![problem])?;
    if blocks.is_empty() {
        return Ok(Vec::new());
    }
    let agent = block::front_matter_name(markdown).unwrap_or(file_stem);
    let Some(namespace) = camel_case(agent).filter(|_| agent.len() <= MAX_NAME_BYTES) else {
        let limit = format!("use at most {MAX_NAME_BYTES} bytes of letters, digits and hyphens");
        return Err(at_start(format!("{agent:?} names no agent that can emit events: {limit}")));
    };
    let mut reader = Reader { agent, namespace, declarations: Vec::new(), problems: Vec::new(), line: 0 };
    for block in &blocks {
        reader.block(block);
    }
    if reader.problems.is_empty() { Ok(reader.declarations) } else { Err(reader.problems) }
}

struct Reader<'a> {
    agent: &'a str,
    namespace: String,
    declarations: Vec<Declaration>,
    problems: Vec<Problem>,
    /// The lines before the block that is read.
    line: u32,
}

impl Reader<'_> {
    fn block(&mut self, block: &Block) {
        self.line = block.line - 1;
        let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
        let document = match Document::parse_with_options(&block.xml, options) {
            Ok(document) => document,
            Err(error) => {
                let line = self.line + error.pos().row;
                let error = error.to_string();
                // It ends in a place within the block, which would contradict the line of the file.
                let what = error.rsplit_once(" at ").map_or(error.as_str(), |(what, _)| what);
                let hint = "close every element, write `&` as `&amp;`, `<` as `&lt;`, and values in quotes";
                return self.problem(line, format!("the declaration is not XML: {what}; {hint}"));
            }
        };
        let events = document.root_element();
        self.check_attributes(events, &[]);
        for event in self.children(events, &["event"]) {
            if self.declarations.len() == MAX_EVENTS {
                let line = self.line_of(event);
                return self
                    .problem(line, format!("more than {MAX_EVENTS} events: give some to another agent"));
            }
            if let Some(declaration) = self.event(event) {
                self.declarations.push(declaration);
            }
        }
    }

    fn event(&mut self, event: Node<'_, '_>) -> Option<Declaration> {
        let line = self.line_of(event);
        self.check_attributes(event, &["name", "type"]);
        let children = self.children(event, &["description", "attributes"]);
        let name = self.value(event, "name");
        let kind = name.and_then(|name| self.kind(line, name));
        let severity = self.word(event, "type", "info, warning or error", Severity::parse);
        let description = self.description(event, &children);
        let attributes = match self.only(&children, "attributes") {
            Some(attributes) => self.attributes(attributes),
            None => Vec::new(),
        };
        Some(Declaration {
            agent: self.agent.to_owned(),
            name: name?.to_owned(),
            kind: kind?,
            severity: severity?,
            description: description?,
            attributes,
            line,
        })
    }

    /// The event type that a name stands for.
    fn kind(&mut self, line: u32, name: &str) -> Option<String> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let part = camel_case(name).filter(|_| name.len() <= MAX_NAME_BYTES && name.bytes().all(allowed));
        let Some(part) = part else {
            let limit = format!("at most {MAX_NAME_BYTES} letters, digits, `-` and `_`");
            self.problem(line, format!("{name:?} names no event: use {limit}, like cacheRequested"));
            return None;
        };
        let kind = if name.contains('.') { name.to_owned() } else { format!("{}.{part}", self.namespace) };
        if catalogue::is_reserved_for_markers(&kind) {
            self.problem(line, format!("`{kind}` is reserved: rename the event or the agent"));
            return None;
        }
        if let Some(other) = self.declarations.iter().find(|other| other.kind == kind) {
            let other = other.line;
            self.problem(line, format!("`{kind}` is declared twice, first on line {other}: remove one"));
            return None;
        }
        Some(kind)
    }

    fn description(&mut self, event: Node<'_, '_>, children: &[Node<'_, '_>]) -> Option<String> {
        let line = self.line_of(event);
        let Some(node) = self.only(children, "description") else {
            self.problem(
                line,
                "the event has no `<description>`: say what it means that it happened".to_owned(),
            );
            return None;
        };
        self.check_attributes(node, &[]);
        let text = self.text(node);
        if text.is_empty() {
            let line = self.line_of(node);
            self.problem(
                line,
                "`<description>` is empty: say what it means that the event happened".to_owned(),
            );
        } else if text.len() > MAX_MEANING_BYTES {
            let line = self.line_of(node);
            self.problem(
                line,
                format!("`<description>` is longer than {MAX_MEANING_BYTES} bytes: shorten it"),
            );
        }
        Some(text)
    }

    fn attributes(&mut self, attributes: Node<'_, '_>) -> Vec<Attribute> {
        self.check_attributes(attributes, &[]);
        let mut read: Vec<Attribute> = Vec::new();
        for node in self.children(attributes, &["attribute"]) {
            let line = self.line_of(node);
            if read.len() == MAX_ATTRIBUTES {
                self.problem(line, format!("more than {MAX_ATTRIBUTES} attributes: put some into an object"));
                break;
            }
            let Some(attribute) = self.attribute(node) else { continue };
            if read.iter().any(|other| other.name == attribute.name) {
                self.problem(line, format!("attribute `{}` is declared twice: remove one", attribute.name));
            }
            read.push(attribute);
        }
        read
    }

    fn attribute(&mut self, node: Node<'_, '_>) -> Option<Attribute> {
        self.check_attributes(node, &["name", "type", "required", "description"]);
        let line = self.line_of(node);
        let name = self.value(node, "name");
        if let Some(name) =
            name.filter(|name| name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control))
        {
            let what = format!("{name:?} names no attribute: use at most {MAX_NAME_BYTES} bytes");
            self.problem(line, what);
        }
        let kinds = "string, integer, number, boolean, array or object";
        let kind = self.word(node, "type", kinds, ValueKind::parse);
        let required = match node.attribute("required") {
            None => Some(false),
            Some(_) => self.word(node, "required", "true or false", |word| word.parse().ok()),
        };
        let text = self.text(node);
        let description = node.attribute("description").map_or(text, one_line);
        if description.len() > MAX_MEANING_BYTES {
            self.problem(
                line,
                format!("the description is longer than {MAX_MEANING_BYTES} bytes: shorten it"),
            );
        }
        Some(Attribute { name: name?.to_owned(), kind: kind?, required: required?, description })
    }

    /// The elements below `node`, which must be of the `allowed` names with nothing but space between.
    fn children<'a, 'input>(&mut self, node: Node<'a, 'input>, allowed: &[&str]) -> Vec<Node<'a, 'input>> {
        let mut children = Vec::new();
        for child in node.children() {
            let line = self.line_of(child);
            let name = child.tag_name().name();
            let parent = node.tag_name().name();
            if child.is_element() && allowed.contains(&name) {
                children.push(child);
            } else if child.is_element() {
                let expected = allowed.join(">` or `<");
                self.problem(line, format!("`<{name}>` has no place in `<{parent}>`: use `<{expected}>`"));
            } else if child.text().is_some_and(|text| child.is_text() && !text.trim().is_empty()) {
                self.problem(
                    line,
                    format!("`<{parent}>` holds loose text: put it into an element or a comment"),
                );
            }
        }
        children
    }

    fn check_attributes(&mut self, node: Node<'_, '_>, allowed: &[&str]) {
        for attribute in node.attributes().filter(|attribute| !allowed.contains(&attribute.name())) {
            let line = self.line_of(node);
            let (name, element) = (attribute.name(), node.tag_name().name());
            let remedy = match allowed {
                [] => "remove it".to_owned(),
                _ => format!("use {}", allowed.join(", ")),
            };
            self.problem(line, format!("`<{element}>` has no attribute `{name}`: {remedy}"));
        }
    }

    fn only<'a, 'input>(&mut self, children: &[Node<'a, 'input>], name: &str) -> Option<Node<'a, 'input>> {
        let mut named = children.iter().copied().filter(|child| child.has_tag_name(name));
        let first = named.next();
        if let Some(second) = named.next() {
            let line = self.line_of(second);
            self.problem(line, format!("a second `<{name}>` in the same event: join them"));
        }
        first
    }

    /// A value that must be there.
    fn value<'a>(&mut self, node: Node<'a, '_>, name: &str) -> Option<&'a str> {
        let value = node.attribute(name).map(str::trim).filter(|value| !value.is_empty());
        if value.is_none() {
            let line = self.line_of(node);
            self.problem(line, format!("`<{}>` needs {name}=\"…\"", node.tag_name().name()));
        }
        value
    }

    /// A value that must be there and be one of a few words.
    fn word<T>(
        &mut self,
        node: Node<'_, '_>,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let word = self.value(node, name)?;
        let parsed = parse(word);
        if parsed.is_none() {
            let line = self.line_of(node);
            self.problem(line, format!("{name}={word:?} is unknown: use {expected}"));
        }
        parsed
    }

    fn text(&mut self, node: Node<'_, '_>) -> String {
        if let Some(element) = node.children().find(Node::is_element) {
            let line = self.line_of(element);
            let (name, parent) = (element.tag_name().name(), node.tag_name().name());
            self.problem(line, format!("`<{name}>` has no place in `<{parent}>`: use plain text"));
        }
        one_line(node.text().unwrap_or_default())
    }

    fn line_of(&self, node: Node<'_, '_>) -> u32 {
        self.line + node.document().text_pos_at(node.range().start).row
    }

    fn problem(&mut self, line: u32, what: String) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { line, what });
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
