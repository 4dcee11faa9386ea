//! A file of the rules, with its tables by name.

use crate::diagnostics::syntax::SyntaxError;
use crate::diagnostics::toml_reader::Table;

/// A file after the parser.
pub(crate) struct Document<'d> {
    pub(crate) root: Table<'d>,
    pub(crate) syntax: Vec<SyntaxError>,
}
