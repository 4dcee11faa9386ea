//! Maton's own API: connections. Errors do not have Graph's shape; their content is not documented.
//!
//! See <https://github.com/maton-ai/api-gateway-skill>.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::request::{admit, record_call};
use super::response::QueryParameters;
use crate::sandbox::account::connection;
use crate::sandbox::context::Context;

const APP: &str = "whatsapp-business";

/// Error that Maton answers with.
pub(crate) struct Refused(StatusCode, &'static str);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

/// Authorized request, recorded in the account's calls.
pub(crate) struct MatonCall(Arc<Context>);

impl FromRequestParts<Arc<Context>> for MatonCall {
    type Rejection = Refused;

    async fn from_request_parts(
        parts: &mut Parts,
        context: &Arc<Context>,
    ) -> Result<Self, Refused> {
        record_call(context, parts);
        admit(context, &parts.headers)
            .map(|()| Self(Arc::clone(context)))
            .map_err(|_| Refused(StatusCode::UNAUTHORIZED, "invalid API key"))
    }
}

type Answer = Result<Json<Value>, Refused>;

/// `GET /connections`.
pub(crate) async fn list(
    MatonCall(context): MatonCall,
    Query(query): Query<QueryParameters>,
) -> Answer {
    let account = &context.state().account;
    let matches = account.connections.iter().filter(|connection| {
        let keys = ["app", "status", "method"].iter();
        let mut wanted = keys.filter_map(|key| Some((key, query.get(*key)?)));
        wanted.all(|(key, wanted)| connection[key] == wanted.as_str())
    });
    Ok(Json(json!({ "connections": matches.collect::<Vec<_>>() })))
}

/// `POST /connections`: answers with the id only, so that the client must fetch the URL.
pub(crate) async fn create(MatonCall(context): MatonCall, bytes: Bytes) -> Answer {
    let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    if body["app"] != APP {
        return Err(Refused(StatusCode::BAD_REQUEST, "unknown app"));
    }
    let now = context.settings.clock.now().to_string();
    let id = context.change(|state| {
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
pub(crate) async fn get(MatonCall(context): MatonCall, Path(id): Path<String>) -> Answer {
    let account = &context.state().account;
    let mut connections = account.connections.iter();
    let connection = connections.find(|connection| connection["connection_id"] == id.as_str());
    let connection = connection.ok_or_else(unknown)?;
    Ok(Json(json!({ "connection": connection })))
}

/// `DELETE /connections/{id}`: answers with plain text, because Maton does not document its answer.
pub(crate) async fn delete(
    MatonCall(context): MatonCall,
    Path(id): Path<String>,
) -> Result<&'static str, Refused> {
    context.change(|state| {
        let connections = &mut state.account.connections;
        let at = connections
            .iter()
            .position(|connection| connection["connection_id"] == id.as_str());
        connections.remove(at.ok_or_else(unknown)?);
        Ok("deleted")
    })
}

fn unknown() -> Refused {
    Refused(StatusCode::BAD_REQUEST, "connection not found")
}
