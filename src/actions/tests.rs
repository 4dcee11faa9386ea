//! Allowed hosts, and the result of every kind of response.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::dns::{Addrs, Resolve as _};
use serde_json::{Value, json};

use super::public_address::{Lookup, PublicOnly, is_public};
use super::{ActionExecutor, depth};
use crate::config::{ActionHost, Actions, LimitKey, Model};
use crate::gateway::test_server::{Fake, Script};
use crate::message::{
    Action, ActionResult, HttpCall, HttpMethod, ModelCall, ModelChoice, ModelTurn, Speaker,
};

const PUBLIC: &str = include_str!("../../tests/cases/actions/public.txt");
const NOT_PUBLIC: &str = include_str!("../../tests/cases/actions/not-public.txt");

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty())
}

fn host(base: &str, private: bool) -> ActionHost {
    ActionHost {
        base: reqwest::Url::parse(base).unwrap(),
        private,
        authorization: None,
    }
}

fn actions(hosts: Vec<ActionHost>) -> Actions {
    Actions {
        hosts,
        max_bytes: 1_000,
        per_host: 2,
    }
}

/// Executor that may call these hosts and no model.
fn executor(hosts: Vec<ActionHost>) -> ActionExecutor {
    ActionExecutor::new(&actions(hosts), None).unwrap()
}

fn call(url: &str) -> HttpCall {
    HttpCall {
        method: HttpMethod::Get,
        url: url.to_owned(),
        headers: BTreeMap::new(),
        body: None,
        timeout: Duration::from_millis(300),
    }
}

fn get(url: &str) -> Action {
    Action::Http(call(url))
}

fn header(name: &str, value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(name.to_owned(), value.to_owned())])
}

/// Resolver with the same addresses for every name, the next ones at each lookup; counts lookups.
fn names(addresses: &'static [&'static str]) -> (Lookup, Arc<AtomicUsize>) {
    let looked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&looked);
    let lookup: Lookup = Arc::new(move |_| {
        let index = count.fetch_add(1, Ordering::SeqCst);
        let resolved = addresses[index.min(addresses.len() - 1)].split(' ');
        let resolved: Vec<IpAddr> = resolved.map(|entry| entry.parse().unwrap()).collect();
        Box::pin(async move { Ok(resolved) })
    });
    (lookup, looked)
}

/// Runs an action in the first free slot.
async fn perform(executor: &ActionExecutor, action: &Action) -> ActionResult {
    let slot = executor.slots(&action.host()).pop().unwrap();
    executor.perform(action, slot).await
}

fn failed(outcome: ActionResult) -> String {
    match outcome {
        ActionResult::Failed(reason) => reason,
        ActionResult::Done(value) => panic!("it was done: {value}"),
    }
}

/// Runs an action at an allowed service on this machine that sends this response.
async fn answered(script: Script) -> ActionResult {
    let fake = Fake::start([script]).await;
    let base = format!("http://{}", fake.address);
    let executor = executor(vec![host(&base, true)]);
    perform(&executor, &get(&format!("{base}/orders/17"))).await
}

#[test]
fn addresses_are_public_or_not_as_the_registries_say() {
    for line in lines(PUBLIC) {
        assert!(is_public(line.parse().unwrap()), "{line} is public");
    }
    for line in lines(NOT_PUBLIC) {
        assert!(!is_public(line.parse().unwrap()), "{line} is not public");
    }
}

#[tokio::test]
async fn only_addresses_of_allowed_hosts_are_called() {
    let hosts = vec![
        host("https://shop.example", false),
        host("https://shop.example:8443", false),
        host("https://127.0.0.1", false),
        host("https://[::1]", false),
        host("https://169.254.169.254", false),
    ];
    // An allowed name is resolved and then rejected for its address, so no request leaves this
    // machine.
    let (lookup, looked) = names(&["127.0.0.1"]);
    let executor = ActionExecutor::with_lookup(&actions(hosts), None, lookup).unwrap();

    for line in lines(include_str!("../../tests/cases/actions/allowed.txt")) {
        let before = looked.load(Ordering::SeqCst);
        let reason = failed(perform(&executor, &get(line)).await);
        let is_resolved = reason.starts_with("its address is none of");
        assert!(is_resolved, "{line}: {reason}");
        assert!(looked.load(Ordering::SeqCst) > before, "{line} passes");
    }
    let before = looked.load(Ordering::SeqCst);
    for line in lines(include_str!("../../tests/cases/actions/refused.txt")) {
        let reason = failed(perform(&executor, &get(line)).await);
        let is_known = [
            "may not be called",
            "its address is none",
            "leaves its place",
        ]
        .iter()
        .any(|known| reason.contains(known));
        assert!(is_known, "{line}: {reason}");
    }
    let after = looked.load(Ordering::SeqCst);
    assert_eq!(after, before, "no other name is looked up");
}

#[tokio::test]
async fn a_name_is_checked_each_time_it_is_connected_to() {
    let (lookup, _) = names(&["93.184.215.14", "127.0.0.1", "10.0.0.1 93.184.215.14"]);
    let resolver = PublicOnly(lookup);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let outcome = resolver.resolve("rebinds.example".parse().unwrap()).await;
        let text = |addresses: Addrs| addresses.map(|entry| entry.ip().to_string()).collect();
        seen.push(outcome.map(text).ok());
    }

    let public = Some(vec!["93.184.215.14".to_owned()]);
    assert_eq!(seen, [public.clone(), None, public]);
}

#[test]
fn each_host_has_slots_of_its_own_and_gets_them_back() {
    let hosts = vec![
        host("https://shop.example", false),
        host("http://stock:8000", true),
    ];
    let executor = executor(hosts);
    let free = |action: &Action| executor.slots(&action.host());

    let taken = free(&get("https://Shop.example/orders?of=ana"));

    assert_eq!(taken.len(), 2);
    assert!(free(&get("https://shop.example:443/cakes")).is_empty());
    assert_eq!(free(&get("http://stock:8000")).len(), 2);
    assert_eq!(free(&get("https://other.example")).len(), 2);
    drop(taken);
    assert_eq!(free(&get("https://shop.example#top")).len(), 2);
}

#[tokio::test]
async fn an_answer_becomes_a_value() {
    let value = json!({"status": "baked"});
    for (status, body, expected) in [
        (200, r#"{"status":"baked"}"#, value.clone()),
        // A byte order mark is no part of the response.
        (200, "\u{feff}{\"status\":\"baked\"}", value),
        (204, "", Value::Null),
    ] {
        let done = answered(Script::answer(status, "", body)).await;
        assert_eq!(done, ActionResult::Done(expected), "{body}");
    }
}

#[tokio::test]
async fn what_is_no_good_answer_says_what_it_is() {
    let deep = format!("{}1{}", "[".repeat(33), "]".repeat(33));
    let deeper = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let long = format!("\"{}\"", "x".repeat(1_000));
    let too_deep = "the answer was nested more than 32 times";
    let too_long = "the answer was longer than 1000 bytes";
    let moved = "location: http://127.0.0.1:1/\r\n";
    let unfinished = b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{".to_vec();
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "[".repeat(2_000)).into_bytes();
    let cases = [
        (Script::answer(404, "", "{}"), "the answer had status 404"),
        (Script::answer(500, "", "{}"), "the answer had status 500"),
        (Script::answer(302, moved, ""), "the answer had status 302"),
        (Script::answer(200, "", "<html>"), "the answer was no JSON"),
        (Script::answer(200, "", &deeper), "the answer was no JSON"),
        (Script::answer(200, "", &deep), too_deep),
        (Script::answer(200, "", &long), too_long),
        (Script::Bytes(endless), too_long),
        (Script::Bytes(unfinished.clone()), "the connection broke"),
        (Script::Bytes(Vec::new()), "the connection broke"),
        (Script::Stall(Vec::new()), "no answer within 300ms"),
        (Script::Stall(unfinished), "no answer within 300ms"),
    ];
    for (script, expected) in cases {
        let shown = format!("{script:?}");
        assert_eq!(failed(answered(script).await), expected, "{shown}");
    }
}

#[tokio::test]
async fn a_call_carries_what_the_rule_says_and_the_owners_key() {
    let fake = Fake::start([Script::answer(200, "", "true")]).await;
    let base = format!("http://{}", fake.address);
    let mut allowed = host(&base, true);
    allowed.authorization = Some("Token secret-canary".into());
    let executor = executor(vec![allowed]);
    let call = HttpCall {
        method: HttpMethod::Put,
        headers: header("X-Shop", "luna"),
        body: Some(json!({"size": "l"})),
        timeout: Duration::from_secs(5),
        ..call(&format!("{base}/orders?of=ana%20b"))
    };

    let done = perform(&executor, &Action::Http(call)).await;

    assert_eq!(done, ActionResult::Done(json!(true)));
    let request = &fake.requests()[0];
    let head = &request.head;
    assert!(head.starts_with("PUT /orders?of=ana%20b HTTP/1.1\r\n"));
    assert!(head.contains("authorization: Token secret-canary\r\n"));
    assert!(head.contains("x-shop: luna\r\n"));
    assert_eq!(request.body, json!({"size": "l"}));
    assert!(!format!("{executor:?}").contains("canary"));
}

#[tokio::test]
async fn a_header_cannot_be_broken_out_of() {
    let base = "http://127.0.0.1:9";
    let executor = executor(vec![host(base, true)]);
    let mut call = call(base);
    call.headers = header("X-Name", "a\r\nX-Admin: yes");

    let reason = failed(perform(&executor, &Action::Http(call)).await);

    assert!(reason.contains("no header may carry"), "{reason}");
}

fn question(choose: &[&str]) -> ModelCall {
    let choose = choose.iter().map(|id| ModelChoice {
        id: (*id).to_owned(),
        description: format!("about {id}"),
    });
    let turn = |speaker, text: &str| ModelTurn {
        speaker,
        text: text.to_owned(),
    };
    ModelCall {
        instructions: "Answer as a bakery.".to_owned(),
        turns: vec![
            turn(Speaker::Contact, "hi"),
            turn(Speaker::Business, "Hello!"),
            turn(Speaker::Contact, "do you have rye bread?"),
        ],
        choose: choose.collect(),
        max_tokens: 50,
        timeout: Duration::from_secs(5),
    }
}

fn model() -> Model {
    Model {
        url: String::new(),
        name: "small".to_owned(),
        api_key: Some("model-key".into()),
        temperature: None,
        limit_key: LimitKey::MaxTokens,
    }
}

/// Returns the result of a model's reply, and the body of the request.
async fn ask_model(reply: &str, mut model: Model, call: ModelCall) -> (ActionResult, Value) {
    let body = json!({"choices": [{"message": {"role": "assistant", "content": reply}}]});
    let fake = Fake::start([Script::answer(200, "", &body.to_string())]).await;
    model.url = format!("http://{}/v1", fake.address);
    let executor = ActionExecutor::new(&actions(Vec::new()), Some(&model)).unwrap();
    let outcome = perform(&executor, &Action::Model(call)).await;
    let request = fake.requests().remove(0);
    let head = request.head;
    assert!(head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"));
    assert!(head.contains("authorization: Bearer model-key\r\n"));
    (outcome, request.body)
}

#[tokio::test]
async fn a_model_writes_a_text_from_the_conversation() {
    let (outcome, request) = ask_model(" Yes, {{ contact.phone }}. ", model(), question(&[])).await;

    // Text that looks like a template is not rendered.
    let text = json!({"text": "Yes, {{ contact.phone }}."});
    assert_eq!(outcome, ActionResult::Done(text));
    let expected = json!({
        "model": "small", "max_tokens": 50,
        "messages": [
            {"role": "system", "content": "Answer as a bakery."},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "Hello!"},
            {"role": "user", "content": "do you have rye bread?"},
        ],
    });
    assert_eq!(request, expected);
}

#[tokio::test]
async fn a_model_chooses_one_of_the_rules_it_is_given() {
    let no_rule = "the model chose none of the rules it was given";
    let cases = [
        ("bread", Ok(json!({"choice": "bread"}))),
        ("`bread`.", Ok(json!({"choice": "bread"}))),
        (" Bread!", Ok(json!({"choice": "bread"}))),
        ("None", Ok(json!({"choice": null}))),
        ("delete-everything", Err(no_rule)),
        (" ", Err("the model gave no answer")),
    ];
    for (reply, expected) in cases {
        let (outcome, request) = ask_model(reply, model(), question(&["bread", "cake"])).await;
        let expected = match expected {
            Ok(value) => ActionResult::Done(value),
            Err(reason) => ActionResult::Failed(reason.to_owned()),
        };
        assert_eq!(outcome, expected, "{reply}");
        let system = request["messages"][0]["content"].as_str().unwrap();
        assert!(system.ends_with("\nbread: about bread\ncake: about cake"));
    }
}

#[tokio::test]
async fn a_model_is_asked_in_the_words_its_service_knows() {
    let model = Model {
        temperature: Some(1),
        limit_key: LimitKey::MaxCompletionTokens,
        ..model()
    };

    let (_, request) = ask_model("Yes.", model, question(&[])).await;

    assert_eq!(request["max_completion_tokens"], json!(50));
    assert_eq!(request["temperature"], json!(1));
    assert_eq!(request.get("max_tokens"), None);
}

#[tokio::test]
async fn an_address_that_would_leave_its_place_is_not_called() {
    for way in [
        "/orders/../admin",
        "/orders/%2E%2e/admin",
        "/orders/.",
        "/a\\..\\b",
    ] {
        let base = "http://127.0.0.1:9";
        let executor = executor(vec![host(base, true)]);

        let reason = failed(perform(&executor, &get(&format!("{base}{way}"))).await);

        assert!(reason.contains("leaves its place"), "{way}: {reason}");
    }
}

#[tokio::test]
async fn the_owners_key_goes_before_that_of_a_rule() {
    let fake = Fake::start([Script::answer(200, "", "true")]).await;
    let base = format!("http://{}", fake.address);
    let mut allowed = host(&base, true);
    allowed.authorization = Some("Token of-the-owner".into());
    let executor = executor(vec![allowed]);
    let mut call = call(&base);
    call.headers = header("Authorization", "Token of-a-rule");

    perform(&executor, &Action::Http(call)).await;

    let head = &fake.requests()[0].head;
    let is_owners = head.contains("authorization: Token of-the-owner\r\n");
    assert!(is_owners, "{head}");
    assert!(!head.contains("of-a-rule"), "{head}");
}

#[tokio::test]
async fn without_a_model_none_is_asked() {
    let executor = executor(Vec::new());

    let reason = failed(perform(&executor, &Action::Model(question(&[]))).await);

    let expected = "no language model is set: see [model] in replyd.toml";
    assert_eq!(reason, expected);
}

#[test]
fn depth_counts_what_stands_in_each_other() {
    assert_eq!(depth(&json!(1)), 0);
    assert_eq!(depth(&json!([{"a": [1]}, 2])), 3);
}
