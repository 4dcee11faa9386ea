//! replyd answers WhatsApp for a business, by rules written in TOML.
//!
//! # The way of one message
//!
//! ```text
//! POST /webhook ─ signature over the raw bytes ─ split into updates ─ parse each alone ─┐
//!                                                                                       ▼
//!       200 ◄─ COMMIT ◄─ store ◄─ turn::take (pure) ◄─ conversation ◄─ dedupe   intake (joins requests)
//!                          │
//!                          ▼ wake
//!                       outbox ─ claim ─ pace ─ gateway ─ settle          status webhook ─► receipts, same way in
//! ```
//!
//! 1. [`web`] takes headers and raw bytes, within limits that a stranger cannot stretch.
//! 2. [`whatsapp::signature`] compares the HMAC of the raw bytes; nothing is decoded before.
//! 3. [`whatsapp::webhook`] splits the body into updates and makes a [`message::Event`] of each alone, so
//!    that one bad update never costs its neighbours.
//! 4. [`intake`] joins the updates of all waiting requests into one commit.
//! 5. [`store`] receives them in one transaction: messages, decisions, conversation state and outbox rows.
//!    In it, [`turn::take`] decides on each new message by the [`rules`]. Only then Meta gets its 200.
//! 6. [`delivery`] claims outbox rows, paces them, posts them through the [`gateway`] and settles what came of them.
//! 7. Receipts come in by the same door and are joined to what was sent.
//!
//! # The parts
//!
//! Pure, without IO or a clock: [`message`] (the nouns), [`rules`] (the language), [`turn`] (the decision),
//! [`whatsapp`] (Meta's wire format). With IO: [`config`], [`web`], [`intake`], [`store`], [`delivery`], [`gateway`],
//! [`outside`] (what rules may call), and [`sandbox`], the pretend WhatsApp. [`app`] puts them together, [`cli`] is the command, [`clock`] tells
//! the time, [`shutdown`] ends it, [`telemetry`] tells of it, [`files`] writes files.

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod files;
pub mod gateway;
pub mod intake;
pub mod message;
pub mod outside;
pub mod rules;
pub mod sandbox;
pub mod shutdown;
pub mod store;
pub mod telemetry;
pub mod turn;
pub mod web;
pub mod whatsapp;
