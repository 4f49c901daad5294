//! Bodies that come compressed, bounded in what they become.

use crate::problem::Problem;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use flate2::read::MultiGzDecoder;
use std::borrow::Cow;
use std::io::Read;
use tacho_event::Code;

/// DEFLATE makes at most this many bytes of one.
const LARGEST_RATIO: usize = 1032;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Identity,
    Gzip,
}

impl Compression {
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let named =
            headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("(unreadable)").trim());
        Self::of_name(named.unwrap_or_default())
    }

    pub(crate) fn of_name(name: &str) -> Result<Self, Problem> {
        match name.to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            _ => {
                let detail =
                    format!("content encoding {name:?} is none that is accepted: send gzip or identity");
                Err(Problem::new(Code::UnsupportedMediaType, detail))
            }
        }
    }

    /// What `compressed` bytes can become at most, where more than `most` are refused.
    pub(crate) fn largest(self, compressed: usize, most: usize) -> usize {
        match self {
            Self::Identity => 0,
            Self::Gzip => compressed.saturating_mul(LARGEST_RATIO).min(most),
        }
    }

    /// The body as it was before it was compressed, of at most `most` bytes.
    pub(crate) fn expand(self, body: &[u8], most: usize) -> Result<Cow<'_, [u8]>, Problem> {
        if self == Self::Identity {
            return Ok(Cow::Borrowed(body));
        }
        let mut expanded = Vec::new();
        let read = MultiGzDecoder::new(body).take(most as u64 + 1).read_to_end(&mut expanded);
        read.map_err(|error| {
            let detail = format!("the body is no gzip: {error}; leave out Content-Encoding, or compress it");
            Problem::new(Code::InvalidEncoding, detail)
        })?;
        if expanded.len() > most {
            let detail = format!("the body is over {most} bytes when it is expanded: send it in parts");
            return Err(Problem::new(Code::BatchTooLarge, detail).with("expected", most));
        }
        Ok(Cow::Owned(expanded))
    }
}
