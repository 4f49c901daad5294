use std::path::PathBuf;
use tacho_event::Position;
use thiserror::Error;

/// Why the read side could not do its work. Nothing is ever lost with it: the log has all of it.
#[derive(Debug, Error)]
pub enum ViewError {
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("the read side's database: {0}")]
    Database(#[from] rusqlite::Error),
    #[error("the read side is damaged ({0}): rebuild it from the log")]
    Damaged(&'static str),
    #[error("the read side needs position {expected} next, and was given {actual}")]
    OutOfOrder { expected: Position, actual: Position },
}

impl ViewError {
    /// Whether only throwing the read side away and folding the log again helps.
    pub fn is_damage(&self) -> bool {
        use rusqlite::Error;
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match self {
            Self::Damaged(_) => true,
            Self::Database(
                Error::QueryReturnedNoRows
                | Error::InvalidColumnType(..)
                | Error::FromSqlConversionFailure(..)
                | Error::IntegralValueOutOfRange(..),
            ) => true,
            Self::Database(error) => {
                matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
            }
            _ => false,
        }
    }
}
