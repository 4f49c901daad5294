use crate::condition::ConditionError;
use std::sync::Arc;
use tacho_event::{Code, Position};
use tacho_journal::JournalError;
use thiserror::Error;

/// Why the engine cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("the read side cannot be opened: {0}; `tacho rebuild` makes it anew")]
    View(#[from] tacho_view::ViewError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Why a query has no answer.
#[derive(Debug, Error)]
pub enum QueryError {
    #[error("the read side is at position {position}, the query needs {wanted}: ask again, or with wait=0")]
    ViewBehind { position: Position, wanted: Position },
    #[error("the cursor is none that this log gave for this direction: start without one")]
    InvalidCursor,
    #[error("no event has the id {0:?}")]
    EventNotFound(String),
    #[error("events of {} sources have the id {id:?}: name one with `source`: {}", sources.len(), sources.join(", "))]
    AmbiguousId { id: String, sources: Vec<String> },
    #[error("no event is in stream {0:?}")]
    StreamNotFound(String),
    #[error("the log could not be read: {0}")]
    Journal(#[from] JournalError),
    #[error("the read side could not be read: {0}")]
    View(#[from] tacho_view::ViewError),
    #[error(transparent)]
    Condition(ConditionError),
    #[error("there is no projection {name:?}; known are {known}")]
    ProjectionUnknown { name: String, known: String },
    #[error("what is supposed makes no event: {0}")]
    Supposed(String),
    #[error("{actual} events are supposed to be otherwise, more than {limit}: suppose less at once")]
    TooMuchSupposed { actual: usize, limit: usize },
    #[error("snapshots cannot be kept: their file beside the log cannot be written")]
    NoSnapshots,
    #[error("the engine is stopping")]
    Stopped,
}

impl From<ConditionError> for QueryError {
    fn from(error: ConditionError) -> Self {
        match error {
            ConditionError::Stopped => Self::Stopped,
            error => Self::Condition(error),
        }
    }
}

impl QueryError {
    pub fn code(&self) -> Code {
        match self {
            Self::ViewBehind { .. } => Code::ViewBehind,
            Self::InvalidCursor => Code::InvalidCursor,
            Self::EventNotFound(_) => Code::EventNotFound,
            Self::AmbiguousId { .. } => Code::AmbiguousId,
            Self::StreamNotFound(_) => Code::StreamNotFound,
            Self::ProjectionUnknown { .. } => Code::ProjectionUnknown,
            Self::Supposed(_) | Self::TooMuchSupposed { .. } => Code::InvalidEvent,
            Self::NoSnapshots => Code::ReadOnly,
            Self::Journal(_) | Self::View(_) => Code::Internal,
            Self::Condition(error) => error.code(),
            Self::Stopped => Code::ShuttingDown,
        }
    }
}

/// Why a subscription does not begin, or ends.
#[derive(Debug, Clone, Error)]
pub enum SubscribeError {
    #[error("{0} subscribers are connected, which is the limit: close one, or raise the limit")]
    TooMany(usize),
    #[error("the log could not be read: {0}")]
    Journal(Arc<JournalError>),
    #[error(transparent)]
    Condition(ConditionError),
    #[error("the engine is stopping")]
    Stopped,
}

impl From<ConditionError> for SubscribeError {
    fn from(error: ConditionError) -> Self {
        match error {
            ConditionError::Stopped => Self::Stopped,
            error => Self::Condition(error),
        }
    }
}

/// Why a look at the folded log could not be taken, or what it found could not be said.
#[derive(Debug, Error)]
pub enum WatchError {
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    Append(#[from] tacho_journal::AppendError),
    #[error(transparent)]
    Event(#[from] tacho_event::EventError),
}
