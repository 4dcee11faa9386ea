//! Terminal input and output of all commands.
//!
//! Results go to standard output, everything else to standard error; `output` is the only file that
//! writes to either. Text from contacts, Meta or files is shown through `untrusted_text`.

pub(crate) mod bubble;
pub(crate) mod confirm;
mod error;
mod format;
mod output;
pub(crate) mod overwrite;
pub(crate) mod progress;
mod style;
pub(crate) mod table;
mod untrusted_text;

pub(crate) use self::error::{Hint, error, error_text};
pub(crate) use self::format::Format;
pub(crate) use self::output::{
    ask, can_ask, finish, is_terminal, json_line, line, note, over, prompt,
};
pub(crate) use self::style::{BAD, DIM, GOOD, LITERAL, PAPER, STRONG, WARN, paint};
pub(crate) use self::untrusted_text::{
    BUSINESS, CONTACT, behind, drawn, framed, name, one_line, path, shortened, visible,
};
