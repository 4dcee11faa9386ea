//! `/{version}/{id}`: any object with an id. Each kind of object is tried in turn.

use axum::extract::{Path, Query};

use super::request::Authorized;
use super::response::{Answer, QueryParameters, Refusal};
use super::{media, numbers};

/// `GET /{version}/{id}`.
pub(crate) async fn get(
    Authorized(context): Authorized,
    Path((_version, id)): Path<(String, String)>,
    Query(query): Query<QueryParameters>,
) -> Answer {
    numbers::get(&context, &id, &query)
        .or_else(|| media::get(&context, &id, &query))
        .unwrap_or_else(|| Err(Refusal::no_object()))
}

/// `POST /{version}/{id}`.
pub(crate) async fn post(_: Authorized) -> Answer {
    Err(Refusal::no_object())
}

/// `DELETE /{version}/{id}`.
pub(crate) async fn delete(
    Authorized(context): Authorized,
    Path((_version, id)): Path<(String, String)>,
    Query(query): Query<QueryParameters>,
) -> Answer {
    media::delete(&context, &id, &query).unwrap_or_else(|| Err(Refusal::no_object()))
}
