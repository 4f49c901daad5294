//! The four names of an event, as bytes: `LP(stream) ‖ LP(source) ‖ LP(id) ‖ LP(type)`, where
//! `LP(x) = u32be length ‖ bytes`. These bytes go into the hash of an event and on the disk as they are.

/// Where the names end inside the bytes that hold them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Names {
    ends: [u32; 4],
}

impl Names {
    pub(crate) fn write(names: [&str; 4], out: &mut Vec<u8>) -> Self {
        let start = out.len();
        let mut ends = [0; 4];
        for (name, end) in names.into_iter().zip(&mut ends) {
            out.extend_from_slice(&(name.len() as u32).to_be_bytes());
            out.extend_from_slice(name.as_bytes());
            *end = (out.len() - start) as u32;
        }
        Self { ends }
    }

    /// Finds the names at the start of `bytes`; `None` where they are not whole or not UTF-8.
    pub(crate) fn find(bytes: &[u8]) -> Option<Self> {
        let mut ends = [0; 4];
        let mut at = 0usize;
        for end in &mut ends {
            let length = u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize;
            let name = bytes.get(at + 4..(at + 4).checked_add(length)?)?;
            std::str::from_utf8(name).ok()?;
            at += 4 + length;
            *end = u32::try_from(at).ok()?;
        }
        Some(Self { ends })
    }

    pub(crate) fn length(&self) -> usize {
        self.ends[3] as usize
    }

    pub(crate) fn get<'a>(&self, bytes: &'a [u8], index: usize) -> &'a str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        // Checked when the names were written or found.
        std::str::from_utf8(&bytes[start + 4..self.ends[index] as usize]).unwrap_or_default()
    }
}

pub(crate) const STREAM: usize = 0;
pub(crate) const SOURCE: usize = 1;
pub(crate) const ID: usize = 2;
pub(crate) const TYPE: usize = 3;
