//! Claims rows of the outbox for sending, committed before the first byte is sent.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ClaimRequest, Claimed, Claims};
use crate::message::{Identity, PhoneNumberId, UserId, WaId, Wamid};
use crate::store::keys::json_rows;
use crate::store::transaction::Transaction;
use crate::store::{Store, StoreError, sql};

impl Store {
    /// Claims rows for the length of a lease, committed before anything is sent.
    ///
    /// Claims at most the oldest message of each conversation. A row that cannot be read is ended
    /// with its reason.
    ///
    /// # Errors
    /// `CommitUnknown` (then nothing may be sent: the rows are found again when their lease ends),
    /// `Database`, `Corrupt`.
    pub async fn claim_outbox(&self, request: ClaimRequest) -> Result<Claims, StoreError> {
        let mut tx = self.begin().await?;
        let mut room = Room(request.room);
        let now = request.now.as_millisecond();

        let messages = sqlx::query_scalar(sql::CLAIMABLE_MESSAGES)
            .bind(now)
            .bind(room.open())
            .bind(request.limit);
        let taken = room.take(tx.fetch_json(messages, "outbox").await?);
        if taken.is_empty() {
            tx.roll_back().await;
            return Ok(Claims::default());
        }
        let lease_until = request.now.saturating_add(request.lease);
        let lease_until = lease_until.unwrap_or(Timestamp::MAX);
        let claimed = mark_taken(&mut tx, taken, lease_until).await?;
        tx.commit().await?;
        Ok(claimed)
    }
}

/// Number of further rows that each business number may send.
struct Room(HashMap<PhoneNumberId, u32>);

impl Room {
    /// Numbers with room left, as JSON.
    fn open(&self) -> String {
        let open = self
            .0
            .iter()
            .filter(|(_, room)| **room > 0)
            .map(|(number, _)| number);
        json_rows(&open.collect::<Vec<_>>())
    }

    fn take(&mut self, mut candidates: Vec<Candidate>) -> Vec<Candidate> {
        let rooms = &mut self.0;
        candidates.retain(
            |candidate| match rooms.get_mut(&candidate.phone_number_id) {
                Some(room) if *room > 0 => {
                    *room -= 1;
                    true
                }
                _ => false,
            },
        );
        candidates
    }
}

async fn mark_taken(
    tx: &mut Transaction,
    taken: Vec<Candidate>,
    lease_until: Timestamp,
) -> Result<Claims, StoreError> {
    #[derive(Serialize)]
    struct Unusable {
        id: i64,
        reason: &'static str,
    }
    let mut claims = Claims::default();
    for candidate in taken {
        let id = candidate.id;
        match candidate.claimed(Uuid::new_v4().simple().to_string()) {
            Ok(claimed) => claims.rows.push(claimed),
            Err(reason) => claims.unusable.push((id, reason)),
        }
    }
    if !claims.unusable.is_empty() {
        let unusable = claims.unusable.iter();
        let unusable: Vec<Unusable> = unusable
            .map(|(id, reason)| Unusable { id: *id, reason })
            .collect();
        let end = sqlx::query(sql::END_BY_HAND).bind(json_rows(&unusable));
        end.execute(&mut *tx).await?;
    }
    let claimed = claims.rows.iter();
    let claimed = claimed.map(|row| (row.id, row.claim_token.as_str()));
    claim_rows(tx, claimed, lease_until).await?;
    Ok(claims)
}

/// Gives outbox rows their claim tokens and a lease.
pub(in crate::store) async fn claim_rows<'a>(
    tx: &mut Transaction,
    rows: impl Iterator<Item = (i64, &'a str)>,
    lease_until: Timestamp,
) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct Row<'a> {
        id: i64,
        claim_token: &'a str,
    }
    let rows: Vec<_> = rows
        .map(|(id, claim_token)| Row { id, claim_token })
        .collect();
    let claim = sqlx::query(sql::CLAIM_ROWS).bind(json_rows(&rows));
    let claim = claim.bind(lease_until.as_millisecond());
    claim.execute(&mut *tx).await?;
    Ok(())
}

/// Row of the claim statement.
#[derive(Deserialize)]
struct Candidate {
    id: i64,
    conversation_id: i64,
    phone_number_id: PhoneNumberId,
    attempts: u32,
    expires_at_ms: i64,
    /// Message as JSON.
    content: Option<String>,
    /// Message that it quotes or reacts to.
    about: Option<Wamid>,
    wa_id: Option<WaId>,
    user_id: Option<UserId>,
}

impl Candidate {
    /// Reads the row, or returns the problem with it.
    fn claimed(self, claim_token: String) -> Result<Claimed, &'static str> {
        let identity = Identity::from_parts(self.wa_id, self.user_id)
            .ok_or("its contact has neither phone nor user id")?;
        let content = self
            .content
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok());
        Ok(Claimed {
            id: self.id,
            conversation_id: self.conversation_id,
            phone_number_id: self.phone_number_id,
            claim_token,
            attempt: self.attempts + 1,
            expires_at: Timestamp::from_millisecond(self.expires_at_ms)
                .map_err(|_| "its time is out of range")?,
            recipient: identity.recipient(),
            content: content.ok_or("the database does not hold it in a form that we can send")?,
            about: self.about,
        })
    }
}
