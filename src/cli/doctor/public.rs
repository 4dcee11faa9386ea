//! The public address: does what Meta sends reach us, and does nothing else.

use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::{Health, Report};
use crate::config::Config;
use crate::gateway::http_client;
use crate::whatsapp::signature;

/// Meta counts an answer after a second as slow.
const PATIENCE: Duration = Duration::from_secs(10);
/// A webhook with nothing in it: acknowledged, and nothing is stored.
const EMPTY: &str = r#"{"object":"whatsapp_business_account","entry":[]}"#;
/// What Meta would have to get back.
const CHALLENGE: &str = "1158201444";
const SUBJECT: &str = "public webhook";

/// Sends what Meta sends: the verification, a signed body, and one that is not signed.
pub(super) async fn webhook(report: &mut Report, config: Option<&Config>, url: Option<&str>) {
    let (Some(config), Some(url)) = (config, url) else {
        let why = if url.is_none() {
            "not looked at: its address is not known here"
        } else {
            "not looked at: the configuration cannot be used"
        };
        let advice = "name it: replyd doctor --url https://bot.example/webhook";
        return report.advise(Health::Unknown, SUBJECT, why, advice);
    };
    let client = match http_client(PATIENCE) {
        Ok(client) => client,
        Err(error) => return report.add(Health::Bad, SUBJECT, error.to_string()),
    };
    if !url.starts_with("https://") {
        let advice = "Meta takes only https, with a certificate of a public authority";
        report.advise(
            Health::Doubtful,
            SUBJECT,
            "the address is not https",
            advice,
        );
    }
    verification(report, &client, config, url).await;
    let signed = signature::sign(&config.webhook.app_secrets[0], EMPTY.as_bytes());
    match post(&client, url, Some(&signed)).await {
        Ok(200) => report.add(
            Health::Good,
            SUBJECT,
            "takes what is signed with our app secret",
        ),
        Ok(401 | 403) => report.advise(
            Health::Bad,
            SUBJECT,
            "does not take our signature",
            "the service there has another app secret, or something on the way changes the body",
        ),
        Ok(status) => report.add(Health::Bad, SUBJECT, format!("answers with {status}")),
        Err(error) => return report.advise(Health::Bad, SUBJECT, error, unreachable_advice()),
    }
    match post(&client, url, None).await {
        Ok(400..=499) => report.add(Health::Good, SUBJECT, "refuses what is not signed"),
        Ok(status) => report.advise(
            Health::Bad,
            SUBJECT,
            format!("answers {status} to what is not signed"),
            "whatever answers there is not replyd",
        ),
        Err(error) => report.advise(Health::Bad, SUBJECT, error, unreachable_advice()),
    }
}

fn unreachable_advice() -> &'static str {
    "check the proxy, the certificate and the firewall in front of server.listen"
}

async fn verification(report: &mut Report, client: &reqwest::Client, config: &Config, url: &str) {
    let Ok(mut address) = reqwest::Url::parse(url) else {
        return report.add(Health::Bad, SUBJECT, "the address is not a URL");
    };
    address
        .query_pairs_mut()
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.challenge", CHALLENGE)
        .append_pair(
            "hub.verify_token",
            config.webhook.verify_token.expose_secret(),
        );
    // Why it cannot be reached is told by the post that follows.
    let Ok(answer) = client.get(address).send().await else {
        return;
    };
    let status = answer.status().as_u16();
    let body = answer.text().await.unwrap_or_default();
    if status == 200 && body == CHALLENGE {
        report.add(Health::Good, SUBJECT, "answers Meta's verification");
    } else {
        let detail = format!("answers {status} to Meta's verification");
        let advice = "the service there has another webhook.verify_token, or is none of ours";
        report.advise(Health::Bad, SUBJECT, detail, advice);
    }
}

async fn post(client: &reqwest::Client, url: &str, signed: Option<&str>) -> Result<u16, String> {
    let mut request = client
        .post(url)
        .header("content-type", "application/json")
        .body(EMPTY);
    if let Some(signed) = signed {
        request = request.header("x-hub-signature-256", signed);
    }
    match request.send().await {
        Ok(answer) => Ok(answer.status().as_u16()),
        // The error names the address, and that may hold what is nobody's business.
        Err(error) => Err(format!("cannot be reached: {}", error.without_url())),
    }
}
