//! Dead letters as people see them: listed, shown, tried again, given up.

use super::letter::stream;
use crate::Cursor;
use crate::engine::{Engine, Shared};
use crate::error::QueryError;
use crate::handler::{Asker, LETTER_DISCARDED, LETTER_RETRIED, event_at};
use crate::query::Wait;
use serde_json::{Value, json};
use tacho_event::{Draft, Event, EventError, Position, Recorded, Sameness, derived_id, json as text};
use tacho_journal::AppendError;
use tacho_view::{Letter, LetterCause, LetterQuery, LetterState};
use thiserror::Error;

/// Letters that are tried again or given up in one append.
const PIECE: usize = 200;
/// Who writes what becomes of letters.
const SOURCE: &str = "/tacho/delivery";
/// Letters of one call; who asks for more calls again.
const MOST: usize = 5_000;

/// What a handler gave up on.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    pub letter: Letter,
    /// Why, as the letter's own event tells it whole.
    pub error: Vec<u8>,
    /// The event that was not delivered, with the payload that it had then.
    pub event: Option<Recorded>,
}

#[derive(Debug, Clone)]
pub struct DeadLetterPage {
    pub letters: Vec<DeadLetter>,
    /// How many are open, on this page or not.
    pub total: u64,
    pub next: Option<Cursor>,
    /// The answer includes everything up to here.
    pub position: Position,
}

/// Why a letter is neither tried again nor given up.
#[derive(Debug, Error)]
pub enum LetterError {
    #[error("no dead letter has the id {0:?}: see `tacho dead list`")]
    Unknown(String),
    #[error("dead letter {id:?} is {} already", state.as_str())]
    Settled { id: String, state: LetterState },
    #[error("handler {0:?} does not run: start it, then try again")]
    NoHandler(String),
    #[error(transparent)]
    Event(#[from] EventError),
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// What is done with letters.
#[derive(Debug, Clone)]
pub enum LetterDeed {
    /// The event goes to its handler again, with another payload where there is one (minified JSON).
    Retry {
        data: Option<Vec<u8>>,
    },
    Discard,
}

impl Engine {
    /// Open dead letters, the oldest first.
    pub async fn dead_letters(
        &self,
        mut query: LetterQuery,
        cursor: Option<Cursor>,
    ) -> Result<DeadLetterPage, QueryError> {
        self.wait(Wait::Head).await?;
        query.after = cursor.map_or(Position::ZERO, |cursor| cursor.position);
        let log = self.log_id();
        self.on_a_thread(move |shared| {
            let reader = shared.fold.reader();
            let position = reader.position();
            let limit = query.limit;
            let ask = LetterQuery { limit: limit + 1, ..query };
            let (mut found, total) = (reader.letters(&ask)?, reader.letter_count(&ask)?);
            let more = found.len() > limit;
            found.truncate(limit);
            let next = found.last().filter(|_| more).map(|last| last.position);
            let next = next.map(|position| Cursor { log, reverse: false, position });
            let letters = found.into_iter().map(|letter| whole(shared, letter)).collect::<Result<_, _>>()?;
            Ok(DeadLetterPage { letters, total, next, position })
        })
        .await
    }

    /// One letter, whatever became of it.
    pub async fn dead_letter(&self, id: &str) -> Result<Option<DeadLetter>, QueryError> {
        self.wait(Wait::Head).await?;
        let id = id.to_owned();
        self.on_a_thread(move |shared| {
            let letter = shared.fold.reader().letter(&id)?;
            letter.map(|letter| whole(shared, letter)).transpose()
        })
        .await
    }

    /// Why letters are open, the most frequent reason first.
    pub async fn dead_letter_causes(&self) -> Result<Vec<LetterCause>, QueryError> {
        self.wait(Wait::Head).await?;
        self.on_a_thread(|shared| Ok(shared.fold.reader().letter_causes()?)).await
    }

    /// Tries one letter again, or gives it up.
    pub async fn settle_letter(&self, id: &str, deed: LetterDeed, asker: Asker) -> Result<(), LetterError> {
        let letter = self.dead_letter(id).await?.ok_or_else(|| LetterError::Unknown(id.to_owned()))?.letter;
        if letter.state != LetterState::Open {
            return Err(LetterError::Settled { id: letter.id, state: letter.state });
        }
        self.admit(&letter, &deed)?;
        let event = self.event_of(&letter, &deed, &asker)?;
        self.append(vec![event], Vec::new()).await?;
        Ok(())
    }

    /// Tries open letters again, or gives them up, the oldest first. Answers how many, and how many are left.
    pub async fn settle_letters(
        &self,
        query: LetterQuery,
        deed: LetterDeed,
        asker: Asker,
    ) -> Result<(u64, u64), LetterError> {
        self.wait(Wait::Head).await?;
        let query = LetterQuery { limit: MOST, ..query };
        let (letters, total) = self
            .on_a_thread(move |shared| {
                let reader = shared.fold.reader();
                Ok((reader.letters(&query)?, reader.letter_count(&query)?))
            })
            .await?;
        for letter in &letters {
            self.admit(letter, &deed)?;
        }
        for piece in letters.chunks(PIECE) {
            let events = piece.iter().map(|letter| self.event_of(letter, &deed, &asker));
            self.append(events.collect::<Result<_, _>>()?, Vec::new()).await?;
        }
        let count = letters.len() as u64;
        Ok((count, total - count))
    }

    fn admit(&self, letter: &Letter, deed: &LetterDeed) -> Result<(), LetterError> {
        let is_retry = matches!(deed, LetterDeed::Retry { .. });
        if is_retry && !self.is_known_handler(&letter.handler) {
            return Err(LetterError::NoHandler(letter.handler.clone()));
        }
        Ok(())
    }

    fn event_of(&self, letter: &Letter, deed: &LetterDeed, asker: &Asker) -> Result<Event, LetterError> {
        let event = match deed {
            LetterDeed::Retry { data } => self.retry_of(letter, data.as_deref(), None, asker),
            LetterDeed::Discard => {
                let draft = self.draft_of(letter, LETTER_DISCARDED, asker);
                with_data(draft, data_of(letter, asker).to_string().into_bytes())
            }
        };
        Ok(event?)
    }

    /// Has a letter's event delivered again: to its handler, or to the one that `to` names; with another payload where
    /// there is one.
    pub(crate) fn retry_of(
        &self,
        letter: &Letter,
        edited: Option<&[u8]>,
        to: Option<&str>,
        asker: &Asker,
    ) -> Result<Event, EventError> {
        let mut data = data_of(letter, asker);
        if let Some(to) = to {
            data["to"] = to.into();
        }
        let mut data = data.to_string().into_bytes();
        if let Some(edited) = edited {
            data.pop();
            data.extend_from_slice(b",\"data\":");
            data.extend_from_slice(edited);
            data.push(b'}');
        }
        with_data(self.draft_of(letter, LETTER_RETRIED, asker), data)
    }

    /// Whether the log says so, though the read side may not know yet.
    pub(crate) fn is_settled(&self, letter: &Letter) -> Result<bool, QueryError> {
        Ok(self.shared.journal.find(SOURCE, &settling_id(letter))?.is_some())
    }

    fn draft_of(&self, letter: &Letter, kind: &'static str, asker: &Asker) -> Draft<'static> {
        let mut draft = Draft::new(kind, SOURCE, settling_id(letter));
        draft.subject = Some(stream(&letter.handler).into());
        draft.put_text("time", &self.now().to_rfc3339());
        draft.put_text("causationid", &letter.id);
        let (actor_type, actor) = asker.by.split_once(':').unwrap_or(("user", &asker.by));
        draft.put_text("actortype", actor_type);
        draft.put_text("actorid", actor);
        draft
    }
}

/// The same for the same letter, so that it is settled once.
fn settling_id(letter: &Letter) -> String {
    derived_id("letter", &[&letter.id])
}

fn data_of(letter: &Letter, asker: &Asker) -> Value {
    json!({
        "letter": letter.id, "handler": letter.handler, "position": letter.event.0,
        "by": asker.by, "reason": asker.reason,
    })
}

fn with_data(mut draft: Draft<'static>, data: Vec<u8>) -> Result<Event, EventError> {
    draft.set_data(data);
    draft.finish(Sameness::FirstWins)
}

fn whole(shared: &Shared, letter: Letter) -> Result<DeadLetter, QueryError> {
    let own = shared.log.get(letter.position)?;
    let error = own.as_ref().and_then(|own| text::member(own.data()?, "error")).unwrap_or(b"null").to_vec();
    let event = event_at(&shared.log, letter.event)?;
    Ok(DeadLetter { letter, error, event })
}
