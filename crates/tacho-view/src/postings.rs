//! The positions of one term in one run, as bytes: the first place in two bytes, then the gaps less one
//! as LEB128; or, where that would be longer, one bit a place of the segment. The length tells which.

use crate::bits::{Bits, SEGMENT_EVENTS};
use crate::error::ViewError;

const BITMAP_BYTES: usize = (SEGMENT_EVENTS / 8) as usize;

/// Appends `lows`, which is not empty and ascends.
pub(crate) fn encode(lows: &[u16], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&lows[0].to_le_bytes());
    for pair in lows.windows(2) {
        write_number(u32::from(pair[1] - pair[0] - 1), out);
        if out.len() - start >= BITMAP_BYTES {
            out.truncate(start);
            return Bits::write_bytes(lows, out);
        }
    }
}

/// Adds the positions to `bits`.
pub(crate) fn add_to(data: &[u8], bits: &mut Bits) -> Result<(), ViewError> {
    if data.len() == BITMAP_BYTES {
        bits.or_bytes(data);
        return Ok(());
    }
    each(data, |low| bits.set(low))
}

/// Appends the positions to `lows`.
pub(crate) fn append_to(data: &[u8], lows: &mut Vec<u16>) -> Result<(), ViewError> {
    if data.len() == BITMAP_BYTES {
        let mut bits = Bits::new();
        bits.or_bytes(data);
        bits.each(false, |low| {
            lows.push(low);
            true
        });
        return Ok(());
    }
    each(data, |low| lows.push(low))
}

fn each(data: &[u8], mut visit: impl FnMut(u16)) -> Result<(), ViewError> {
    let (first, mut rest) = data.split_first_chunk::<2>().ok_or_else(damaged)?;
    let mut low = u32::from(u16::from_le_bytes(*first));
    visit(low as u16);
    while !rest.is_empty() {
        low = low.saturating_add(read_number(&mut rest)?).saturating_add(1);
        visit(u16::try_from(low).map_err(|_| damaged())?);
    }
    Ok(())
}

/// Appends a number as LEB128.
pub(crate) fn write_number(mut number: u32, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a number of at most 28 bits off the front of `data`.
pub(crate) fn read_number(data: &mut &[u8]) -> Result<u32, ViewError> {
    let mut number = 0;
    for shift in [0, 7, 14, 21] {
        let (byte, rest) = data.split_first().ok_or_else(damaged)?;
        *data = rest;
        number |= u32::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(damaged())
}

#[cold]
fn damaged() -> ViewError {
    ViewError::Damaged("a list of positions does not decode")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lows: &[u16]) -> usize {
        let mut data = Vec::new();
        encode(lows, &mut data);
        let mut back = Vec::new();
        append_to(&data, &mut back).unwrap();
        assert_eq!(back, lows);
        let mut bits = Bits::new();
        add_to(&data, &mut bits).unwrap();
        let mut members = Vec::new();
        bits.each(false, |low| {
            members.push(low);
            true
        });
        assert_eq!(members, lows);
        data.len()
    }

    #[test]
    fn comes_back_as_it_went_and_is_never_longer_than_a_bitmap() {
        assert_eq!(check(&[0]), 2);
        assert_eq!(check(&[65_535]), 2);
        assert_eq!(check(&[7, 8, 300, 65_535]), 8);
        let all: Vec<u16> = (0..=u16::MAX).collect();
        assert_eq!(check(&all), BITMAP_BYTES);
        assert_eq!(check(&all[..BITMAP_BYTES - 2]), BITMAP_BYTES - 1);
        assert_eq!(check(&all[..BITMAP_BYTES - 1]), BITMAP_BYTES);
        let sparse: Vec<u16> = all.iter().copied().step_by(200).collect();
        assert!(check(&sparse) < 1000);
    }

    #[test]
    fn nonsense_is_refused() {
        for data in [&[][..], &[1], &[0, 0, 0x80], &[0xFF, 0xFF, 0], &[0, 0, 0xFF, 0xFF, 0xFF, 0xFF]] {
            assert!(append_to(data, &mut Vec::new()).is_err(), "{data:?}");
        }
    }
}
