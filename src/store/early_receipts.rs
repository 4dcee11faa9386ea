//! Receipts that came before it was known which message they are about.

use super::transaction::Transaction;
use super::{StoreError, sql};

/// Takes early receipts into messages that have become known, by their keys as a JSON array. Without
/// such receipts, the usual case, one look-up tells.
pub(super) async fn take_into_messages(tx: &mut Transaction, keys: &str) -> Result<(), StoreError> {
    let is_early = sqlx::query_scalar(sql::HAS_EARLY_RECEIPTS).bind(keys);
    if is_early.fetch_one(&mut *tx).await? {
        let update = sqlx::query(sql::UPDATE_DELIVERY_STATUS).bind(keys);
        update.execute(&mut *tx).await?;
    }
    Ok(())
}
