//! From the templates of a reply to its texts: variables and their values.

mod hours_variables;
mod message_variables;
mod reply;
pub mod variables;
