//! The least that the work of a webhook can cost: servers that this program runs as processes of
//! their own.
//!
//! `bare` reads the body and answers 200. `group-commit` checks the signature, reads the update and
//! stores one row for it, in one transaction for all requests that wait, with full sync before the
//! 200. `store-and-send` also writes a reply to each message and a row of an outbox in that
//! transaction, sends the read mark and the reply after the commit, and settles both in the next
//! one. It has no rules, no conversations, no rate limits, and repeats nothing.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use replyd::whatsapp::signature;
use secrecy::SecretString;
use serde::Deserialize;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, QueryBuilder};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::options::Kind;
use crate::support::APP_SECRET;

/// Longest `VALUES` list; sets are cut into powers of two, so that few statements are prepared.
const ROWS: usize = 64;
/// Requests to the gateway at the same time, as replyd is configured here.
const IN_FLIGHT: usize = 256;
const TABLES: &str = "
    CREATE TABLE inbound (
        id INTEGER PRIMARY KEY,
        update_key TEXT NOT NULL UNIQUE,
        phone_number_id TEXT NOT NULL,
        phone TEXT NOT NULL,
        raw TEXT NOT NULL
    ) STRICT;
    CREATE TABLE replies (
        id INTEGER PRIMARY KEY,
        phone TEXT NOT NULL,
        body TEXT NOT NULL,
        wamid TEXT
    ) STRICT;
    CREATE TABLE outbox (reply_id INTEGER PRIMARY KEY, state TEXT NOT NULL) STRICT;
";

/// Serves until the process is killed.
pub(crate) fn run(kind: Kind, listen: &str, database: &Path, gateway: String) {
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    runtime.block_on(async {
        match kind {
            Kind::GroupCommit => store(listen, database, None).await,
            Kind::StoreAndSend => store(listen, database, Some(gateway)).await,
            Kind::Bare => bare(listen).await,
            Kind::Stored | Kind::Answered => unreachable!("replyd serves these"),
        }
    });
}

async fn bare(address: &str) {
    serve(
        address,
        Router::new().route("/webhook", post(|_body: Bytes| async {})),
    )
    .await;
}

/// Serves `group-commit`, or with a gateway `store-and-send`.
async fn store(address: &str, database: &Path, gateway: Option<String>) {
    let options = SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = options.connect().await.expect("the folder is ours");
    let tables = sqlx::raw_sql(TABLES).execute(&mut connection).await;
    tables.expect("the database is new");

    let (work, waiting) = mpsc::channel(4_096);
    let sender = gateway.map(|gateway| Sender::new(gateway, work.clone()));
    let intake = Arc::new(Intake {
        secrets: vec![SecretString::from(APP_SECRET)],
        work,
    });
    let router = Router::new()
        .route("/webhook", post(receive))
        .with_state(intake);
    tokio::join!(
        serve(address, router),
        commit_groups(connection, waiting, sender)
    );
}

async fn serve(address: &str, router: Router) {
    let listener = TcpListener::bind(address).await.expect("the port is free");
    let served = axum::serve(listener, router).await;
    served.expect("it serves until it is killed");
}

struct Intake {
    secrets: Vec<SecretString>,
    work: mpsc::Sender<Work>,
}

/// Entry of the next transaction.
enum Work {
    Received(Update, oneshot::Sender<()>),
    Sent { reply_id: i64, wamid: String },
}

/// One update of a webhook.
struct Update {
    /// The id of a message; of a receipt with its status.
    key: String,
    phone_number_id: String,
    phone: String,
    /// Message to answer, if it is one.
    wamid: Option<String>,
    raw: String,
}

async fn receive(State(intake): State<Arc<Intake>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let given = headers.get("x-hub-signature-256");
    let given: Vec<&[u8]> = given.iter().map(|value| value.as_bytes()).collect();
    if signature::verify(&intake.secrets, &given, &body).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    let Some(update) = read(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    let (done, committed) = oneshot::channel();
    let queued = intake.work.send(Work::Received(update, done)).await;
    queued.expect("the commits go on while it serves");
    match committed.await {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Reads the first update of a body: this benchmark sends one.
fn read(body: &[u8]) -> Option<Update> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        entry: [Entry<'a>; 1],
    }
    #[derive(Deserialize)]
    struct Entry<'a> {
        #[serde(borrow)]
        changes: [Change<'a>; 1],
    }
    #[derive(Deserialize)]
    struct Change<'a> {
        #[serde(borrow)]
        value: Value<'a>,
    }
    #[derive(Deserialize)]
    struct Value<'a> {
        #[serde(borrow)]
        metadata: Metadata<'a>,
        #[serde(borrow)]
        messages: Option<[Message<'a>; 1]>,
        #[serde(borrow)]
        statuses: Option<[Receipt<'a>; 1]>,
    }
    #[derive(Deserialize)]
    struct Metadata<'a> {
        phone_number_id: &'a str,
    }
    #[derive(Deserialize)]
    struct Message<'a> {
        from: &'a str,
        id: &'a str,
    }
    #[derive(Deserialize)]
    struct Receipt<'a> {
        id: &'a str,
        status: &'a str,
        recipient_id: &'a str,
    }

    let raw = std::str::from_utf8(body).ok()?;
    let Body { entry: [entry] } = serde_json::from_str(raw).ok()?;
    let [Change { value }] = entry.changes;
    let (key, phone, wamid) = match (value.messages, value.statuses) {
        (Some([message]), _) => {
            let wamid = message.id.to_owned();
            (wamid.clone(), message.from, Some(wamid))
        }
        (None, Some([status])) => {
            let key = format!("{} {}", status.id, status.status);
            (key, status.recipient_id, None)
        }
        (None, None) => return None,
    };
    Some(Update {
        key,
        phone_number_id: value.metadata.phone_number_id.to_owned(),
        phone: phone.to_owned(),
        wamid,
        raw: raw.to_owned(),
    })
}

/// Commits whatever waits, again and again.
async fn commit_groups(
    mut connection: SqliteConnection,
    mut waiting: mpsc::Receiver<Work>,
    sender: Option<Sender>,
) {
    let mut next_reply = 1;
    let mut group = Vec::new();
    while waiting.recv_many(&mut group, 1_024).await > 0 {
        let (mut updates, mut acks, mut sent, mut replies) = (vec![], vec![], vec![], vec![]);
        for work in group.drain(..) {
            match work {
                Work::Received(update, ack) => {
                    if sender.is_some() && update.wamid.is_some() {
                        replies.push(Reply::new(next_reply, &update));
                        next_reply += 1;
                    }
                    updates.push(update);
                    acks.push(ack);
                }
                Work::Sent { reply_id, wamid } => sent.push((reply_id, wamid)),
            }
        }
        let committed = write(&mut connection, &updates, &replies, &sent).await;
        committed.expect("the disk has room");
        for ack in acks {
            // A client that has gone needs no answer.
            let _ = ack.send(());
        }
        for reply in replies {
            let sender = sender.clone().expect("there are replies only with one");
            tokio::spawn(sender.send(reply));
        }
    }
}

/// One transaction.
async fn write(
    connection: &mut SqliteConnection,
    updates: &[Update],
    replies: &[Reply],
    sent: &[(i64, String)],
) -> sqlx::Result<()> {
    let mut tx = connection.begin().await?;
    for rows in parts(updates) {
        QueryBuilder::new("INSERT INTO inbound (update_key, phone_number_id, phone, raw) ")
            .push_values(rows, |mut row, update| {
                row.push_bind(&update.key)
                    .push_bind(&update.phone_number_id)
                    .push_bind(&update.phone)
                    .push_bind(&update.raw);
            })
            .push(" ON CONFLICT (update_key) DO NOTHING")
            .build()
            .execute(&mut *tx)
            .await?;
    }
    for rows in parts(replies) {
        QueryBuilder::new("INSERT INTO replies (id, phone, body) ")
            .push_values(rows, |mut row, reply| {
                row.push_bind(reply.id)
                    .push_bind(&reply.phone)
                    .push_bind(&reply.body);
            })
            .build()
            .execute(&mut *tx)
            .await?;
        QueryBuilder::new("INSERT INTO outbox (reply_id, state) ")
            .push_values(rows, |mut row, reply| {
                row.push_bind(reply.id).push_bind("sending");
            })
            .build()
            .execute(&mut *tx)
            .await?;
    }
    for rows in parts(sent) {
        QueryBuilder::new("UPDATE replies SET wamid = sent.column2 FROM (")
            .push_values(rows, |mut row, (reply_id, wamid)| {
                row.push_bind(reply_id).push_bind(wamid);
            })
            .push(") AS sent WHERE replies.id = sent.column1")
            .build()
            .execute(&mut *tx)
            .await?;
        QueryBuilder::new("DELETE FROM outbox WHERE (reply_id) IN (")
            .push_values(rows, |mut row, (reply_id, _)| {
                row.push_bind(reply_id);
            })
            .push(")")
            .build()
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await
}

/// Cuts a set into powers of two.
fn parts<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let power = 1 << rows.len().checked_ilog2()?;
        let (part, rest) = rows.split_at(power.min(ROWS));
        rows = rest;
        Some(part)
    })
}

/// A reply with everything that its two requests need.
struct Reply {
    id: i64,
    phone_number_id: String,
    phone: String,
    read_mark: String,
    body: String,
}

impl Reply {
    fn new(id: i64, update: &Update) -> Self {
        let (phone, wamid) = (&update.phone, update.wamid.as_deref().unwrap_or_default());
        let body = format!(
            r#"{{"messaging_product":"whatsapp","recipient_type":"individual","to":"+{phone}","type":"interactive","interactive":{{"type":"button","body":{{"text":"Hi Ana Lima! What can we do for you?"}},"footer":{{"text":"Bench"}},"action":{{"buttons":[{{"type":"reply","reply":{{"id":"order","title":"Order a cake"}}}},{{"type":"reply","reply":{{"id":"hours","title":"Opening hours"}}}},{{"type":"reply","reply":{{"id":"human","title":"Talk to us"}}}}]}}}},"biz_opaque_callback_data":"{id}"}}"#
        );
        let read_mark = format!(
            r#"{{"messaging_product":"whatsapp","status":"read","message_id":"{wamid}","typing_indicator":{{"type":"text"}}}}"#
        );
        Self {
            id,
            phone_number_id: update.phone_number_id.clone(),
            phone: phone.clone(),
            read_mark,
            body,
        }
    }
}

/// Sends replies and reports that they were taken.
#[derive(Clone)]
struct Sender {
    client: reqwest::Client,
    gateway: Arc<str>,
    in_flight: Arc<Semaphore>,
    work: mpsc::Sender<Work>,
}

impl Sender {
    fn new(gateway: String, work: mpsc::Sender<Work>) -> Self {
        // reqwest asks for it even where no TLS is used.
        let provider = rustls::crypto::ring::default_provider().install_default();
        provider.expect("nobody else has installed one");
        let client = reqwest::Client::builder().no_proxy().build();
        Self {
            client: client.expect("nothing in it can fail"),
            gateway: gateway.into(),
            in_flight: Arc::new(Semaphore::new(IN_FLIGHT)),
            work,
        }
    }

    async fn send(self, reply: Reply) {
        #[derive(Deserialize)]
        struct Answer {
            messages: [Message; 1],
        }
        #[derive(Deserialize)]
        struct Message {
            id: String,
        }

        let _room = self.in_flight.acquire().await.expect("it is never closed");
        let url = format!("{}/v23.0/{}/messages", self.gateway, reply.phone_number_id);
        let post = |body: String| {
            let request = self.client.post(&url).bearer_auth("bench-key");
            request
                .header("content-type", "application/json")
                .body(body)
                .send()
        };
        post(reply.read_mark).await.expect("the gateway takes it");
        let answer = post(reply.body).await.expect("the gateway takes it");
        let answer = answer.bytes().await.expect("it is whole");
        let Answer {
            messages: [message],
        } = serde_json::from_slice(&answer).expect("it names the message");
        let settled = self.work.send(Work::Sent {
            reply_id: reply.id,
            wamid: message.id,
        });
        settled.await.expect("the commits go on");
    }
}
