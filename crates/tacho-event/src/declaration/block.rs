//! Finds the `<events>` blocks in an agent's file.

use super::Problem;

/// An `<events>` element, to be read as XML.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    /// The line on which it begins; the first line of the file is 1.
    pub line: u32,
    pub xml: String,
}

const CLOSING: &str = "</events>";

/// The blocks of a file, in order. One begins where a line does, or behind `<eventing-system>` on it, so
/// that prose may speak of `<events>`; what stands in an HTML comment does not count.
pub fn blocks(markdown: &str) -> Result<Vec<Block>, Problem> {
    let text = without_comments(markdown);
    let mut blocks = Vec::new();
    let mut offset = 0;
    let mut line = 1;
    while offset < text.len() {
        let rest = &text[offset..];
        let length = rest.find('\n').map_or(rest.len(), |at| at + 1);
        let Some(start) = start_of_block(&rest[..length]) else {
            offset += length;
            line += 1;
            continue;
        };
        let end = rest[start..].find(CLOSING).ok_or_else(|| Problem {
            line,
            what: format!("`<events>` is never closed: end the block with `{CLOSING}`"),
        })?;
        let end = start + end + CLOSING.len();
        blocks.push(Block { line, xml: without_fences(&rest[start..end]) });
        line += newlines(&rest[..end]);
        offset += end;
    }
    Ok(blocks)
}

/// The agent's name in the front matter, where there is one.
pub fn front_matter_name(markdown: &str) -> Option<&str> {
    let mut lines = markdown.trim_start_matches('\u{feff}').lines();
    if lines.next()?.trim_end() != "---" {
        return None;
    }
    let name =
        lines.take_while(|line| line.trim_end() != "---").find_map(|line| line.strip_prefix("name:"))?;
    let name = name.trim().trim_matches(['"', '\'']);
    (!name.is_empty()).then_some(name)
}

fn start_of_block(line: &str) -> Option<usize> {
    let first = line.len() - line.trim_start().len();
    let trimmed = &line[first..];
    let at = if trimmed.starts_with("<eventing-system") { first + trimmed.find("<events")? } else { first };
    let behind = line[at..].strip_prefix("<events")?;
    behind.starts_with(['>', ' ', '\t', '\r', '\n']).then_some(at)
}

fn newlines(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}

/// Comments become spaces, so that lines keep their numbers.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("<!--") {
        let Some(length) = rest[start..].find("-->").map(|length| length + 3) else { break };
        out.push_str(&rest[..start]);
        out.extend(rest[start..start + length].chars().map(blank));
        rest = &rest[start + length..];
    }
    out + rest
}

/// A code fence may stand inside the block as well as around it.
fn without_fences(xml: &str) -> String {
    let mut out = String::with_capacity(xml.len());
    for line in xml.split_inclusive('\n') {
        let start = line.trim_start();
        if start.starts_with("```") || start.starts_with("~~~") {
            out.extend(line.chars().map(blank));
        } else {
            out.push_str(line);
        }
    }
    out
}

fn blank(character: char) -> char {
    if character == '\n' { '\n' } else { ' ' }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(markdown: &str) -> Vec<(u32, String)> {
        blocks(markdown).unwrap().into_iter().map(|block| (block.line, block.xml)).collect()
    }

    #[test]
    fn blocks_among_prose() {
        let markdown = "Use `<events>` well.\n\n<eventing-system>\n  <events>\n  a\n  </events>\n</eventing-system>\n\n<!--\n<events>\nold\n</events>\n-->\n~~~xml\n<eventing-system><events x=\"1\">\n```\nb</events></eventing-system>\n~~~\n<eventsourcing>\n";
        assert_eq!(
            found(markdown),
            [
                (4, "<events>\n  a\n  </events>".to_owned()),
                (15, "<events x=\"1\">\n   \nb</events>".to_owned())
            ]
        );
    }

    #[test]
    fn an_open_block() {
        let problem = blocks("a\n<events>\n").unwrap_err();
        assert_eq!(problem.line, 2);
    }

    #[test]
    fn the_front_matter_names_the_agent() {
        assert_eq!(front_matter_name("---\nname: \"url-cacher\"\ntools: x\n---\n"), Some("url-cacher"));
        assert_eq!(front_matter_name("---\ntools: x\n---\nname: no\n"), None);
        assert_eq!(front_matter_name("name: no\n"), None);
    }
}
