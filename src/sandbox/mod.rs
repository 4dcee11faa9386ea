//! Simulated WhatsApp: Graph and the contacts' phones, over real HTTP on loopback.
//!
//! It accepts sends and answers as Graph does (`graph`), posts signed webhooks to the service's
//! real endpoint ([`webhooks`]), and offers a phone for typing and tapping (`phone`). [`State`]
//! records every request and every screen. The demo, the tests and the benchmarks use it; the
//! service must not depend on it.

mod account;
mod context;
mod faults;
mod graph;
mod phone;
mod server;
mod state;
pub mod webhooks;

pub use account::{Account, WABA};
pub use context::{Receipts, Settings};
pub use faults::Fault;
pub use server::Sandbox;
pub use state::{Bubble, Option as ScreenOption, Request, Side, State, StoredFile, Verdict};
