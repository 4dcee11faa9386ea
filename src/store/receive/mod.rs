//! The one transaction that stores events together with the decisions on them.
//!
//! A crash leaves nothing of a batch, and Meta sends it again, or all of it; there is no state
//! between. The stages are types, each made only from the one before: [`Batch`] (events by kind),
//! `Fresh` (new events with contacts and conversations loaded), `Decided` (a turn on each), `Rows`
//! (everything to write, with ids), [`Received`]. Timers, the ends of actions and failed replies enter at `Fresh`.

mod account_events;
mod action_results;
mod batch;
mod decide;
mod direct;
mod failed_replies;
mod load;
mod opt_out;
mod policy;
mod quarantine;
pub(super) mod quoted;
mod receipts;
mod rows;
mod side_effects;
mod timers;
mod write;

use super::keys::json;
use super::outbox::settle;
use super::{Store, StoreError, early_receipts};
pub use action_results::EndedAction;
use batch::Batch;
use load::load;
pub use policy::{Arrivals, Decide, DirectClaims, MediaPolicy, ReceivePolicy, Received, SendRoom};

impl Store {
    /// Records results of sends, stores a batch of events and decides on its new messages, in one
    /// transaction.
    ///
    /// Messages that are stored already are left alone: one message, one decision, for ever.
    /// Replies that are claimed may be sent when this returns, and not before.
    ///
    /// # Errors
    /// `CommitUnknown`: call again with the same batch, the keys absorb what is stored. `Database`
    /// and `Corrupt`: nothing was stored.
    pub async fn receive<'a>(
        &self,
        arrivals: impl Into<Arrivals<'a>>,
        policy: ReceivePolicy,
        decide: &Decide,
    ) -> Result<Received, StoreError> {
        let arrivals: Arrivals<'a> = arrivals.into();
        let batch = Batch::sort(arrivals.events, policy.now);
        let mut tx = self.begin().await?;
        let settled = settle(
            &mut tx,
            arrivals.settlements,
            arrivals.tried_marks,
            policy.now,
        )
        .await?;
        let echoes = batch.echo_keys();
        let mut fresh = load(&mut tx, batch.messages).await?;
        quoted::load(&mut tx, &mut fresh).await?;
        let decided = fresh.decide(decide, policy.now);
        let rows = decided.into_rows(policy, arrivals.direct.as_ref());
        let received = rows.write(&mut tx).await?;
        if !echoes.is_empty() {
            early_receipts::take_into_messages(&mut tx, &json(&echoes)).await?;
        }
        let failures = receipts::write(&mut tx, &batch.receipts, policy.now).await?;
        account_events::write(&mut tx, &batch.account_events, policy.now).await?;
        quarantine::write(&mut tx, &batch.unreadable, policy.now).await?;
        tx.commit().await?;
        Ok(Received {
            duplicates: batch.repeated + received.duplicates,
            receipts: batch.receipts.len(),
            failures,
            account: batch.account_events.len(),
            status_events: account_events::count_status_events(&batch.account_events),
            quarantined: batch.unreadable.len(),
            settled,
            ..received
        })
    }
}
