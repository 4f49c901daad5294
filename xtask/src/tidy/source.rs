//! The repository's files as the rules see them: code and comments told apart.

use std::ops::Range;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::lexer;

/// A text file of the repository that people wrote. The path is relative to the root, with `/`.
pub struct TextFile {
    pub path: String,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Rust,
    Script,
    Svelte,
    Python,
}

/// A source file. `code` and `comments` are as long as the text: what belongs to the other, and the inside of
/// strings, is blanked, so that an offset or a line in one is the same in all.
pub struct SourceFile<'a> {
    pub path: &'a str,
    pub text: &'a str,
    pub language: Language,
    pub code: String,
    pub comments: String,
    /// Byte ranges of `#[cfg(test)]` modules; the whole file below a `tests` folder.
    pub tests: Vec<Range<usize>>,
}

/// Folders whose content is data, foreign or built.
const NOT_WRITTEN_HERE: &[&str] = &["fixtures", "node_modules", "target", "dist", "golden"];

/// Every text file that git knows or would know, but for data, built files and locks.
pub fn texts(root: &Path) -> Result<Vec<TextFile>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"])
        .current_dir(root)
        .output()
        .context("git could not be started: tidy needs it to list the repository's files")?;
    if !output.status.success() {
        bail!("git ls-files failed: tidy runs in a git checkout");
    }
    let listed = String::from_utf8(output.stdout)?;
    let mut texts = Vec::new();
    for path in listed.split('\0').filter(|path| !path.is_empty() && is_written_here(path)) {
        // A file deleted but not yet committed is still listed; a binary one is nobody's prose.
        if let Ok(text) = std::fs::read_to_string(root.join(path)) {
            texts.push(TextFile { path: path.to_owned(), text });
        }
    }
    Ok(texts)
}

fn is_written_here(path: &str) -> bool {
    !path.split('/').any(|part| NOT_WRITTEN_HERE.contains(&part))
}

impl<'a> SourceFile<'a> {
    /// None when the file is in no language that the rules know, or says that it is generated.
    pub fn parse(file: &'a TextFile) -> Option<SourceFile<'a>> {
        let language = match file.path.rsplit_once('.')?.1 {
            "rs" => Language::Rust,
            "ts" | "js" | "mjs" => Language::Script,
            "svelte" => Language::Svelte,
            "py" => Language::Python,
            _ => return None,
        };
        let generated_mark = concat!("@", "generated");
        if file.text.lines().take(3).any(|line| line.contains(generated_mark)) {
            return None;
        }
        let (code, comments) = lexer::split(&file.text, language);
        let tests = test_ranges(&file.path, &code);
        Some(SourceFile { path: &file.path, text: &file.text, language, code, comments, tests })
    }

    /// The 1-based line of a byte offset.
    pub fn line(&self, offset: usize) -> usize {
        self.text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1
    }

    pub fn in_tests(&self, offset: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&offset))
    }

    /// The package folder under `crates/`, else the first folder of the path.
    pub fn package(&self) -> &'a str {
        let path = self.path.strip_prefix("crates/").unwrap_or(self.path);
        if path.starts_with("xtask/bench/") {
            return "tacho-bench";
        }
        path.split('/').next().unwrap_or(path)
    }
}

fn test_ranges(path: &str, code: &str) -> Vec<Range<usize>> {
    let whole_file = path.split('/').any(|part| part == "tests") || path.ends_with("/tests.rs");
    if whole_file {
        return std::iter::once(0..code.len()).collect();
    }
    let mut ranges = Vec::new();
    for (start, attribute) in code.match_indices("#[cfg(test)]") {
        let rest = &code[start + attribute.len()..];
        let is_module = rest.trim_start().starts_with("mod ");
        if let (true, Some(open)) = (is_module, rest.find(['{', ';'])) {
            let open = start + attribute.len() + open;
            ranges.push(start..matching_brace(code, open).unwrap_or(open));
        }
    }
    ranges
}

/// The offset of the brace that closes the one at `open`.
pub fn matching_brace(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (offset, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth <= 1 => return (depth == 1).then_some(offset),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Offsets at which `word` stands alone, not inside a longer identifier.
pub fn whole_words<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    let is_name = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    text.match_indices(word).map(|(offset, _)| offset).filter(move |offset| {
        let bytes = text.as_bytes();
        let before = offset.checked_sub(1).and_then(|index| bytes.get(index));
        !is_name(before) && !is_name(bytes.get(offset + word.len()))
    })
}
