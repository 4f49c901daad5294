//! Names whose values are secrets whatever they look like.

/// What kind of secret a name announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecretName {
    Password,
    Secret,
    Authorization,
    Cookie,
    ApiKey,
    PrivateKey,
    Token,
    /// A name that the configuration adds.
    Configured,
}

/// How such names end, in lower case and without `-`, `_`, `.` and blanks: so `dbPassword`, `X-Api-Key`
/// and `CLAUDE_CODE_MESSAGING_TOKEN` are among them, and `input_tokens`, `max_tokens` and
/// `token_budget` are not.
pub(super) const ENDINGS: &[(&str, SecretName)] = &[
    ("password", SecretName::Password),
    ("passwd", SecretName::Password),
    ("passphrase", SecretName::Password),
    ("secret", SecretName::Secret),
    ("secretkey", SecretName::Secret),
    ("secretaccesskey", SecretName::Secret),
    ("authorization", SecretName::Authorization),
    ("cookie", SecretName::Cookie),
    ("cookies", SecretName::Cookie),
    ("apikey", SecretName::ApiKey),
    ("privatekey", SecretName::PrivateKey),
    ("token", SecretName::Token),
];

/// Longest name that is looked at, in bytes; of a longer one its end.
pub(super) const MAX_NAME_BYTES: usize = 64;

impl SecretName {
    /// The rule's name in `[redacted:<rule>]`.
    pub(super) fn rule(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Secret => "secret",
            Self::Authorization => "authorization",
            Self::Cookie => "cookie",
            Self::ApiKey => "api_key",
            Self::PrivateKey => "private_key",
            Self::Token => "token",
            Self::Configured => "key",
        }
    }
}

/// What kind of secret is given to this name, if any.
pub(super) fn secret_name(name: &str) -> Option<SecretName> {
    let mut folded = [0; MAX_NAME_BYTES];
    let folded = fold(name, &mut folded);
    ENDINGS.iter().find(|(ending, _)| folded.ends_with(ending.as_bytes())).map(|(_, kind)| *kind)
}

/// The end of a name in lower case without separators, as the tables hold it.
pub(super) fn fold<'a>(name: &str, buffer: &'a mut [u8; MAX_NAME_BYTES]) -> &'a [u8] {
    let mut at = MAX_NAME_BYTES;
    for byte in name.bytes().rev() {
        if at == 0 {
            break;
        }
        if !matches!(byte, b'-' | b'_' | b'.' | b' ') {
            at -= 1;
            buffer[at] = byte.to_ascii_lowercase();
        }
    }
    &buffer[at..]
}

/// A configured name, folded once.
pub(super) fn fold_owned(name: &str) -> Vec<u8> {
    fold(name, &mut [0; MAX_NAME_BYTES]).to_vec()
}

pub(super) fn is_configured(name: &str, configured: &[Vec<u8>]) -> bool {
    let mut buffer = [0; MAX_NAME_BYTES];
    let folded = fold(name, &mut buffer);
    configured.iter().any(|known| known == folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_and_of_counts() {
        for name in [
            "password",
            "DB_PASSWORD",
            "userPasswd",
            "client_secret",
            "Authorization",
            "Set-Cookie",
            "x-api-key",
            "apiKey",
            "access_token",
            "refreshToken",
            "token",
            "private_key",
            "aws_secret_access_key",
            "CLAUDE_CODE_MESSAGING_TOKEN",
        ] {
            assert!(secret_name(name).is_some(), "{name}");
        }
        for name in
            ["input_tokens", "max_tokens", "token_budget", "subagent_tokens", "tokenizer", "secretary", ""]
        {
            assert!(secret_name(name).is_none(), "{name}");
        }
    }
}
