//! replyd answers WhatsApp for a business, by rules written in TOML.
//!
//! `ARCHITECTURE.md` draws the way of one message through these modules and says which may name
//! which.
//!
//! Pure, without IO or a clock, from the bottom:
//!
//! - [`message`]: the nouns: who wrote, what came in, what goes out, and WhatsApp's limits.
//! - [`text`]: what people write, in any language: normalization, dates, numbers, languages.
//! - [`diagnostics`]: reads TOML with positions, collects problems and draws them.
//! - [`template`]: texts with `{{ variables }}`.
//! - [`rules`]: the rule language: TOML in, a rule set or diagnostics out.
//! - [`engine`]: decides on one event by the rules.
//! - [`simulator`]: conversations without a phone: tests of rules, replay of recorded ones.
//! - [`whatsapp`]: Meta's wire format.
//!
//! With IO:
//!
//! - [`clock`], [`shutdown`], [`telemetry`], [`files`]: the time, the stop signals, logs and
//!   metrics, written files.
//! - [`config`]: the settings, with the place of every mistake.
//! - [`gateway`]: the HTTP clients of the Graph API.
//! - [`actions`]: HTTP requests and language models that rules ask.
//! - [`store`]: the database.
//! - [`workers`]: the outbox, timers, actions, media downloads.
//! - [`intake`]: joins the updates of waiting requests and the results of sends into one commit.
//! - [`web`]: the listeners.
//! - [`sandbox`]: the pretend WhatsApp.
//! - [`app`]: puts the service together.
//! - [`cli`]: the commands.

pub mod actions;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod diagnostics;
pub mod engine;
pub mod files;
pub mod gateway;
pub mod intake;
pub mod message;
pub mod rules;
pub mod sandbox;
pub mod shutdown;
pub mod simulator;
pub mod store;
pub mod telemetry;
pub mod template;
pub mod text;
pub mod web;
pub mod whatsapp;
pub mod workers;
