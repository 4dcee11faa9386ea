//! Requests as Graph reads them: token, query, the object a path names, and the parts of a message
//! that several edges need.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::response::Refusal;
use crate::sandbox::account::WABA;
use crate::sandbox::context::Context;
use crate::sandbox::state::Option as ScreenOption;
use crate::whatsapp::signature;

/// Authorized request of an account command, recorded in [`Account::calls`].
///
/// [`Account::calls`]: crate::sandbox::Account::calls
pub(crate) struct Authorized(pub(super) Arc<Context>);

/// [`Authorized`] request to an edge of the sandbox's WhatsApp Business Account.
pub(crate) struct AccountEdge(pub(super) Arc<Context>);

/// [`Authorized`] request to an edge of a business number, with the number's id.
pub(crate) struct NumberEdge(pub(super) Arc<Context>, pub(super) String);

macro_rules! extractors {
    ($($name:ident($parts:ident, $context:ident) $extract:block)*) => {$(
        impl FromRequestParts<Arc<Context>> for $name {
            type Rejection = Refusal;

            async fn from_request_parts(
                $parts: &mut Parts,
                $context: &Arc<Context>,
            ) -> Result<Self, Refusal> $extract
        }
    )*};
}

extractors! {
    Authorized(parts, context) {
        record_call(context, parts);
        admit_call(context, &parts.headers, &parts.uri)?;
        Ok(Self(Arc::clone(context)))
    }
    AccountEdge(parts, context) {
        let Authorized(context) = Authorized::from_request_parts(parts, context).await?;
        let waba = edge_owner(parts).await?;
        let is_known = waba == WABA;
        is_known.then_some(Self(context)).ok_or_else(Refusal::no_object)
    }
    NumberEdge(parts, context) {
        let Authorized(context) = Authorized::from_request_parts(parts, context).await?;
        let number = edge_owner(parts).await?;
        knows_number(&context, &number)?;
        Ok(Self(context, number))
    }
}

/// Reads the id from a path `/{version}/{id}/{edge}`.
async fn edge_owner(parts: &mut Parts) -> Result<String, Refusal> {
    let path = Path::<(String, String)>::from_request_parts(parts, &()).await;
    let Path((_version, id)) = path.map_err(|_| Refusal::no_object())?;
    Ok(id)
}

/// Records method, path and query of a request.
pub(super) fn record_call(context: &Context, parts: &Parts) {
    let call = format!("{} {}", parts.method, parts.uri);
    context.change(|state| state.account.calls.push(call));
}

/// Checks the bearer token.
pub(super) fn admit(context: &Context, headers: &HeaderMap) -> Result<(), Refusal> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let expected = format!("Bearer {}", context.settings.api_key.expose_secret());
    if bearer == Some(expected.as_str()) {
        return Ok(());
    }
    Err(Refusal::new(190, "Error validating access token."))
}

/// Checks the bearer token, and its proof where it is required. See
/// <https://developers.facebook.com/docs/graph-api/guides/secure-requests>.
pub(super) fn admit_call(context: &Context, headers: &HeaderMap, uri: &Uri) -> Result<(), Refusal> {
    admit(context, headers)?;
    let token = context.settings.api_key.expose_secret();
    let proof = signature::proof(&context.settings.app_secret, token);
    let pairs = uri.query().unwrap_or_default().split('&');
    let mut given = pairs.filter_map(|pair| pair.strip_prefix("appsecret_proof="));
    match given.next() {
        Some(given) if given != proof => Err(Refusal::new(
            100,
            "Invalid appsecret_proof provided in the API argument",
        )),
        None if context.state().requires_app_secret => Err(Refusal::new(
            100,
            "API calls from the server require an appsecret_proof argument",
        )),
        _ => Ok(()),
    }
}

/// Checks that a business number is one of the sandbox's.
pub(super) fn knows_number(context: &Context, number: &str) -> Result<(), Refusal> {
    let mut numbers = context.settings.numbers.iter();
    let is_known = numbers.any(|known| known.as_str() == number);
    is_known.then_some(()).ok_or_else(Refusal::no_object)
}

/// Recipient of a message: the phone number without its plus, or the user id.
pub(super) fn recipient(body: &Value) -> Option<&str> {
    let to = body["to"].as_str().map(|to| to.trim_start_matches('+'));
    to.or_else(|| body["recipient"].as_str())
}

/// Buttons and rows of an interactive message; `wamid` is the message's id.
pub(super) fn options(content: &Value, wamid: &str) -> Vec<ScreenOption> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let option = |kind: &str, value: &Value| ScreenOption {
        id: text(&value["id"]),
        title: text(&value["title"]),
        description: value["description"].as_str().map(str::to_owned),
        kind: kind.to_owned(),
        of: wamid.to_owned(),
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let action = &content["action"];
    let buttons = list(&action["buttons"]).into_iter();
    let buttons = buttons.map(|button| option("button_reply", &button["reply"]));
    let card_buttons = list(&action["cards"])
        .into_iter()
        .flat_map(|card| list(&card["action"]["buttons"]))
        .map(|button| option("button_reply", &button["quick_reply"]));
    let rows = list(&action["sections"])
        .into_iter()
        .flat_map(|section| list(&section["rows"]))
        .map(|row| option("list_reply", &row));
    buttons.chain(card_buttons).chain(rows).collect()
}
