//! Flows: the answer to a question, the way to the next one, and the endings.

mod accept;
mod advance;
mod answer;
mod ending;
mod question;
mod run;
mod turn;

pub(crate) use advance::start;
pub(crate) use answer::resume;
pub(crate) use ending::time_out;
pub(crate) use question::ask_again;
pub(crate) use run::source;
pub(crate) use turn::{FlowTurn, enter, take_message};
