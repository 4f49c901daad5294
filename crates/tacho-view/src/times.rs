//! The times of a run's events as bytes: the lowest, a unit that divides all distances to it, and each
//! distance in as few bytes as the greatest needs.

use crate::error::ViewError;

const UNITS_NS: [u64; 4] = [1_000_000_000, 1_000_000, 1000, 1];
const HEADER_BYTES: usize = 10;

/// `lowest` is the least of `times`, in nanoseconds since 1970.
pub(crate) fn encode(times: &[i64], lowest: i64) -> Vec<u8> {
    let distance = |time: &i64| time.wrapping_sub(lowest) as u64;
    let whole = |unit: &u64| times.iter().all(|time| distance(time).is_multiple_of(*unit));
    let unit = UNITS_NS.iter().position(whole).unwrap_or(UNITS_NS.len() - 1);
    let greatest = times.iter().map(distance).max().unwrap_or(0) / UNITS_NS[unit];
    let width = 8 - greatest.leading_zeros() as usize / 8;
    let mut out = Vec::with_capacity(HEADER_BYTES + times.len() * width);
    out.extend_from_slice(&[unit as u8, width as u8]);
    out.extend_from_slice(&lowest.to_le_bytes());
    for time in times {
        out.extend_from_slice(&(distance(time) / UNITS_NS[unit]).to_le_bytes()[..width]);
    }
    out
}

/// Calls `visit` with the number and the time of each of `count` events.
pub(crate) fn each(data: &[u8], count: usize, mut visit: impl FnMut(usize, i64)) -> Result<(), ViewError> {
    let (header, values) = data.split_first_chunk::<HEADER_BYTES>().ok_or_else(damaged)?;
    let [unit, width, lowest @ ..] = *header;
    let unit = *UNITS_NS.get(usize::from(unit)).ok_or_else(damaged)?;
    let width = usize::from(width);
    if width > 8 || values.len() != width * count {
        return Err(damaged());
    }
    let lowest = i64::from_le_bytes(lowest);
    for index in 0..count {
        let mut distance = [0; 8];
        distance[..width].copy_from_slice(&values[index * width..(index + 1) * width]);
        let distance = u64::from_le_bytes(distance).wrapping_mul(unit);
        visit(index, lowest.wrapping_add(distance as i64));
    }
    Ok(())
}

#[cold]
fn damaged() -> ViewError {
    ViewError::Damaged("the times of a run do not decode")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(times: &[i64]) -> usize {
        let data = encode(times, *times.iter().min().unwrap());
        let mut back = Vec::new();
        each(&data, times.len(), |_, time| back.push(time)).unwrap();
        assert_eq!(back, times);
        (data.len() - HEADER_BYTES) / times.len()
    }

    #[test]
    fn comes_back_as_it_went_and_small() {
        assert_eq!(check(&[5, 5, 5]), 0);
        assert_eq!(check(&[3_000_000_000, 0, 255_000_000_000]), 1);
        assert_eq!(check(&[1_700_000_000_123_000_000, 1_700_000_000_456_000_000]), 2);
        assert_eq!(check(&[i64::MIN, i64::MAX, 0]), 8);
        assert!(each(&[0, 9, 0], 1, |_, _| ()).is_err());
    }
}
