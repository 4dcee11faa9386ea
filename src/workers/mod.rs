//! The background workers: the outbox, timers, actions of rules, media downloads.
//!
//! Each is a step function and a loop around it, woken by [`crate::intake`] or by the clock, and
//! stopped by [`crate::shutdown`].

mod action_runner;
mod media_download;
pub mod outbox;
mod timers;
mod timers_and_actions;

pub use media_download::MediaDownloader;
pub use timers::Timers;
pub use timers_and_actions::TimersAndActions;
