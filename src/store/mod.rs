//! Units of work on the database: one method, one transaction, many rows at once.
//!
//! The only module with SQL. No method runs a statement for each row of its batch: rows that every
//! batch writes are bound values, up to 64 in one statement (`writes`), and any other set is one JSON
//! array that `json_each` unfolds. [`Store::receive`] is the heart; `outbox` is what delivery works
//! on; `conversations` and `history` are for reading.
//! Next on the way of a message: [`crate::workers::outbox`].

mod action_claim;
mod backup;
mod contacts;
mod conversations;
mod damage_check;
mod early_receipts;
pub mod error;
mod fault;
mod file_identity;
mod file_sizes;
mod gate;
mod history;
mod integrity;
mod keys;
mod manual_send;
pub mod media;
mod migrate;
mod open;
mod outbox;
mod process_lock;
mod receive;
mod restore;
mod restored_copy;
mod row;
mod sql;
mod sqlite;
mod transaction;
mod uploads;
mod wal;
mod webhook_health;
mod write_probe;
mod writes;

pub use action_claim::{ActionClaim, ClaimedAction};
pub use backup::{Copied, CopyError, Present, Progress, backup};
pub use conversations::{
    AccountEventRow, ConversationSummary, StoredConversationEvent, TranscriptMessage,
};
pub use error::StoreError;
pub use fault::{Cleared, Displaced, Fault, Outage};
pub use file_sizes::FileSizes;
pub use history::{InboundText, RecordedConversation, RecordedMessage};
pub use manual_send::{SendEligibility, Sent};
pub use media::{Download, DownloadEnd};
pub use open::Store;
pub use outbox::{
    ClaimRequest, Claimed, Claims, Done, DueReadMarks, ExpiredMessage, NotDone, OutboxCount,
    OutboxRow, ReadMark, Reason, Repeat, RetryByHand, SendResult, Settled, Settlement, Swept, Try,
};
pub use receive::{
    Arrivals, Decide, DirectClaims, EndedAction, MediaPolicy, ReceivePolicy, Received, SendRoom,
};
pub use restore::{Restored, restore};
pub use restored_copy::{CopyRows, PendingRows, RowOrigin};
pub use uploads::Upload;
pub use webhook_health::{Quarantine, SecretsInUse};
