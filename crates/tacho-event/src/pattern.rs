//! Patterns for names: `*` matches any run of characters, dots too.

/// A name, or a pattern with `*`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern(Box<str>);

impl Pattern {
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it names one thing only.
    pub fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }

    /// What every match begins with.
    pub fn prefix(&self) -> &str {
        self.0.split('*').next().unwrap_or_default()
    }

    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }

    /// As [`Self::matches`], for event types: a type of Tachograph's own is matched only by a pattern
    /// that begins with `tacho.`.
    pub fn matches_type(&self, kind: &str) -> bool {
        (!kind.starts_with("tacho.") || self.0.starts_with("tacho.")) && self.matches(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_match_runs() {
        let matches = |pattern: &str, name: &str| Pattern::new(pattern).matches(name);
        for (pattern, name) in [
            ("a.b", "a.b"),
            ("*", ""),
            ("*", "a.b.c"),
            ("a.*", "a.b.c"),
            ("*.captured", "x.y.captured"),
            ("tool.*.completed", "tool.x.completed"),
            ("a*a", "aa"),
            ("**", "x"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("a.b", "a.bc"),
            ("a.*", "a"),
            ("a*a", "a"),
            ("*b*", "ac"),
            ("tool.*.completed", "tool.completed"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn own_types_need_their_name() {
        assert!(!Pattern::new("*").matches_type("tacho.marker_rejected"));
        assert!(!Pattern::new("*rejected").matches_type("tacho.marker_rejected"));
        assert!(Pattern::new("tacho.*").matches_type("tacho.marker_rejected"));
        assert!(Pattern::new("*").matches_type("demo.a"));
    }
}
