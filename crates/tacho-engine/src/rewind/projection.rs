//! Which projections there are: those that are built in, and those that a user wrote in jq.

use crate::condition::Turn;
use crate::engine::{Engine, Shared};
use crate::error::QueryError;
use crate::log::Log;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tacho_event::{Jq, Recorded, stream};
use tacho_view::state::{self, Projection, State};

/// A projection that is a program in jq: `.` is the state, `{}` at first, and `$event` the event as a CloudEvent; what
/// it answers is the state behind it.
#[derive(Debug, Clone)]
pub struct Program {
    pub name: String,
    /// The category of streams whose state this is unless another projection is asked for.
    pub category: Option<String>,
    pub meaning: String,
    pub jq: Jq,
}

/// A projection as it is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectionInfo {
    pub name: String,
    pub category: Option<String>,
    /// Name and version: snapshots are of one of them.
    pub code: String,
    pub meaning: String,
    pub built_in: bool,
    pub reads: Vec<String>,
}

/// What folds.
#[derive(Clone)]
pub(super) enum Code {
    BuiltIn(&'static Projection),
    Program(Arc<Program>),
}

impl Code {
    /// The projection of that name, else the one of the stream's category.
    pub(super) fn find(shared: &Shared, stream: &str, name: Option<&str>) -> Result<Self, QueryError> {
        let programs = &shared.config.rewind.programs;
        let program = |program: &&Arc<Program>| match name {
            Some(name) => program.name == name,
            None => program.category.as_deref() == Some(stream::category(stream)),
        };
        if let Some(found) = programs.iter().find(program) {
            return Ok(Self::Program(Arc::clone(found)));
        }
        match name {
            None => Ok(Self::BuiltIn(state::default_of(stream))),
            Some(name) => state::find(name).map(Self::BuiltIn).ok_or_else(|| {
                let built_in = state::ALL.iter().map(|projection| projection.name);
                let known = built_in.chain(programs.iter().map(|program| program.name.as_str()));
                QueryError::ProjectionUnknown {
                    name: name.to_owned(),
                    known: known.collect::<Vec<_>>().join(", "),
                }
            }),
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::BuiltIn(projection) => projection.name,
            Self::Program(program) => &program.name,
        }
    }

    /// Name and version, and the last upcaster that is in force. It changes whenever the same events may give another
    /// state.
    pub(super) fn version_on(&self, log: &Log) -> String {
        match log.last_upcast() {
            Ok(Some(position)) => format!("{}+{position}", self.version()),
            _ => self.version(),
        }
    }

    fn version(&self) -> String {
        match self {
            Self::BuiltIn(projection) => format!("{}@{}", projection.name, projection.version),
            Self::Program(program) => {
                let digest = Sha256::digest(program.jq.as_str());
                let [a, b, c, d, ..] = digest[..] else { return program.name.clone() };
                format!("{}@{a:02x}{b:02x}{c:02x}{d:02x}", program.name)
            }
        }
    }

    /// Whether a turn at a worker is needed to fold.
    pub(super) fn is_program(&self) -> bool {
        matches!(self, Self::Program(_))
    }

    pub(super) fn empty(&self) -> Value {
        match self {
            Self::BuiltIn(projection) => projection.empty(),
            Self::Program(_) => json!({}),
        }
    }

    /// Folds events.
    pub(super) fn apply(
        &self,
        state: &mut State,
        events: &[Recorded],
        turn: Option<&Turn>,
    ) -> Result<(), QueryError> {
        match self {
            Self::BuiltIn(projection) => projection.apply_all(state, events),
            Self::Program(program) => {
                let (Some(turn), false) = (turn, events.is_empty()) else { return Ok(()) };
                let before = serde_json::to_vec(state.value()).unwrap_or_default();
                let events = events.iter().map(Recorded::to_cloudevent).collect();
                let after = turn.fold(&program.jq, before, events)?;
                state.replace(tacho_event::json::to_value(after.as_bytes()));
            }
        }
        Ok(())
    }
}

impl Engine {
    /// Every projection, the built-in ones first.
    pub fn projections(&self) -> Vec<ProjectionInfo> {
        let built_in = state::ALL.iter().map(|projection| ProjectionInfo {
            name: projection.name.to_owned(),
            category: projection.category.map(str::to_owned),
            code: Code::BuiltIn(projection).version(),
            meaning: projection.meaning.to_owned(),
            built_in: true,
            reads: projection.reads.iter().map(|kind| (*kind).to_owned()).collect(),
        });
        let programs = self.shared.config.rewind.programs.iter().map(|program| ProjectionInfo {
            name: program.name.clone(),
            category: program.category.clone(),
            code: Code::Program(Arc::clone(program)).version(),
            meaning: program.meaning.clone(),
            built_in: false,
            reads: vec!["*".to_owned()],
        });
        built_in.chain(programs).collect()
    }
}
