//! How it went with events that were delivered again: whoever took them says in its progress that they are settled.

use super::PIECE;
use super::case::Case;
use super::record::{self, Attempt};
use crate::delivery::letter_id;
use crate::engine::Engine;
use crate::error::{QueryError, WatchError};
use crate::handler::Progress;
use std::collections::HashMap;
use tacho_event::Position;
use tacho_view::Heal;

/// Goes round all attempts under way, a piece with each look.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    after: Position,
}

impl Outcomes {
    pub(super) fn look(&mut self, engine: &Engine) -> Result<(), WatchError> {
        let under_way = engine.shared.fold.reader().heals_under_way(self.after, PIECE);
        let under_way = under_way.map_err(QueryError::from)?;
        self.after = match under_way.last() {
            Some(last) if under_way.len() == PIECE => last.position,
            _ => Position::ZERO,
        };
        let mut known: HashMap<String, Option<Progress>> = HashMap::new();
        let mut events = Vec::new();
        for heal in under_way {
            let Some((taker, retry)) = heal.retry.clone() else { continue };
            if !known.contains_key(&taker) {
                let progress = Progress::load(&engine.shared.log, &taker).map_err(QueryError::from)?;
                known.insert(taker.clone(), progress.map(|(_, progress)| progress));
            }
            let progress = known.get(&taker).and_then(Option::as_ref);
            if progress.is_some_and(|progress| progress.has_settled(retry))
                && !is_dead(engine, &taker, retry)?
            {
                events.extend(healed(engine, &heal)?);
            }
        }
        if !events.is_empty() {
            engine.append_and_wait(events)?;
        }
        Ok(())
    }
}

/// Whether there is another letter. It came to the log together with the progress.
fn is_dead(engine: &Engine, taker: &str, retry: Position) -> Result<bool, QueryError> {
    Ok(engine.journal().find("/tacho/delivery", &letter_id(taker, retry))?.is_some())
}

fn healed(engine: &Engine, heal: &Heal) -> Result<Vec<tacho_event::Event>, WatchError> {
    let Some(letter) = engine.shared.fold.reader().letter(&heal.letter).map_err(QueryError::from)? else {
        return Ok(Vec::new());
    };
    let Some(case) = Case::load(&engine.shared, letter)? else { return Ok(Vec::new()) };
    let attempt = Attempt { rule: &heal.rule, number: heal.attempt };
    // What can make no event is not told.
    Ok(record::healed(&case, attempt, engine.now()).unwrap_or_default())
}
