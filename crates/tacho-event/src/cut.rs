//! Text within a limit.

/// The longest start of `text` with at most `bytes` bytes.
pub fn head(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_is_never_cut() {
        let heads = [0, 1, 2, 3, 9].map(|bytes| head("aé€", bytes));
        assert_eq!(heads, ["", "a", "a", "aé", "aé€"]);
    }
}
