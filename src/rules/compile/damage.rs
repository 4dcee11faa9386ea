//! Diagnostics that only follow from others, and are left out: one message for one mistake.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::diagnostics::{Diagnostic, codes};

/// Warnings that often follow from an error in the same rule or flow.
const FOLLOWING: [&str; 11] = [
    codes::NO_ON_ERROR,
    codes::MISSING_TRANSLATION,
    codes::UNREACHABLE,
    codes::NEVER_ANSWERED,
    codes::SHADOWED,
    codes::UNREACHABLE_STEP,
    codes::ENDLESS_FLOW,
    codes::OVERLAPPING_IDS,
    codes::SILENT_END,
    codes::ASKED_LATER,
    codes::MATCHES_ALL,
];

/// Drops diagnostics that follow from others: those about parts of the file with a syntax error,
/// names that may stand in such a part, and warnings about a part that has an error, or that need
/// one.
pub(super) fn outside_damage(
    mut diagnostics: Vec<Diagnostic>,
    syntax: &[Diagnostic],
    blocks: &[usize],
) -> Vec<Diagnostic> {
    let block_of = |span: &Range<usize>| blocks.partition_point(|start| *start <= span.start);
    let with_errors = |errors: &[Diagnostic]| -> BTreeSet<usize> {
        let errors = errors.iter().filter(|error| error.is_error());
        errors.map(|error| block_of(&error.span)).collect()
    };
    let damaged = with_errors(syntax);
    let wrong = with_errors(&diagnostics);
    diagnostics.retain(|diagnostic| {
        let block = block_of(&diagnostic.span);
        if damaged.contains(&block) {
            return false;
        }
        if diagnostic.is_error() {
            return syntax.is_empty() || diagnostic.code != codes::UNKNOWN_NAME;
        }
        // Warnings are about the rules as a whole, which are not known yet.
        let mut places = diagnostic
            .related
            .iter()
            .map(|related| block_of(&related.span));
        let follows = FOLLOWING.contains(&diagnostic.code)
            && (wrong.contains(&block) || places.any(|place| wrong.contains(&place)));
        syntax.is_empty() && !follows
    });
    diagnostics
}
