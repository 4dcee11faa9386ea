//! Read marks that are still to be sent.
//!
//! None is claimed, because one that is sent twice does no harm: a row stays until its mark has been
//! tried, and the sender remembers which ones are on their way.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::message::{PhoneNumberId, Wamid};
use crate::store::keys::json_rows;
use crate::store::row::required;
use crate::store::transaction::Transaction;
use crate::store::writes::{Row, Values};
use crate::store::{Store, StoreError, sql};

/// A read mark that is still to be sent; a conversation has one at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMark {
    /// `conversations.id`.
    pub conversation_id: i64,
    /// Business number that sends.
    pub phone_number_id: PhoneNumberId,
    /// Newest message of the contact; all before it are marked too.
    pub wamid: Wamid,
    /// Time after which the mark is not sent.
    #[serde(rename = "expires_at_ms", with = "required")]
    pub expires_at: Timestamp,
}

impl Row for ReadMark {
    fn bind(self, values: &mut Values) {
        values.push(self.conversation_id);
        values.push(self.phone_number_id.as_str());
        values.push(self.wamid.as_str());
        values.push(self.expires_at.as_millisecond());
    }
}

/// Bounds of [`Store::due_read_marks`].
#[derive(Clone, Debug)]
pub struct DueReadMarks {
    /// Time of the reading.
    pub now: Timestamp,
    /// Business numbers that send nothing now.
    pub without_room: Vec<PhoneNumberId>,
    /// Conversations whose mark is on its way.
    pub on_their_way: Vec<i64>,
    /// Conversations whose reply is about to be sent.
    pub answered: Vec<i64>,
    /// Upper bound of marks.
    pub limit: u32,
}

impl Store {
    /// Reads the oldest read marks to send, of conversations in which no reply is being sent or
    /// whose reply is about to be.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub async fn due_read_marks(&self, due: DueReadMarks) -> Result<Vec<ReadMark>, StoreError> {
        let marks = sqlx::query_scalar(sql::DUE_READ_MARKS)
            .bind(due.now.as_millisecond())
            .bind(json_rows(&due.without_room))
            .bind(json_rows(&due.on_their_way))
            .bind(json_rows(&due.answered))
            .bind(due.limit);
        let marks: String = marks.fetch_one(&self.read).await?;
        let corrupt = |_| StoreError::corrupt("read_marks", 0, "a mark is not what we wrote");
        serde_json::from_str(&marks).map_err(corrupt)
    }
}

/// Deletes read marks that were tried; a newer one of the same conversation stays.
pub(in crate::store) async fn settle_read_marks(
    tx: &mut Transaction,
    tried: &[ReadMark],
) -> Result<(), StoreError> {
    if tried.is_empty() {
        return Ok(());
    }
    let delete = sqlx::query(sql::DELETE_READ_MARKS).bind(json_rows(tried));
    delete.execute(tx).await?;
    Ok(())
}
