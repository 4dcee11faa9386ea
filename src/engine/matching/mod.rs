//! Which rules a message matches: conditions, and the index that finds them.

pub mod evaluate;
pub mod index;
