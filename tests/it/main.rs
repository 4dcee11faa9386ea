//! Black-box tests: the service over its sockets, the command as a process.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands; clippy knows only #[test] functions as tests"
)]

mod actions;
mod architecture;
mod attacks;
mod batches;
mod chat;
mod check;
mod delivery;
mod demo;
mod doctor;
mod documentation;
mod duplicates;
mod gaps;
mod history;
mod hours;
mod journey;
mod manage;
mod manage_templates;
mod media;
mod mutants;
mod operations;
mod outbound_cases;
mod past;
mod people;
mod process;
mod raw_http;
mod rehearsal;
mod schema;
mod send;
mod sqlite;
mod store;
mod support;
mod waiting;
mod webhook_cases;
mod webhook_http;
