//! `include`: says which files are not here, and why.
//!
//! The caller has looked for them and noted what it did not find in [`SourceMap`].

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::sources::{IncludeError, SourceMap};

/// A diagnostic at each entry of `include` that is not here as a whole.
pub(crate) fn left_out(sources: &SourceMap) -> Vec<Diagnostic> {
    let all = sources.left_out().map(|(include, why)| {
        let (name, span) = (&include.name, include.span.clone());
        let error = |message: String| Diagnostic::error(codes::INCLUDE, span.clone(), message);
        match why {
            IncludeError::Missing => error(format!("there is no file `{name}`"))
                .label("to be included")
                .help("names are relative to the folder of the file they stand in".to_owned()),
            IncludeError::Itself => error("the file includes itself".to_owned())
                .label("this is the main file")
                .help("name only the other files".to_owned()),
            IncludeError::NoPattern(reason) => {
                error(format!("`{name}` is no pattern for names of files"))
                    .label(reason.as_str())
                    .help("`*` stands for any part of a name: `rules/*.toml`".to_owned())
            }
            IncludeError::NoMatch => {
                let message = format!("no file fits `{name}`");
                Diagnostic::warning(codes::NO_INCLUDE, span, message)
                    .label("nothing is included")
                    .help("names are relative to the folder of the file they stand in".to_owned())
            }
            IncludeError::NoText(file) => error(format!("`{file}` is not text in UTF-8"))
                .label("to be included")
                .help("save it with the encoding UTF-8".to_owned()),
            IncludeError::Unreadable(file, reason) => {
                error(format!("`{file}` cannot be read")).label(reason.as_str())
            }
        }
    });
    all.collect()
}
