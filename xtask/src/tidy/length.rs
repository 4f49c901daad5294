//! Files and functions that fit in a head.

use super::source::{Language, SourceFile, matching_brace, whole_words};
use super::{Finding, Rule};

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 70;

pub fn check(source: &SourceFile<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines = source.text.lines().count();
    if lines > FILE_LINES {
        findings.push(Finding {
            path: source.path.to_owned(),
            line: FILE_LINES + 1,
            what: format!("the file has {lines} lines, {FILE_LINES} are allowed"),
            remedy: "split it where its subject changes".to_owned(),
            rule: Rule::FileLength,
        });
    }
    let functions = match source.language {
        Language::Rust => rust_functions(source),
        Language::Script | Language::Svelte => script_functions(source),
        Language::Python => python_functions(source),
    };
    for Function { name, line, lines } in
        functions.into_iter().filter(|function| function.lines > FUNCTION_LINES)
    {
        findings.push(Finding {
            path: source.path.to_owned(),
            line,
            what: format!("function `{name}` has {lines} lines, {FUNCTION_LINES} are allowed"),
            remedy: "give its steps names".to_owned(),
            rule: Rule::FunctionLength,
        });
    }
    findings
}

struct Function {
    name: String,
    line: usize,
    lines: usize,
}

fn rust_functions(source: &SourceFile<'_>) -> Vec<Function> {
    let code = &source.code;
    let mut functions = Vec::new();
    for start in whole_words(code, "fn") {
        let name = identifier(&code[start + 2..]);
        if name.is_empty() {
            continue; // a function pointer's type
        }
        let body = code[start..].find(['{', ';']).map(|index| start + index);
        let Some(open) = body.filter(|open| code.as_bytes()[*open] == b'{') else { continue };
        if let Some(end) = matching_brace(code, open) {
            let line = source.line(start);
            functions.push(Function { name, line, lines: source.line(end) + 1 - line });
        }
    }
    functions
}

fn script_functions(source: &SourceFile<'_>) -> Vec<Function> {
    const NOT_FUNCTIONS: &[&str] =
        &["if", "for", "while", "switch", "catch", "else", "do", "describe", "try", "interface", "type"];
    let code = &source.code;
    let mut functions = Vec::new();
    for (open, _) in code.match_indices('{') {
        let line_start = code[..open].rfind('\n').map_or(0, |index| index + 1);
        let head = code[line_start..open].trim();
        let first = identifier(head.trim_start_matches(['}', ' ']));
        let opens_function = head.ends_with("=>") || head.ends_with(')') || head.contains("): ");
        if !opens_function || NOT_FUNCTIONS.contains(&first.as_str()) {
            continue;
        }
        if let Some(end) = matching_brace(code, open) {
            let line = source.line(open);
            let name = head.split('(').next().unwrap_or(head).trim().rsplit(' ').next().unwrap_or_default();
            functions.push(Function { name: name.to_owned(), line, lines: source.line(end) + 1 - line });
        }
    }
    functions
}

fn python_functions(source: &SourceFile<'_>) -> Vec<Function> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    // A string's lines are blank in `code` but belong to the function all the same.
    let lines: Vec<&str> = source.code.lines().collect();
    let mut functions = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let statement = line.trim_start().trim_start_matches("async ");
        let Some(rest) = statement.strip_prefix("def ") else { continue };
        let depth = indent(line);
        let body = lines[index + 1..].iter().enumerate();
        let ends = |line: &&str| {
            !line.trim().is_empty() && indent(line) <= depth && !line.trim_start().starts_with(')')
        };
        let length = body
            .take_while(|(_, line)| !ends(line))
            .filter(|(_, line)| !line.trim().is_empty())
            .last()
            .map_or(1, |(offset, _)| offset + 2);
        functions.push(Function { name: identifier(rest), line: index + 1, lines: length });
    }
    functions
}

fn identifier(text: &str) -> String {
    let text = text.trim_start();
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::parsed;

    #[test]
    fn a_long_file() {
        let text = "//\n".repeat(501);
        assert_eq!(parsed("a.rs", &text, check), ["501: the file has 501 lines, 500 are allowed"]);
        assert!(parsed("a.rs", &text[3..], check).is_empty());
    }

    #[test]
    fn a_long_function_in_each_language() {
        let filler = "    x;\n".repeat(69);
        let found = |name: &str| vec![format!("2: function `{name}` has 71 lines, 70 are allowed")];
        assert_eq!(parsed("a.rs", &format!("// {{\nfn f<T>(a: fn(T)) {{\n{filler}}}\n"), check), found("f"));
        assert_eq!(parsed("a.ts", &format!("\nexport function f(a: T) {{\n{filler}}}\n"), check), found("f"));
        assert_eq!(parsed("a.py", &format!("\ndef f(a):\n{filler}    x\nf()\n"), check), found("f"));
    }

    #[test]
    fn a_function_of_the_allowed_length_and_a_trait_method_without_a_body() {
        let filler = "    x;\n".repeat(68);
        assert!(
            parsed("a.rs", &format!("trait T {{ fn g(&self); }}\nfn f() {{\n{filler}}}\n"), check).is_empty()
        );
        assert!(parsed("a.py", &format!("def f(a):\n{filler}"), check).is_empty());
        assert!(parsed("a.ts", &format!("if (a) {{\n{filler}{filler}}}\n"), check).is_empty());
    }
}
