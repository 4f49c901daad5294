//! Who gets an event that asks for a capability: a pure choice, so that a retry comes to the same version.

/// Who could do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    pub(crate) is_healthy: bool,
    /// What it has to do already, in events.
    pub(crate) load: u64,
}

/// Which part of the events each version gets. Empty: the highest version gets all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Split(pub Vec<(String, u32)>);

/// Health first, then the version by the split or the highest, then the one with least to do.
pub(crate) fn choose<'c>(candidates: &'c [Candidate], split: &Split, key: &str) -> Option<&'c Candidate> {
    let healthy = || candidates.iter().filter(|one| one.is_healthy);
    if split.0.is_empty() {
        let highest = healthy().map(|one| numbers(one.version.as_deref())).max()?;
        return healthy()
            .filter(|one| numbers(one.version.as_deref()) == highest)
            .min_by_key(|one| (one.load, &one.name));
    }
    let is_there = |version: &str| healthy().any(|one| one.version.as_deref() == Some(version));
    let point = hash(key);
    let version = split
        .at(point, |_| true)
        .filter(|version| is_there(version))
        // Only the keys of a version that is not well go elsewhere.
        .or_else(|| split.at(mixed(point), is_there))?;
    healthy().filter(|one| one.version.as_deref() == Some(version)).min_by_key(|one| (one.load, &one.name))
}

impl Split {
    /// The version whose part of those that are meant a point falls into.
    fn at(&self, point: u64, is_meant: impl Fn(&str) -> bool) -> Option<&str> {
        let meant = || self.0.iter().filter(|(version, _)| is_meant(version));
        let whole: u64 = meant().map(|(_, part)| u64::from(*part)).sum();
        let mut rest = point.checked_rem(whole)?;
        for (version, part) in meant() {
            match rest.checked_sub(u64::from(*part)) {
                Some(left) => rest = left,
                None => return Some(version),
            }
        }
        None
    }
}

/// FNV-1a, mixed: the same on every machine and in every version.
fn hash(key: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    mixed(key.bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

/// The finalizer of SplitMix64: near numbers become far ones.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// As numbers; without a version it is the lowest.
fn numbers(version: Option<&str>) -> [u64; 3] {
    let mut numbers = [0; 3];
    let parts = version.unwrap_or_default().split(['.', '-', '+']);
    for (number, part) in numbers.iter_mut().zip(parts) {
        *number = part.parse().unwrap_or(0);
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(all: &[(&str, &str, bool, u64)]) -> Vec<Candidate> {
        let one = |(name, version, is_healthy, load): &(&str, &str, bool, u64)| Candidate {
            name: (*name).to_owned(),
            version: (!version.is_empty()).then(|| (*version).to_owned()),
            is_healthy: *is_healthy,
            load: *load,
        };
        all.iter().map(one).collect()
    }

    fn chosen(all: &[(&str, &str, bool, u64)], split: &[(&str, u32)], key: &str) -> Option<String> {
        let split = Split(split.iter().map(|(version, part)| ((*version).to_owned(), *part)).collect());
        choose(&candidates(all), &split, key).map(|one| one.name.clone())
    }

    #[test]
    fn health_comes_first_then_the_version_then_the_load() {
        for (all, wanted) in [
            (&[][..], None),
            (&[("a", "1.0.0", false, 0)][..], None),
            (&[("a", "", true, 9), ("b", "", true, 1)][..], Some("b")),
            (&[("a", "1.9.0", true, 0), ("b", "1.10.0", true, 9)][..], Some("b")),
            (&[("a", "1.0.0", true, 9), ("b", "2.0.0", false, 0)][..], Some("a")),
            (&[("b", "1.0.0", true, 3), ("a", "1.0.0", true, 3)][..], Some("a")),
        ] {
            assert_eq!(chosen(all, &[], "k").as_deref(), wanted, "{all:?}");
        }
    }

    /// Shares of so many keys, in percent.
    fn shares(all: &[(&str, &str, bool, u64)], split: &[(&str, u32)], keys: u32) -> Vec<f64> {
        let count = |name: &str| {
            let all_keys = (0..keys).map(|n| format!("handler:{n}"));
            let its = all_keys.filter(|key| chosen(all, split, key).as_deref() == Some(name)).count();
            its as f64 * 100.0 / f64::from(keys)
        };
        all.iter().map(|(name, ..)| count(name)).collect()
    }

    #[test]
    fn a_split_is_kept_and_who_is_not_well_gives_its_part_away() {
        let split = &[("1.2.0", 90), ("2.0.0", 10)];
        let near = |shares: &[f64], wanted: &[f64]| {
            shares.iter().zip(wanted).all(|(share, wanted)| (share - wanted).abs() <= 1.0)
        };
        let well = [("a", "1.2.0", true, 50), ("b", "2.0.0", true, 0), ("c", "3.0.0", true, 0)];
        assert!(
            near(&shares(&well, split, 10_000), &[90.0, 10.0, 0.0]),
            "{:?}",
            shares(&well, split, 10_000)
        );
        let ill = [("a", "1.2.0", false, 0), ("b", "2.0.0", true, 0)];
        assert_eq!(shares(&ill, split, 10_000), [0.0, 100.0]);
        let three = &[("1", 50), ("2", 30), ("3", 20)];
        let ill = [("a", "1", false, 0), ("b", "2", true, 0), ("c", "3", true, 0)];
        // Even shares scatter most: of 10,000 keys, a percent is but two standard deviations.
        assert!(near(&shares(&ill, three, 40_000), &[0.0, 60.0, 40.0]), "{:?}", shares(&ill, three, 40_000));
        assert_eq!(chosen(&[("c", "3.0.0", true, 0)], split, "k"), None);
    }

    #[test]
    fn a_key_stays_where_it_is_while_its_version_is_well() {
        let split = &[("1", 50), ("2", 30), ("3", 20)];
        let well = [("a", "1", true, 0), ("b", "2", true, 0), ("c", "3", true, 0)];
        let ill = [("a", "1", false, 0), ("b", "2", true, 7), ("c", "3", true, 0)];
        for key in (0..1_000).map(|n| n.to_string()) {
            let before = chosen(&well, split, &key).unwrap();
            let after = chosen(&ill, split, &key).unwrap();
            assert!(before == "a" || before == after, "{key}");
        }
    }
}
