//! Amounts of money, in integers.

use std::iter::Sum;
use std::ops::AddAssign;

/// Billionths of a US dollar: the price of one token is a whole number of them, so sums are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct NanoUsd(pub i64);

impl NanoUsd {
    /// From dollars, rounded to the next billionth; what no amount can be (negative, not a number, over nine
    /// billion) is none.
    pub fn from_usd(dollars: f64) -> Option<Self> {
        let nano = (dollars * 1e9).round();
        (0.0..9e18).contains(&nano).then_some(Self(nano as i64))
    }

    pub fn usd(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl AddAssign for NanoUsd {
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

impl Sum for NanoUsd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self(0), |mut all, amount| {
            all += amount;
            all
        })
    }
}
