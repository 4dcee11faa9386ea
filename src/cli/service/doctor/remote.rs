//! Checks through the gateway: clock, key, connection, Graph version, numbers, subscription.
//!
//! Through Maton nothing is ever asked of `subscribed_apps`: it would speak of Maton's app, not of
//! the owner's.

use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::report::{Health, Report};
use crate::clock::Clock;
use crate::config::{Calls, Config, Preset};
use crate::gateway::{Gateway, SendError};
use crate::message::PhoneNumberId;
use crate::whatsapp::account_api::connections::{self, Connection};
use crate::whatsapp::account_api::numbers::{self, BusinessNumber};
use crate::whatsapp::api_call::{self, Api, Call};
use crate::whatsapp::signature;

/// Tolerated difference between server time and the time of WhatsApp.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(30);
/// Remaining life of a Graph version below which an upgrade is advised.
const SOON: SignedDuration = SignedDuration::from_hours(24 * 90);

/// Runs every check that needs the network.
pub(super) async fn all(
    report: &mut Report,
    calls: &Calls,
    config: Option<&Config>,
    gateway: &Gateway,
) {
    version(report, &calls.gateway.graph_version);
    if !clock(report, gateway).await {
        let detail = "not looked at: the gateway cannot be reached";
        return report.add(Health::Unknown, "key, connection and numbers", detail);
    }
    if calls.gateway.preset == Preset::Maton {
        connection(report, calls, gateway).await;
    }
    if calls.numbers.is_empty() {
        report.advise(
            Health::Unknown,
            "numbers",
            "not looked at: the configuration names none",
            "list them under [[number]] to have them checked",
        );
    }
    for number in &calls.numbers {
        business_number(report, gateway, &number.phone_number_id).await;
    }
    subscription(report, calls, gateway).await;
    if let (Preset::Graph, Some(config)) = (calls.gateway.preset, config) {
        app_secret(report, config, gateway).await;
    }
}

fn version(report: &mut Report, version: &str) {
    const SUBJECT: &str = "Graph version";
    let Some(ends) = api_call::version_ends(version) else {
        let detail = format!("{version} has no end that we know of");
        return report.add(Health::Good, SUBJECT, detail);
    };
    let left = ends.duration_since(Clock::System.now());
    let day = ends.strftime("%Y-%m-%d");
    let advice = "set gateway.graph_version to a newer one";
    if left.is_negative() {
        let detail = format!("{version} ended on {day}");
        report.advise(Health::Bad, SUBJECT, detail, advice);
    } else if left < SOON {
        let detail = format!("{version} ends on {day}");
        report.advise(Health::Doubtful, SUBJECT, detail, advice);
    } else {
        report.add(Health::Good, SUBJECT, format!("{version}, until {day}"));
    }
}

/// Checks that the gateway can be reached, and compares the clocks.
async fn clock(report: &mut Report, gateway: &Gateway) -> bool {
    const SUBJECT: &str = "clock";
    match gateway.date().await {
        Ok(Some(theirs)) => {
            let off = Clock::System.now().duration_since(theirs);
            let detail = format!("{} s beside the gateway's", off.as_secs());
            if off.abs() <= CLOCK_TOLERANCE {
                report.add(Health::Good, SUBJECT, detail);
            } else {
                let advice = "messages seem older or younger than they are: `timedatectl set-ntp true` sets this machine's time";
                report.advise(Health::Bad, SUBJECT, detail, advice);
            }
            true
        }
        Ok(None) => {
            report.add(Health::Unknown, SUBJECT, "the gateway gave no time");
            true
        }
        Err(error) => {
            failed(report, "gateway", &error, &gateway.address(Api::Graph));
            false
        }
    }
}

/// Maton's key, and the connection that is sent along.
async fn connection(report: &mut Report, calls: &Calls, gateway: &Gateway) {
    const SUBJECT: &str = "connection";
    let address = gateway.address(Api::Control);
    let Some(id) = &calls.gateway.connection else {
        return match gateway.call(&connections::list(Some("ACTIVE"), None)).await {
            Ok(answer) => match connections::rows(&answer).len() {
                0 => report.advise(
                    Health::Bad,
                    SUBJECT,
                    "no active one",
                    "`replyd connections create` begins one",
                ),
                1 => report.add(Health::Good, SUBJECT, "the only active one is used"),
                several => report.advise(
                    Health::Doubtful,
                    SUBJECT,
                    format!("{several} are active, and none is chosen"),
                    "choose one: `replyd connections default ID`",
                ),
            },
            Err(error) => failed(report, SUBJECT, &error, &address),
        };
    };
    match gateway.call(&connections::get(id)).await {
        Ok(answer) => match Connection::read(&answer) {
            Some(connection) if connection.is_active() => {
                report.add(Health::Good, SUBJECT, format!("{id} is active"));
            }
            Some(connection) => report.advise(
                Health::Bad,
                SUBJECT,
                format!("{id} is {}", connection.status),
                "`replyd connections create` begins a new one",
            ),
            None => report.add(Health::Unknown, SUBJECT, "the answer cannot be read"),
        },
        Err(error) => failed(report, SUBJECT, &error, &address),
    }
}

async fn business_number(report: &mut Report, gateway: &Gateway, id: &PhoneNumberId) {
    let subject = format!("number {id}");
    let answer = match gateway.call(&numbers::get(id.as_str())).await {
        Ok(answer) => answer,
        Err(error) => return failed(report, &subject, &error, &gateway.address(Api::Graph)),
    };
    let number = BusinessNumber::read(&answer);
    let detail = format!(
        "{} · {} · quality {} · name {} · {}",
        number.display_phone_number,
        number.status,
        number.quality_rating,
        number.name_status,
        number.messaging_limit
    );
    let status = number.status.as_str();
    let quality = number.quality_rating.as_str();
    if !matches!(status, "" | "CONNECTED") {
        let advice = "open WhatsApp Manager: the number is not connected";
        report.advise(Health::Bad, subject, detail, advice);
    } else if matches!(quality, "RED" | "YELLOW") {
        let advice =
            "contacts block or report the number: send fewer messages that they did not ask for";
        report.advise(Health::Doubtful, subject, detail, advice);
    } else {
        report.add(Health::Good, subject, detail);
    }
}

/// Checks that an app is subscribed to the account's webhooks.
async fn subscription(report: &mut Report, calls: &Calls, gateway: &Gateway) {
    const SUBJECT: &str = "webhook subscription";
    if calls.gateway.preset == Preset::Maton {
        return report.advise(
            Health::Unknown,
            SUBJECT,
            "not looked at: through Maton it would speak of Maton's app",
            "look in your Meta app: WhatsApp > Configuration, field `messages`",
        );
    }
    let wabas = calls
        .numbers
        .iter()
        .filter_map(|number| number.waba_id.as_ref());
    let wabas: std::collections::BTreeSet<&String> = wabas.collect();
    if wabas.is_empty() {
        let detail = "not looked at: no [[number]] has a waba_id";
        return report.add(Health::Unknown, SUBJECT, detail);
    }
    for waba in wabas {
        let call = Call::get(&[waba, "subscribed_apps"]);
        match gateway.call(&call).await {
            Ok(answer) => match answer["data"].as_array().map_or(0, Vec::len) {
                0 => report.advise(
                    Health::Bad,
                    SUBJECT,
                    format!("no app is subscribed to account {waba}"),
                    "POST /WABA_ID/subscribed_apps with the token of your Meta app",
                ),
                _ => report.add(
                    Health::Good,
                    SUBJECT,
                    format!("{} for {waba}", apps(&answer)),
                ),
            },
            Err(error) => failed(report, SUBJECT, &error, &gateway.address(Api::Graph)),
        }
    }
}

fn apps(answer: &Value) -> String {
    let apps = answer["data"].as_array().into_iter().flatten();
    let names = apps.filter_map(|app| app["whatsapp_business_api_data"]["name"].as_str());
    let names: Vec<&str> = names.collect();
    names.join(", ")
}

/// Graph refuses a proof that was made with another app's secret than the token's.
/// See <https://developers.facebook.com/docs/graph-api/guides/secure-requests>.
async fn app_secret(report: &mut Report, config: &Config, gateway: &Gateway) {
    const SUBJECT: &str = "app secret and token";
    let Some(number) = config.numbers.first() else {
        return;
    };
    let plain = Call::get(&[number.phone_number_id.as_str()]).with("fields", "id");
    let is_proven = config.gateway.app_secret.is_some();
    let call = if is_proven {
        plain.clone()
    } else {
        let token = config.gateway.api_key.expose_secret();
        let current = &config.webhook.app_secrets[0];
        let proof = signature::proof(current, token);
        plain.clone().with("appsecret_proof", proof)
    };
    let proven = gateway.call(&call).await;
    let refuses = |error: &SendError| error.code() == Some(100) && !error.is_about_address();
    if !is_proven
        && proven.is_ok()
        && let Err(error) = gateway.call(&plain).await
        && refuses(&error)
    {
        return report.advise(
            Health::Bad,
            SUBJECT,
            "Meta refuses every call without a proof of the app secret",
            "set gateway.app_secret_proof = true, or turn \"Require app secret\" off in the app's dashboard: App settings, Advanced",
        );
    }
    match proven {
        Ok(_) => report.add(Health::Good, SUBJECT, "are of one Meta app"),
        Err(error) if refuses(&error) => report.advise(
            Health::Doubtful,
            SUBJECT,
            "are not of one Meta app",
            "webhooks are signed with the secret of the app that is subscribed: take that one",
        ),
        Err(error) => failed(report, SUBJECT, &error, &gateway.address(Api::Graph)),
    }
}

fn failed(report: &mut Report, subject: &str, error: &SendError, address: &str) {
    let detail = match error {
        SendError::Rejected(rejection) => rejection.reason(),
        SendError::NotSent(cause) => format!("{address} cannot be reached: {cause}"),
        SendError::Unknown(cause) => format!("{address}: {cause}"),
    };
    report.advise(Health::Bad, subject, detail, error.advice());
}
