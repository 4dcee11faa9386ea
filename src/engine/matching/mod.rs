//! Which rules a message matches: conditions, and the index that finds them.

pub(crate) mod evaluate;
pub(crate) mod index;
