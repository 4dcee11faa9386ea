//! Maton's own API: connections. Its errors do not have Graph's shape; what they hold is nowhere
//! documented.
//!
//! See <https://github.com/maton-ai/api-gateway-skill>.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State as Shared};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Named;
use crate::sandbox::account::connection;
use crate::sandbox::{Inner, lock};

const APP: &str = "whatsapp-business";

/// Maton's refusal.
pub(crate) struct Refused(StatusCode, &'static str);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

type Answer = Result<Json<Value>, Refused>;

/// `GET /connections`.
pub(crate) async fn list(
    Shared(inner): Shared<Arc<Inner>>,
    Query(query): Query<Named>,
    headers: HeaderMap,
    uri: Uri,
) -> Answer {
    inner.note_call("GET", &uri);
    admit(&inner, &headers)?;
    let account = &lock(&inner.state).account;
    let found = account.connections.iter().filter(|connection| {
        let keys = ["app", "status", "method"].iter();
        let mut wanted = keys.filter_map(|key| Some((key, query.get(*key)?)));
        wanted.all(|(key, wanted)| connection[key] == wanted.as_str())
    });
    Ok(Json(json!({ "connections": found.collect::<Vec<_>>() })))
}

/// `POST /connections`: answers with the id only, so that its address must be asked for.
pub(crate) async fn create(
    Shared(inner): Shared<Arc<Inner>>,
    headers: HeaderMap,
    uri: Uri,
    bytes: Bytes,
) -> Answer {
    inner.note_call("POST", &uri);
    admit(&inner, &headers)?;
    let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    if body["app"] != APP {
        return Err(Refused(StatusCode::BAD_REQUEST, "unknown app"));
    }
    let now = inner.settings.clock.now().to_string();
    let id = inner.change(|state| {
        let number = state.account.next_number();
        let mut connection = connection(number, "PENDING", &now);
        if let Some(method) = body.get("method") {
            connection["method"] = method.clone();
        }
        let id = connection["connection_id"].clone();
        state.account.connections.push(connection);
        id
    });
    Ok(Json(json!({ "connection_id": id })))
}

/// `GET /connections/{id}`.
pub(crate) async fn get(
    Shared(inner): Shared<Arc<Inner>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Answer {
    inner.note_call("GET", &uri);
    admit(&inner, &headers)?;
    let account = &lock(&inner.state).account;
    let mut connections = account.connections.iter();
    let found = connections.find(|connection| connection["connection_id"] == id.as_str());
    let found = found.ok_or_else(unknown)?;
    Ok(Json(json!({ "connection": found })))
}

/// `DELETE /connections/{id}`: answers with words, for what Maton answers is nowhere documented.
pub(crate) async fn delete(
    Shared(inner): Shared<Arc<Inner>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<&'static str, Refused> {
    inner.note_call("DELETE", &uri);
    admit(&inner, &headers)?;
    inner.change(|state| {
        let connections = &mut state.account.connections;
        let at = connections
            .iter()
            .position(|connection| connection["connection_id"] == id.as_str());
        connections.remove(at.ok_or_else(unknown)?);
        Ok("deleted")
    })
}

fn admit(inner: &Inner, headers: &HeaderMap) -> Result<(), Refused> {
    inner
        .admit(headers)
        .map_err(|_| Refused(StatusCode::UNAUTHORIZED, "invalid API key"))
}

fn unknown() -> Refused {
    Refused(StatusCode::BAD_REQUEST, "connection not found")
}
