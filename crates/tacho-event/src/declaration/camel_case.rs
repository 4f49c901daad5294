//! Names of agents and events as parts of an event type.

/// `url-cacher` → `urlCacher`, `cache_requested` → `cacheRequested`, `URLCached` → `urlCached`,
/// `cacheRequested` stays. What is neither letter nor digit ends a word; `None` where no word is left or
/// where it holds other than ASCII.
pub fn camel_case(name: &str) -> Option<String> {
    if !name.is_ascii() {
        return None;
    }
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut out = with_small_start(words.next()?);
    for word in words {
        out.push(word.as_bytes()[0].to_ascii_uppercase().into());
        out.push_str(&word[1..]);
    }
    Some(out)
}

/// Makes the capitals that a word begins with small, but for the one that begins its next part.
fn with_small_start(word: &str) -> String {
    let capitals = word.bytes().take_while(u8::is_ascii_uppercase).count();
    let followed_by_small = word.as_bytes().get(capitals).is_some_and(u8::is_ascii_lowercase);
    let small = if capitals > 1 && followed_by_small { capitals - 1 } else { capitals };
    word[..small].to_ascii_lowercase() + &word[small..]
}

#[cfg(test)]
mod tests {
    use super::camel_case;

    #[test]
    fn names() {
        for (name, expected) in [
            ("url-cacher", Some("urlCacher")),
            ("cacheRequested", Some("cacheRequested")),
            ("cache_requested", Some("cacheRequested")),
            ("CacheRequested", Some("cacheRequested")),
            ("URLCached", Some("urlCached")),
            ("URL", Some("url")),
            ("URL2 cached", Some("url2Cached")),
            ("my  agent--v2", Some("myAgentV2")),
            ("2fast", Some("2fast")),
            ("--", None),
            ("", None),
            ("größe", None),
        ] {
            assert_eq!(camel_case(name).as_deref(), expected, "{name}");
        }
    }
}
