//! Black-box tests: the service over its sockets, the command as a process.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands; clippy knows only #[test] functions as tests"
)]

mod actions;
mod architecture;
mod attacks;
mod backup;
mod batches;
mod chat;
mod check;
mod commands;
mod delivery;
mod disk;
mod doctor;
mod documentation;
mod duplicates;
mod failures;
#[cfg(target_os = "linux")]
mod faults;
mod files;
mod gaps;
mod history;
mod identity;
mod interleavings;
mod journey;
mod leftover_log;
mod manage;
mod media;
mod mutants;
mod on_error;
mod operations;
mod operations_docs;
mod outbound_cases;
mod outbox;
mod outbox_by_hand;
mod people;
mod plans;
mod process;
mod raw_http;
#[cfg(target_os = "linux")]
mod replaced_database;
mod schema;
mod send;
mod side_channels;
mod sqlite;
mod store;
mod strangers;
mod support;
mod telemetry;
mod template_status;
mod timers;
mod watch;
mod webhook_cases;
mod webhook_http;
mod why_and_replay;
