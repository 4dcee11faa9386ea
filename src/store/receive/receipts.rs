//! Receipts: stored, and taken into the outbound messages that they report on.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::message::{
    DeliveryStatus, Failure, Identity, MARKETING_STOPPED, PhoneNumberId, Profile, Receipt, UserId,
    WaId, Wamid,
};
use crate::store::contacts::{self, Receiver};
use crate::store::keys::{json, json_rows, message_key};
use crate::store::row::{from_row, list};
use crate::store::transaction::Transaction;
use crate::store::writes::{Row, Values, Writes};
use crate::store::{StoreError, sql};

/// A receipt with the key of its message.
struct Keyed<'a> {
    key: String,
    receipt: &'a Receipt,
}

/// What the statement gives, as lists that [`list`] reads.
#[derive(Deserialize)]
struct LookupRow {
    messages: Option<String>,
    phones: Option<String>,
    user_ids: Option<String>,
    failed: Option<String>,
    claim_tokens: Option<String>,
}

from_row!(LookupRow);

/// A message with the id and the names of its contact, as it is looked up.
type MessageWithContact = (
    String,
    i64,
    Option<DeliveryStatus>,
    i64,
    Option<String>,
    Option<String>,
);

/// What is stored of the messages of a batch.
#[derive(Default)]
struct Stored {
    messages: HashMap<String, StoredMessage>,
    /// Failures that are known, by key of the message and participant.
    failed: BTreeSet<(String, Option<String>)>,
    /// Claim tokens of the batch whose rows are still in the outbox.
    claim_tokens: BTreeSet<String>,
}

/// An outbound message with what is known of its contact.
struct StoredMessage {
    id: i64,
    delivery_status: Option<DeliveryStatus>,
    profile: Profile,
    phones: BTreeSet<String>,
    /// User ids by scope.
    user_ids: BTreeMap<String, String>,
}

/// Stores receipts, takes a returned claim token as proof of a send, and moves each message to its
/// furthest step. Returns the failures that were not reported before.
pub(super) async fn write(
    tx: &mut Transaction,
    receipts: &[Receipt],
    now: Timestamp,
) -> Result<Vec<Failure>, StoreError> {
    if receipts.is_empty() {
        return Ok(Vec::new());
    }
    let keyed = receipts.iter().map(|receipt| Keyed {
        key: message_key(receipt.phone_number_id.as_str(), receipt.wamid.as_str()),
        receipt,
    });
    let receipts: Vec<Keyed<'_>> = keyed.collect();
    let mut stored = load(tx, &receipts).await?;
    let proven = accept_proven(tx, &receipts, &stored.claim_tokens).await?;
    if !proven.is_empty() {
        stored = load(tx, &receipts).await?;
    }
    let failures = new_failures(&receipts, &stored);
    insert(tx, &receipts, &stored, now).await?;
    // What came before the message was known, and failures, count beyond their own row.
    let failed = failures.values().map(|(keyed, _)| keyed.key.as_str());
    let keys: BTreeSet<&str> = proven.into_iter().chain(failed).collect();
    if !keys.is_empty() {
        let update = sqlx::query(sql::UPDATE_DELIVERY_STATUS).bind(json(&keys));
        update.execute(&mut *tx).await?;
    }
    stop_marketing(tx, failures.values(), now).await?;
    complete_contacts(tx, &receipts, &stored, now).await?;
    update_profiles(tx, &receipts, &stored).await?;
    let failures = failures.into_values();
    Ok(failures.map(|(_, failure)| failure.clone()).collect())
}

/// Looks up what is stored of the messages of receipts.
async fn load(tx: &mut Transaction, receipts: &[Keyed<'_>]) -> Result<Stored, StoreError> {
    let keys: BTreeSet<&str> = receipts.iter().map(|keyed| keyed.key.as_str()).collect();
    let tokens = receipts.iter();
    let tokens = tokens.filter_map(|keyed| keyed.receipt.claim_token.as_deref());
    let tokens: BTreeSet<&str> = tokens.collect();
    let query = sqlx::query_as(sql::LOAD_RECEIPTS).bind(json(&keys));
    let row: LookupRow = query.bind(json(&tokens)).fetch_one(&mut *tx).await?;
    let mut phones_of: HashMap<i64, BTreeSet<String>> = HashMap::new();
    for (contact, phone) in list::<(i64, String)>(row.phones.as_deref(), "contact_phones")? {
        phones_of.entry(contact).or_default().insert(phone);
    }
    let mut user_ids_of: HashMap<i64, BTreeMap<String, String>> = HashMap::new();
    for (contact, scope, id) in
        list::<(i64, String, String)>(row.user_ids.as_deref(), "contact_user_ids")?
    {
        user_ids_of.entry(contact).or_default().insert(scope, id);
    }
    let messages = list::<MessageWithContact>(row.messages.as_deref(), "messages")?.into_iter();
    let messages = messages.map(|(key, id, delivery_status, contact, name, username)| {
        let message = StoredMessage {
            id,
            delivery_status,
            profile: Profile { name, username },
            phones: phones_of.get(&contact).cloned().unwrap_or_default(),
            user_ids: user_ids_of.get(&contact).cloned().unwrap_or_default(),
        };
        (key, message)
    });
    Ok(Stored {
        messages: messages.collect(),
        failed: list(row.failed.as_deref(), "receipts")?
            .into_iter()
            .collect(),
        claim_tokens: list(row.claim_tokens.as_deref(), "outbox")?
            .into_iter()
            .collect(),
    })
}

/// Accepts the messages whose claim tokens are in receipts, and returns their keys.
async fn accept_proven<'a>(
    tx: &mut Transaction,
    receipts: &'a [Keyed<'_>],
    open: &BTreeSet<String>,
) -> Result<Vec<&'a str>, StoreError> {
    #[derive(Serialize)]
    struct Proof<'a> {
        claim_token: &'a str,
        phone_number_id: &'a PhoneNumberId,
        wamid: &'a Wamid,
        message_key: &'a str,
    }
    let proofs = receipts.iter().filter_map(|Keyed { key, receipt }| {
        let claim_token = receipt.claim_token.as_deref()?;
        open.contains(claim_token).then_some(Proof {
            claim_token,
            phone_number_id: &receipt.phone_number_id,
            wamid: &receipt.wamid,
            message_key: key,
        })
    });
    let proofs: Vec<Proof<'_>> = proofs.collect();
    if !proofs.is_empty() {
        let accept = sqlx::query(sql::ACCEPT_PROVEN).bind(json_rows(&proofs));
        accept.execute(&mut *tx).await?;
    }
    Ok(proofs.into_iter().map(|proof| proof.message_key).collect())
}

/// Finds the failures that are reported for the first time, each once, by message and participant.
fn new_failures<'a>(
    receipts: &'a [Keyed<'a>],
    stored: &Stored,
) -> BTreeMap<(&'a str, Option<&'a str>), (&'a Keyed<'a>, &'a Failure)> {
    let known = stored.failed.iter();
    let known: BTreeSet<(&str, Option<&str>)> = known
        .map(|(key, participant)| (key.as_str(), participant.as_deref()))
        .collect();
    let reported = receipts.iter().filter_map(|keyed| {
        let failure = keyed.receipt.failure.as_ref()?;
        let step = (keyed.key.as_str(), keyed.receipt.participant.as_deref());
        (!known.contains(&step)).then_some((step, (keyed, failure)))
    });
    reported.collect()
}

/// A row of `receipts`.
struct ReceiptRow<'a> {
    message_id: Option<i64>,
    key: &'a str,
    receipt: &'a Receipt,
    now: Timestamp,
}

impl Row for ReceiptRow<'_> {
    fn bind(self, values: &mut Values) {
        let Self { key, receipt, .. } = self;
        let failure = receipt.failure.as_ref();
        values.push(self.message_id).push(key);
        values.push(receipt.status.as_str());
        values.push(receipt.participant.as_deref());
        values.push(receipt.at.as_millisecond());
        values.push(self.now.as_millisecond());
        values.push(receipt.claim_token.as_deref());
        values.push(receipt.pricing.as_deref());
        values.push(receipt.conversation.as_deref());
        values.push((!receipt.errors.is_empty()).then(|| json(&receipt.errors)));
        values.push(failure.and_then(|failure| failure.code));
        values.push(failure.map(|failure| failure.class.name()));
        values.push(failure.map(|failure| failure.reason.as_str()));
        values.push(receipt.raw.as_str());
    }
}

/// A message with the step that it has reached.
struct Advance {
    message_id: i64,
    step: DeliveryStatus,
}

impl Row for Advance {
    fn bind(self, values: &mut Values) {
        values.push(self.message_id).push(self.step.name());
    }
}

/// Inserts receipts, and moves the messages that they take further. A message that none takes
/// further is not written.
async fn insert(
    tx: &mut Transaction,
    receipts: &[Keyed<'_>],
    stored: &Stored,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut steps: BTreeMap<i64, DeliveryStatus> = BTreeMap::new();
    let mut rows = Vec::with_capacity(receipts.len());
    for Keyed { key, receipt } in receipts {
        let message = stored.messages.get(key);
        rows.push(ReceiptRow {
            message_id: message.map(|message| message.id),
            key,
            receipt,
            now,
        });
        if let (Some(message), Some(step)) = (message, receipt.step())
            && Some(step) > message.delivery_status
        {
            let furthest = steps.entry(message.id).or_insert(step);
            *furthest = step.max(*furthest);
        }
    }
    let advance = |(message_id, step)| Advance { message_id, step };
    let mut writes = Writes::with_rows(rows.len());
    writes.rows(sql::INSERT_RECEIPTS, rows);
    writes.rows(
        sql::ADVANCE_MESSAGES,
        steps.into_iter().map(advance).collect(),
    );
    writes.run(tx).await
}

/// Records that contacts refuse marketing, where WhatsApp says so.
async fn stop_marketing<'a>(
    tx: &mut Transaction,
    failures: impl Iterator<Item = &'a (&'a Keyed<'a>, &'a Failure)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let stopped = failures.filter(|(_, failure)| failure.code == Some(MARKETING_STOPPED));
    let keys: Vec<&str> = stopped.map(|(keyed, _)| keyed.key.as_str()).collect();
    if !keys.is_empty() {
        let stop = sqlx::query(sql::STOP_MARKETING).bind(json_rows(&keys));
        stop.bind(now.as_millisecond()).execute(&mut *tx).await?;
    }
    Ok(())
}

/// Takes over the profiles beside receipts: a contact who never writes has no other.
async fn update_profiles(
    tx: &mut Transaction,
    receipts: &[Keyed<'_>],
    stored: &Stored,
) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct ProfileRow<'a> {
        wa_id: Option<&'a WaId>,
        user_id: Option<&'a UserId>,
        name: Option<&'a str>,
        username: Option<&'a str>,
    }
    let profiles = receipts.iter().filter_map(|keyed| {
        let profile = &keyed.receipt.profile;
        let recipient = keyed.receipt.recipient.as_ref()?;
        (*profile != Profile::default() && !stored.has_profile(keyed)).then_some(ProfileRow {
            wa_id: recipient.wa_id(),
            user_id: recipient.user_id(),
            name: profile.name.as_deref(),
            username: profile.username.as_deref(),
        })
    });
    let profiles: Vec<ProfileRow<'_>> = profiles.collect();
    if profiles.is_empty() {
        return Ok(());
    }
    let update = sqlx::query(sql::UPDATE_PROFILES).bind(json_rows(&profiles));
    update.execute(&mut *tx).await?;
    Ok(())
}

impl Stored {
    /// The message of a receipt, if the receipt names its contact by a phone number that is stored.
    fn of_known_phone(&self, keyed: &Keyed<'_>) -> Option<&StoredMessage> {
        let wa_id = keyed.receipt.recipient.as_ref()?.wa_id()?;
        let message = self.messages.get(&keyed.key)?;
        message.phones.contains(wa_id.as_str()).then_some(message)
    }

    fn has_profile(&self, keyed: &Keyed<'_>) -> bool {
        let reported = &keyed.receipt.profile;
        self.of_known_phone(keyed).is_some_and(|message| {
            let profile = &message.profile;
            (reported.name.is_none() || reported.name == profile.name)
                && (reported.username.is_none() || reported.username == profile.username)
        })
    }

    /// Whether the ids of a receipt's recipient are known to be of the contact of its message.
    fn has_ids(&self, keyed: &Keyed<'_>, user_id: Option<&UserId>) -> bool {
        let account = keyed.receipt.waba_id.as_ref();
        self.of_known_phone(keyed).is_some_and(|message| {
            user_id.is_none_or(|user_id| {
                let stored = account.and_then(|account| message.user_ids.get(account));
                stored.map(String::as_str) == Some(user_id.as_str())
            })
        })
    }
}

/// Completes contacts: a receipt may be the first to name both ids of one, or to write its phone
/// number as WhatsApp does. Receipts with ids that are known cost nothing.
async fn complete_contacts(
    tx: &mut Transaction,
    receipts: &[Keyed<'_>],
    stored: &Stored,
    now: Timestamp,
) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct RecipientRow<'a> {
        message_key: &'a str,
        wa_id: &'a WaId,
        user_id: Option<&'a UserId>,
        account: Option<&'a str>,
        number: &'a PhoneNumberId,
    }
    /// A receipt with news.
    #[derive(Deserialize)]
    struct News {
        position: usize,
        dialled: Option<WaId>,
    }
    let named = receipts.iter().filter_map(|keyed| {
        let identity = keyed.receipt.recipient.as_ref()?;
        let (wa_id, user_id) = (identity.wa_id()?, identity.user_id());
        // Without a message or a user id there is nothing that could be new.
        let may_be_new = user_id.is_some() || stored.messages.contains_key(&keyed.key);
        let is_new = may_be_new && !stored.has_ids(keyed, user_id);
        is_new.then_some((keyed, identity, wa_id))
    });
    let named: Vec<(&Keyed<'_>, &Identity, &WaId)> = named.collect();
    if named.is_empty() {
        return Ok(());
    }
    let rows = named.iter().map(|(keyed, identity, wa_id)| RecipientRow {
        message_key: &keyed.key,
        wa_id,
        user_id: identity.user_id(),
        account: keyed.receipt.waba_id.as_deref(),
        number: &keyed.receipt.phone_number_id,
    });
    let query = sqlx::query_scalar(sql::NEW_RECIPIENT_IDS);
    let query = query.bind(json_rows(&rows.collect::<Vec<_>>()));
    let news: Vec<News> = tx.fetch_json(query, "contacts").await?;
    if news.is_empty() {
        return Ok(());
    }
    let receivers = news.into_iter().map(|News { position, dialled }| {
        let (keyed, identity, _) = named[position];
        Receiver {
            number: &keyed.receipt.phone_number_id,
            account: keyed.receipt.waba_id.as_deref(),
            identity,
            dialled: dialled.map(Identity::Phone),
        }
    });
    contacts::complete(tx, &receivers.collect::<Vec<_>>(), now).await
}
