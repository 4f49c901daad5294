//! Conditions in jq.

use crate::{Recorded, json};
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::native::{Fun, bome, run, v};
use jaq_core::{Compiler, Ctx, Error, Vars, data};
use jaq_json::Val;
use std::fmt;
use std::sync::Arc;
use std::thread;
use thiserror::Error as ThisError;

type Data = data::JustLut<Val>;

/// Longest program, in bytes.
pub const MAX_PROGRAM_BYTES: usize = 4 * 1024;
/// Stack on which a program is compiled, in bytes. The compiler calls itself at each level, and a program may
/// be one level a byte; the system gives the memory only when it is used.
const STACK_BYTES: usize = 64 << 20;

/// A compiled jq program, used as a condition on events: it holds when its first answer is neither
/// `null` nor `false`. It sees the event's canonical form, and neither environment nor clock.
#[derive(Clone)]
pub struct Jq {
    text: Arc<str>,
    filter: Arc<jaq_core::Filter<Data>>,
    kind: JqKind,
}

/// What a program is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JqKind {
    /// One JSON text as `.`.
    Filter,
    /// A state as `.` and an event as `$event`; it answers the state behind the event.
    Fold,
}

#[derive(Debug, ThisError, Clone, PartialEq, Eq)]
#[error("{text:?} is no jq program: {reason}")]
pub struct JqError {
    pub text: String,
    pub reason: String,
}

impl Jq {
    /// Compiles a program of [`MAX_PROGRAM_BYTES`] at most.
    pub fn compile(text: &str) -> Result<Self, JqError> {
        Self::compile_as(text, JqKind::Filter)
    }

    /// As [`Self::compile`], for either kind.
    pub fn compile_as(text: &str, kind: JqKind) -> Result<Self, JqError> {
        let refuse = |reason: String| JqError { text: text.chars().take(200).collect(), reason };
        if text.len() > MAX_PROGRAM_BYTES {
            return Err(refuse(format!("longer than {MAX_PROGRAM_BYTES} bytes")));
        }
        thread::scope(|scope| {
            let compiler = thread::Builder::new().name("tacho-jq".into()).stack_size(STACK_BYTES);
            let compiled = compiler
                .spawn_scoped(scope, || Self::compile_here(text, kind))
                .map_err(|error| refuse(format!("there is no thread to compile it: {error}")))?;
            compiled.join().unwrap_or_else(|_| Err(refuse("the compiler gave it up".to_owned())))
        })
    }

    fn compile_here(text: &str, kind: JqKind) -> Result<Self, JqError> {
        let refuse = |reason: String| JqError { text: text.chars().take(200).collect(), reason };
        let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let arena = Arena::default();
        let modules =
            Loader::new(definitions).load(&arena, File { code: text, path: () }).map_err(|errors| {
                refuse(errors.first().map(|(_, error)| load_reason(error)).unwrap_or_default())
            })?;
        let variables: &[&str] = if kind == JqKind::Fold { &["$event"] } else { &[] };
        let compiler = Compiler::default().with_funs(functions()).with_global_vars(variables.iter().copied());
        let filter = compiler.compile(modules).map_err(|errors| {
            let undefined = errors
                .iter()
                .flat_map(|(_, errors)| errors)
                .map(|(name, kind)| format!("{} {name:?} is unknown", kind.as_str()));
            refuse(undefined.collect::<Vec<_>>().join(", "))
        })?;
        Ok(Self { text: text.into(), filter: Arc::new(filter), kind })
    }

    /// The program as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the condition holds for an event. An error inside the program counts as no.
    pub fn holds(&self, event: &Recorded) -> bool {
        self.holds_for(&event.to_cloudevent())
    }

    /// Whether the condition holds for a JSON text that was checked.
    pub fn holds_for(&self, input: &[u8]) -> bool {
        let answer = read(input).and_then(|value| self.run(value, Vec::new()).ok());
        !matches!(answer, None | Some(Val::Null | Val::Bool(false)))
    }

    /// The first answer to a JSON text that was checked, as JSON.
    ///
    /// # Errors
    ///
    /// What the program says where it fails or answers nothing.
    pub fn first_of(&self, input: &[u8]) -> Result<String, String> {
        let value = read(input).ok_or("the input cannot be read")?;
        self.run(value, Vec::new()).map(|answer| answer.to_string())
    }

    /// The state behind events, given as CloudEvents JSON, as JSON.
    ///
    /// # Errors
    ///
    /// What the program says where it fails or answers nothing.
    pub fn fold<'e>(
        &self,
        state: &[u8],
        events: impl IntoIterator<Item = &'e [u8]>,
    ) -> Result<String, String> {
        let mut state = read(state).ok_or("the state cannot be read")?;
        for event in events {
            let event = read(event).ok_or("an event cannot be read")?;
            state = self.run(state, vec![event])?;
        }
        Ok(state.to_string())
    }

    pub fn kind(&self) -> JqKind {
        self.kind
    }

    fn run(&self, input: Val, variables: Vec<Val>) -> Result<Val, String> {
        let context = Ctx::<Data>::new(&self.filter.lut, Vars::new(variables));
        match self.filter.id.run((context, input)).next().map(jaq_core::unwrap_valr) {
            Some(answer) => answer.map_err(|error| error.to_string()),
            None => Err("it answers nothing".to_owned()),
        }
    }
}

fn read(input: &[u8]) -> Option<Val> {
    jaq_json::read::parse_single(input).ok().or_else(|| {
        // Lone surrogates are no text for jq; the tree has them replaced.
        let replaced = json::to_value(input).to_string();
        jaq_json::read::parse_single(replaced.as_bytes()).ok()
    })
}

/// The functions of jq, less those that would look outside the event.
fn functions() -> impl Iterator<Item = Fun<Data>> {
    const OUTSIDE: [&str; 3] = ["env", "now", "halt"];
    jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs()).map(|function: Fun<Data>| {
        if !OUTSIDE.contains(&function.0) {
            return function;
        }
        let arity = function.1.len();
        run::<Data>((function.0, v(arity), |_| bome(Err(Error::str("not available in a condition")))))
    })
}

fn load_reason(error: &load::Error<&str>) -> String {
    let near = |text: &str| {
        if text.is_empty() {
            "its end".to_owned()
        } else {
            format!("{:?}", text.chars().take(40).collect::<String>())
        }
    };
    match error {
        load::Error::Io(_) => "it names a module, and there are none".to_owned(),
        load::Error::Lex(errors) => errors
            .first()
            .map(|(expected, at)| format!("expected {} at {}", expected.as_str(), near(at)))
            .unwrap_or_default(),
        load::Error::Parse(errors) => errors
            .first()
            .map(|(expected, at)| format!("expected {} at {}", expected.as_str(), near(at)))
            .unwrap_or_default(),
    }
}

impl fmt::Debug for Jq {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Jq({:?})", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_or_does_not() {
        let holds = |program: &str| {
            Jq::compile(program).unwrap().holds_for(br#"{"type":"demo.a","data":{"i":7,"s":"x\ud83d"}}"#)
        };
        assert!(holds(".data.i == 7"));
        assert!(holds(".type | test(\"^demo\")"));
        assert!(!holds(".data.i > 7"));
        assert!(
            !holds("empty")
                && !holds("null")
                && !holds("error(\"x\")")
                && !holds("halt")
                && !holds("env | length > 0")
        );
    }

    #[test]
    fn answers_and_folds() {
        let part = Jq::compile(".agents | length").unwrap();
        assert_eq!(part.first_of(br#"{"agents":["a","b"]}"#), Ok("2".to_owned()));
        assert!(part.first_of(b"7").is_err() && Jq::compile("empty").unwrap().first_of(b"7").is_err());
        let refused = Jq::compile("error(\"no\")").unwrap().first_of(b"7").unwrap_err();
        assert!(refused.contains("no"), "{refused}");
        let program = "if $event.type == \"a\" then .count += 1 else . end";
        let fold = Jq::compile_as(program, JqKind::Fold).unwrap();
        let events: [&[u8]; 3] = [br#"{"type":"a"}"#, br#"{"type":"b"}"#, br#"{"type":"a"}"#];
        assert_eq!(fold.fold(b"{}", events), Ok(r#"{"count":2}"#.to_owned()));
        assert!(Jq::compile(program).is_err(), "a filter has no event beside its input");
    }

    #[test]
    fn says_why_a_program_is_none() {
        let reason = |program: &str| Jq::compile(program).unwrap_err().reason;
        assert!(reason(".data.i ==").contains("expected"), "{}", reason(".data.i =="));
        assert!(reason("nosuch(1)").contains("nosuch"), "{}", reason("nosuch(1)"));
        assert!(reason("include \"x\"; .").contains("module"), "{}", reason("include \"x\"; ."));
    }

    #[test]
    fn the_deepest_program_is_compiled_or_refused() {
        let openings = [
            "[",
            "(",
            "{a:",
            ".[",
            "-",
            "try ",
            "if ",
            "if . then ",
            "def f:",
            "\"\\(",
            ".|",
            ".,",
            "not|",
            "..?//",
            ".a as $x|",
            "reduce ",
            "label $a|",
            "1+",
            ".==",
            ".=",
            "f(",
            ".a.",
            ".[0]",
            "?",
            "@text \"\\(",
        ];
        for opening in openings {
            let open = opening.repeat(MAX_PROGRAM_BYTES / opening.len());
            let _ = Jq::compile(&open);
            let closing = match opening.chars().next_back().unwrap() {
                '[' => "]",
                '(' if opening.contains('"') => ")\"",
                '(' => ")",
                ':' if opening.starts_with('{') => "}",
                ':' => ";.",
                _ => "",
            };
            let levels = (MAX_PROGRAM_BYTES - 1) / (opening.len() + closing.len());
            let _ = Jq::compile(&format!("{}.{}", opening.repeat(levels), closing.repeat(levels)));
        }
        assert!(Jq::compile(&" ".repeat(MAX_PROGRAM_BYTES + 1)).unwrap_err().reason.starts_with("longer"));
    }
}
