//! The programs that a command line runs, freed from what only starts them.

use super::scan::{Joint, Token, tokens};

/// Commands of a line; what stands behind is not looked at.
const COMMANDS: usize = 128;
/// Starters around a program: `sudo env X=1 npx jest` has three.
const STARTERS: usize = 8;
/// Shells inside shells: `bash -lc 'sh -c …'`.
const SHELLS: usize = 3;

/// One program with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    /// The program's name without its folder.
    pub program: String,
    pub arguments: Vec<String>,
    /// Whether it ran and succeeded when the line succeeded.
    pub succeeds_with_line: bool,
    /// Whether it ran and failed when the line failed.
    pub fails_with_line: bool,
    /// Whether something before it changed the folder.
    pub is_elsewhere: bool,
}

/// Programs that only start another: themselves, and how many words of theirs come before it.
const STARTERS_BY_NAME: &[(&str, &[&str])] = &[
    ("sudo", &[]),
    ("env", &[]),
    ("time", &[]),
    ("command", &[]),
    ("exec", &[]),
    ("nohup", &[]),
    ("nice", &[]),
    ("timeout", &[]),
    ("gtimeout", &[]),
    ("stdbuf", &[]),
    ("setsid", &[]),
    ("xvfb-run", &[]),
    ("if", &[]),
    ("then", &[]),
    ("elif", &[]),
    ("else", &[]),
    ("while", &[]),
    ("until", &[]),
    ("do", &[]),
    ("{", &[]),
    ("!", &[]),
    ("npx", &[]),
    ("pnpx", &[]),
    ("bunx", &[]),
    ("uvx", &[]),
    ("npm", &["exec", "x"]),
    ("pnpm", &["exec", "dlx"]),
    ("yarn", &["exec", "dlx"]),
    ("bun", &["x"]),
    ("poetry", &["run"]),
    ("pipenv", &["run"]),
    ("uv", &["run"]),
    ("pdm", &["run"]),
    ("hatch", &["run"]),
    ("rye", &["run"]),
    ("conda", &["run"]),
    ("bundle", &["exec"]),
    ("python", &["-m"]),
    ("python3", &["-m"]),
    ("py", &["-m"]),
];

const SHELL_NAMES: [&str; 5] = ["bash", "sh", "zsh", "dash", "ksh"];
/// They succeed, or nothing behind them matters.
const PREPARING: [&str; 12] =
    ["cd", "pushd", "export", "set", "source", ".", "echo", "printf", "true", "mkdir", "sleep", "unset"];

/// The commands of a line, in order.
pub(super) fn commands(line: &str) -> Vec<Command> {
    let mut found = Vec::new();
    collect(line, 0, &mut found);
    let is_elsewhere =
        found.iter().map(|command| matches!(command.program.as_str(), "cd" | "pushd")).collect::<Vec<_>>();
    let first = is_elsewhere.iter().position(|changes| *changes).unwrap_or(found.len());
    for command in found.iter_mut().skip(first) {
        command.is_elsewhere = true;
    }
    found
}

/// The words of an argument list that no shell has to take apart.
pub(super) fn of_words(words: Vec<String>) -> Vec<Command> {
    let mut found = Vec::new();
    unwrap(words, (true, true), 0, &mut found);
    found
}

fn collect(line: &str, depth: usize, found: &mut Vec<Command>) {
    let mut simple: Vec<(Vec<String>, Joint)> = Vec::new();
    let mut words = Vec::new();
    for token in tokens(line).into_iter().chain([Token::Joint(Joint::Next)]) {
        match token {
            Token::Word(word) => words.push(word),
            Token::Joint(joint) if words.is_empty() => {
                // `a &&` and a line's end: the joint that counts is the first one.
                let _ = joint;
            }
            Token::Joint(joint) => simple.push((std::mem::take(&mut words), joint)),
        }
    }
    simple.truncate(COMMANDS);
    let judged: Vec<(bool, bool)> = (0..simple.len()).map(|index| judge(&simple, index)).collect();
    for ((words, _), judged) in simple.into_iter().zip(judged) {
        if found.len() < COMMANDS {
            unwrap(words, judged, depth, found);
        }
    }
}

/// Whether the command at `index` succeeds with its line, and whether it fails with it.
fn judge(simple: &[(Vec<String>, Joint)], index: usize) -> (bool, bool) {
    let last = simple.len() - 1;
    let ran_if_line_succeeds = index == 0 || simple[..index].iter().all(|(_, joint)| *joint != Joint::Or);
    let leads_to_end = simple[index..last].iter().all(|(_, joint)| *joint == Joint::And);
    let alone = index == last
        && simple[..index].iter().all(|(words, joint)| {
            *joint != Joint::Pipe && words.first().is_some_and(|word| PREPARING.contains(&word.as_str()))
        });
    (ran_if_line_succeeds && leads_to_end, alone)
}

/// Takes away what only starts the program.
fn unwrap(mut words: Vec<String>, judged: (bool, bool), depth: usize, found: &mut Vec<Command>) {
    for _ in 0..STARTERS {
        while words.first().is_some_and(|word| is_assignment(word)) {
            words.remove(0);
        }
        let Some(first) = words.first() else { return };
        let name = base_name(first).to_owned();
        if SHELL_NAMES.contains(&name.as_str()) {
            let is_script =
                |word: &String| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c');
            if let Some(at) = words.iter().take(4).position(is_script)
                && let Some(script) = words.get(at + 1)
            {
                if depth < SHELLS {
                    collect_inner(script, judged, depth + 1, found);
                }
                return;
            }
        }
        let Some(length) = starter(&name, &words) else {
            words.remove(0);
            let (succeeds_with_line, fails_with_line) = judged;
            found.push(Command {
                program: name,
                arguments: words,
                succeeds_with_line,
                fails_with_line,
                is_elsewhere: false,
            });
            return;
        };
        words.drain(..length);
    }
}

/// A shell's own script: what is sure of it is what is sure of both lines.
fn collect_inner(script: &str, judged: (bool, bool), depth: usize, found: &mut Vec<Command>) {
    let before = found.len();
    collect(script, depth, found);
    for command in &mut found[before..] {
        command.succeeds_with_line &= judged.0;
        command.fails_with_line &= judged.1;
    }
}

/// How many words belong to the starter: its name, its verb, its options and their numbers.
fn starter(name: &str, words: &[String]) -> Option<usize> {
    let versioned =
        name.strip_prefix("python3.").is_some_and(|minor| minor.bytes().all(|b| b.is_ascii_digit()));
    let name = if versioned { "python3" } else { name };
    let (_, verbs) = STARTERS_BY_NAME.iter().find(|(known, _)| *known == name)?;
    // `command -v jest` asks where it is.
    if name == "command" && words.get(1).is_some_and(|word| word.starts_with('-')) {
        return None;
    }
    let mut length = 1;
    if !verbs.is_empty() {
        let verb = words.get(1)?;
        if !verbs.contains(&verb.as_str()) {
            return None;
        }
        length += 1;
    }
    let is_own = |word: &String| {
        (word.starts_with('-') && word.len() > 1)
            || word.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
    };
    length += words[length..].iter().take_while(|word| is_own(word)).count();
    Some(length)
}

fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map_or("", |(name, _)| name);
    name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn base_name(word: &str) -> &str {
    word.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(word)
}

impl Command {
    /// Whether one of these stands among the arguments, alone or as `--name=value`.
    pub(super) fn has(&self, options: &[&str]) -> bool {
        self.arguments.iter().any(|argument| {
            let name = argument.split_once('=').map_or(argument.as_str(), |(name, _)| name);
            options.contains(&name)
        })
    }

    /// The value of an option: `--name value`, `--name=value`.
    pub(super) fn value(&self, options: &[&str]) -> Option<&str> {
        self.arguments.iter().enumerate().find_map(|(at, argument)| {
            if options.contains(&argument.as_str()) {
                return self.arguments.get(at + 1).map(String::as_str);
            }
            let (name, value) = argument.split_once('=')?;
            options.contains(&name).then_some(value)
        })
    }

    /// The arguments that are neither options nor, of `valued` ones, their values.
    pub(super) fn positional<'a>(&'a self, valued: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
        let mut is_value = false;
        self.arguments.iter().map(String::as_str).filter(move |argument| {
            if std::mem::take(&mut is_value) {
                return false;
            }
            is_value = valued.contains(argument);
            !argument.starts_with(['-', '+']) && !argument.is_empty()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(line: &str, expected: Expect) {
        let told: Vec<String> = commands(line)
            .into_iter()
            .map(|command| {
                let sign = |is: bool, sign: &'static str| if is { sign } else { "." };
                let (plus, minus) =
                    (sign(command.succeeds_with_line, "+"), sign(command.fails_with_line, "-"));
                format!("{plus}{minus} {} {}", command.program, command.arguments.join(" "))
                    .trim_end()
                    .to_owned()
            })
            .collect();
        expected.assert_eq(&told.join("\n"));
    }

    #[test]
    fn starters_are_taken_away() {
        check("CI=1 sudo env A=b timeout 60 npx --yes jest src", expect!["+- jest src"]);
        check(
            "python3.12 -m pytest -q; uv run python -m pytest",
            expect![[r#"
            .. pytest -q
            +. pytest"#]],
        );
        check(
            "python -c 'import pytest'; ./node_modules/.bin/eslint .",
            expect![[r#"
            .. python -c import pytest
            +. eslint ."#]],
        );
        check(
            "bash -lc 'cd web && npm test' | tail",
            expect![[r#"
            .. cd web
            .. npm test
            +. tail"#]],
        );
        check("command -v jest", expect!["+- command -v jest"]);
    }

    #[test]
    fn whose_the_line_s_end_is() {
        check(
            "cd a && cargo test && git commit -m x",
            expect![[r#"
            +. cd a
            +. cargo test
            +. git commit -m x"#]],
        );
        check(
            "cd a && cargo test",
            expect![[r#"
            +. cd a
            +- cargo test"#]],
        );
        check(
            "cargo test || true",
            expect![[r#"
            .. cargo test
            .. true"#]],
        );
        check(
            "cargo test | tail -3",
            expect![[r#"
            .. cargo test
            +. tail -3"#]],
        );
    }
}
