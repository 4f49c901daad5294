//! Fixtures, a simulated disk and seeded randomness, for tests.

pub mod disk;
pub mod random;
