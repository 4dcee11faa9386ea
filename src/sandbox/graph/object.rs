//! `/{version}/{id}`: whatever has an id of its own. Each sort of object is asked in turn whether
//! the id is its.

use std::sync::Arc;

use axum::extract::{Path, Query, State as Shared};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde_json::{Map, Value};

use super::{Refusal, media, numbers};
use crate::sandbox::Inner;

/// `GET /{version}/{id}`.
pub(crate) async fn get(
    Shared(inner): Shared<Arc<Inner>>,
    Path((_version, id)): Path<(String, String)>,
    Query(query): Query<media::Query>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    inner.note_call("GET", &uri);
    if let Err(refusal) = inner.admit(&headers) {
        return refusal.answer();
    }
    numbers::get(&inner, &id, &query)
        .or_else(|| media::get(&inner, &id, &query))
        .unwrap_or_else(|| Refusal::no_object().answer())
}

/// `POST /{version}/{id}`.
pub(crate) async fn post(
    Shared(inner): Shared<Arc<Inner>>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    inner.note_call("POST", &uri);
    if let Err(refusal) = inner.admit(&headers) {
        return refusal.answer();
    }
    Refusal::no_object().answer()
}

/// `DELETE /{version}/{id}`.
pub(crate) async fn delete(
    Shared(inner): Shared<Arc<Inner>>,
    Path((_version, id)): Path<(String, String)>,
    Query(query): Query<media::Query>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    inner.note_call("DELETE", &uri);
    if let Err(refusal) = inner.admit(&headers) {
        return refusal.answer();
    }
    media::delete(&inner, &id, &query).unwrap_or_else(|| Refusal::no_object().answer())
}

/// The fields that were asked for, and the id; all of them when none is named.
pub(super) fn picked(object: &Value, fields: Option<&String>) -> Value {
    let (Some(fields), Some(object)) = (fields, object.as_object()) else {
        return object.clone();
    };
    let asked = |key: &str| key == "id" || fields.split(',').any(|field| field == key);
    let kept = object.iter().filter(|(key, _)| asked(key));
    Value::Object(
        kept.map(|(key, value)| (key.clone(), value.clone()))
            .collect::<Map<_, _>>(),
    )
}
