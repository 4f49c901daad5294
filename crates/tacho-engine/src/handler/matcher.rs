//! Which handlers may want an event, by its type: a look-up, however many handlers there are.

use std::collections::HashMap;
use tacho_event::{Filter, Pattern};

#[derive(Debug, Default)]
pub(crate) struct Matcher {
    exact: HashMap<Box<str>, Vec<usize>>,
    patterns: Vec<(Pattern, usize)>,
    /// Handlers that every event is shown to, since they name no type.
    all: Vec<usize>,
}

impl Matcher {
    pub(crate) fn add(&mut self, filter: &Filter, handler: usize) {
        if filter.types.is_empty() {
            self.all.push(handler);
        }
        for pattern in &filter.types {
            match pattern.is_exact() {
                true => self.exact.entry(pattern.as_str().into()).or_default().push(handler),
                false => self.patterns.push((pattern.clone(), handler)),
            }
        }
    }

    pub(crate) fn remove(&mut self, handler: usize) {
        self.all.retain(|known| *known != handler);
        self.patterns.retain(|(_, known)| *known != handler);
        self.exact.values_mut().for_each(|known| known.retain(|known| *known != handler));
        self.exact.retain(|_, known| !known.is_empty());
    }

    /// Handlers whose types may mean this one, each once.
    pub(crate) fn find(&self, kind: &str, found: &mut Vec<usize>) {
        found.clear();
        found.extend(self.exact.get(kind).into_iter().flatten());
        found.extend(
            self.patterns.iter().filter(|(pattern, _)| pattern.matches_type(kind)).map(|(_, one)| *one),
        );
        found.extend(&self.all);
        found.sort_unstable();
        found.dedup();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_handler_is_found_once() {
        let filter = |types: &[&str]| Filter {
            types: types.iter().map(|kind| Pattern::new(*kind)).collect(),
            ..Filter::default()
        };
        let mut matcher = Matcher::default();
        matcher.add(&filter(&["demo.a", "demo.*"]), 0);
        matcher.add(&filter(&["demo.b"]), 1);
        matcher.add(&filter(&[]), 2);
        let find = |matcher: &Matcher, kind| {
            let mut found = Vec::new();
            matcher.find(kind, &mut found);
            found
        };
        assert_eq!(find(&matcher, "demo.a"), [0, 2]);
        assert_eq!(find(&matcher, "demo.b"), [0, 1, 2]);
        assert_eq!(find(&matcher, "tacho.alert"), [2]);
        matcher.remove(0);
        assert_eq!(find(&matcher, "demo.b"), [1, 2]);
    }
}
