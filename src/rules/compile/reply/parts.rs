//! Parts of a reply, each with its place in the file.

use std::collections::HashMap;
use std::ops::Range;

/// The parts of one reply, by their names in [`crate::message::limits::Violation`].
pub(crate) type Parts = HashMap<String, Part>;

/// Where a part of a reply stands, for what [`crate::message::limits`] says about it.
pub(crate) struct Part {
    /// In the file.
    pub(crate) span: Range<usize>,
    /// Whether the text is known before a message comes.
    pub(crate) fixed: Fixed,
}

/// Whether a text has variables in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fixed {
    /// It is sent as it is written.
    Yes,
    /// Variables are filled in first.
    No,
}
