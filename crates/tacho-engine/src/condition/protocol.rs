//! What the engine and a worker say to each other, over one stream socket.
//!
//! The engine begins with a [`Task`], which the worker answers with [`READY`], or with [`REFUSED`] and a text
//! that says why. From then on the engine sends batches of texts, and the worker answers each as the task's
//! [`Asked`] says. Numbers are little-endian; a text is its length, 32 bits, and its bytes.

use std::io::{self, Read, Write};

/// The condition was compiled.
pub const READY: u8 = 1;
/// The condition is no program; a text follows.
pub const REFUSED: u8 = 0;
/// Longest text, in bytes: above any event that a log takes.
const MAX_TEXT_BYTES: u32 = 64 << 20;
/// Most events of a batch.
const MAX_BATCH_EVENTS: u32 = 1 << 16;

/// What is asked of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Asked {
    /// One byte for each text: 1 where the condition holds.
    Holds = 0,
    /// For each text its first answer: [`READY`] and the JSON, or [`REFUSED`] and what the program says.
    First = 1,
    /// The first text is a state, the others are events: one answer as above, the state behind them.
    Fold = 2,
}

/// What a worker is to do, and within which limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Address space of the worker, in bytes.
    pub memory_bytes: u64,
    /// Time for a batch, in milliseconds.
    pub batch_ms: u64,
    pub asked: Asked,
    /// In jq.
    pub program: String,
}

impl Asked {
    fn from_number(number: u8) -> Option<Self> {
        [Self::Holds, Self::First, Self::Fold].into_iter().find(|asked| *asked as u8 == number)
    }
}

impl Task {
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&self.memory_bytes.to_le_bytes())?;
        out.write_all(&self.batch_ms.to_le_bytes())?;
        out.write_all(&[self.asked as u8])?;
        write_text(self.program.as_bytes(), out)
    }

    pub fn read(input: &mut impl Read) -> io::Result<Self> {
        let memory_bytes = u64::from_le_bytes(read_array(input)?);
        let batch_ms = u64::from_le_bytes(read_array(input)?);
        let [asked] = read_array(input)?;
        let asked = Asked::from_number(asked).ok_or_else(|| too_large("task"))?;
        let program = String::from_utf8(read_text(input)?).map_err(io::Error::other)?;
        Ok(Self { memory_bytes, batch_ms, asked, program })
    }
}

pub fn write_batch(events: &[impl AsRef<[u8]>], out: &mut impl Write) -> io::Result<()> {
    let count = u32::try_from(events.len()).ok().filter(|count| *count <= MAX_BATCH_EVENTS);
    out.write_all(&count.ok_or_else(|| too_large("batch"))?.to_le_bytes())?;
    events.iter().try_for_each(|event| write_text(event.as_ref(), out))
}

/// The events of a batch. Fails at the end of input.
pub fn read_batch(input: &mut impl Read) -> io::Result<Vec<Vec<u8>>> {
    let count = u32::from_le_bytes(read_array(input)?);
    if count > MAX_BATCH_EVENTS {
        return Err(too_large("batch"));
    }
    (0..count).map(|_| read_text(input)).collect()
}

/// An answer of [`Asked::First`] or [`Asked::Fold`].
pub fn write_answer(answer: &Result<String, String>, out: &mut impl Write) -> io::Result<()> {
    let (verdict, text) = match answer {
        Ok(text) => (READY, text),
        Err(text) => (REFUSED, text),
    };
    out.write_all(&[verdict])?;
    write_text(text.as_bytes(), out)
}

pub fn read_answer(input: &mut impl Read) -> io::Result<Result<String, String>> {
    let [verdict] = read_array(input)?;
    let text = String::from_utf8(read_text(input)?).map_err(io::Error::other)?;
    Ok(if verdict == READY { Ok(text) } else { Err(text) })
}

pub fn write_text(text: &[u8], out: &mut impl Write) -> io::Result<()> {
    let length = u32::try_from(text.len()).ok().filter(|length| *length <= MAX_TEXT_BYTES);
    out.write_all(&length.ok_or_else(|| too_large("text"))?.to_le_bytes())?;
    out.write_all(text)
}

pub fn read_text(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let length = u32::from_le_bytes(read_array(input)?);
    if length > MAX_TEXT_BYTES {
        return Err(too_large("text"));
    }
    let mut text = vec![0; length as usize];
    input.read_exact(&mut text)?;
    Ok(text)
}

fn read_array<const N: usize>(input: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn too_large(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the {what} is out of bounds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let task = Task { memory_bytes: 7, batch_ms: 9, asked: Asked::Fold, program: "true".to_owned() };
        let mut sent = Vec::new();
        task.write(&mut sent).unwrap();
        write_batch(&["{}", ""], &mut sent).unwrap();
        let mut input = sent.as_slice();
        assert_eq!(Task::read(&mut input).unwrap(), task);
        assert_eq!(read_batch(&mut input).unwrap(), [b"{}".to_vec(), Vec::new()]);
        assert_eq!(read_batch(&mut input).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_length_beyond_the_limit_is_not_allocated() {
        let mut input = [0xff; 8].as_slice();
        assert_eq!(read_batch(&mut input).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(read_text(&mut input).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
