//! Commands on rules files: check, test, explain, hours, schema, chat.

pub(crate) mod chat;
pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod explanation;
pub(crate) mod hours;
pub(crate) mod load;
pub(crate) mod schema;
pub(crate) mod test;
