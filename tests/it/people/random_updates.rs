//! Random updates about a few persons: through any order of them, each person is one contact, and what
//! was said to a number holds for it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;
use replyd::message::PhoneNumberId;
use serde_json::{Value, json};

use super::{ACCOUNTS, People, phone, under, user};
use crate::support::NUMBERS;

/// An update about one of a few persons, each with one phone and one user id in each account.
#[derive(Clone, Copy, Debug)]
enum Update {
    Message {
        by: Ids,
        stop: bool,
        second: i64,
    },
    Receipt,
    /// WhatsApp refuses a message that was sent by hand, after the messages of its batch.
    Refused {
        by: Ids,
    },
}

/// The ids that an update names.
#[derive(Clone, Copy, Debug)]
enum Ids {
    Phone,
    User,
    Both,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    person: usize,
    account: usize,
    is_other_spelling: bool,
    update: Update,
}

const PHONES: [[&str; 2]; 4] = [
    ["5582999448232", "558299448232"],
    ["5215512345678", "525512345678"],
    ["5491123456789", "541123456789"],
    ["4915551112222", "4915551112222"],
];
/// Beginning of the first batch, in seconds since 1970.
const FIRST: i64 = 1_766_999_000;
/// Length of a batch.
const SECONDS: i64 = 100;

fn step() -> impl Strategy<Value = Step> {
    let by = || prop_oneof![Just(Ids::Phone), Just(Ids::User), Just(Ids::Both)];
    let message = (by(), proptest::bool::weighted(0.2), 0..SECONDS);
    let message = message.prop_map(|(by, stop, second)| Update::Message { by, stop, second });
    let refused = by().prop_map(|by| Update::Refused { by });
    let update = prop_oneof![6 => message, 2 => Just(Update::Receipt), 1 => refused];
    let step = (0..PHONES.len(), 0..3_usize, any::<bool>(), update);
    step.prop_map(|(person, account, is_other_spelling, update)| Step {
        person,
        account,
        is_other_spelling,
        update,
    })
}

impl Step {
    fn phone(&self) -> &'static str {
        PHONES[self.person][usize::from(self.is_other_spelling)]
    }

    fn user(&self) -> String {
        format!("DE.{}{}", self.person, self.account)
    }

    /// The step as an entry of its account in a batch that begins at this second; `None` if it is no
    /// webhook's.
    fn entry(&self, wamid: &str, first: i64) -> Option<Value> {
        let mut update = json!({ "id": wamid, "timestamp": "1767000000" });
        let parts = match self.update {
            Update::Message { by, stop, second } => {
                update["timestamp"] = json!((first + second).to_string());
                update["type"] = json!("text");
                update["text"] = json!({ "body": if stop { "stop" } else { "hi" } });
                if !matches!(by, Ids::User) {
                    update["from"] = json!(self.phone());
                }
                if !matches!(by, Ids::Phone) {
                    update["from_user_id"] = json!(self.user());
                }
                json!({ "messages": [update] })
            }
            Update::Receipt => {
                update["status"] = json!("sent");
                update["recipient_id"] = json!(self.phone());
                update["recipient_user_id"] = json!(self.user());
                json!({ "statuses": [update] })
            }
            Update::Refused { .. } => return None,
        };
        let body = under(ACCOUNTS[self.account], NUMBERS[self.account], parts);
        Some(body["entry"][0].clone())
    }
}

/// What a person has said to a number.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    stop: bool,
    /// Time of the newest message, in seconds since 1970.
    last: Option<i64>,
}

impl People {
    async fn take(&self, batch: &[Step], number: usize, first: i64) {
        let steps = batch.iter().enumerate();
        let entries =
            steps.filter_map(|(index, step)| step.entry(&format!("wamid.{number}.{index}"), first));
        let body = json!({ "entry": entries.collect::<Vec<_>>() });
        self.receive(&body.to_string()).await;
        for step in batch {
            if let Update::Refused { by } = step.update {
                let number = PhoneNumberId::parse(NUMBERS[step.account]).unwrap();
                let to = match by {
                    Ids::Phone | Ids::Both => phone(step.phone()),
                    Ids::User => user(&step.user()),
                };
                let at = Timestamp::from_second(first + SECONDS).unwrap();
                self.store.close_window(&number, &to, at).await.unwrap();
            }
        }
    }
}

/// Stores the batches, and in the end a receipt for each person and number with both ids; checks
/// that each person is one contact, and what was said to a number holds for it. A message is taken
/// before a refusal of the same batch.
async fn check(batches: &[Vec<Step>]) {
    let people = People::new().await;
    let last = (0..PHONES.len() * 3).map(|index| Step {
        person: index / 3,
        account: index % 3,
        is_other_spelling: false,
        update: Update::Receipt,
    });
    let last: Vec<Step> = last.collect();
    let mut said: BTreeMap<(usize, usize), Said> = BTreeMap::new();
    let mut is_refused: BTreeMap<(usize, usize), bool> = BTreeMap::new();
    for (number, batch) in batches.iter().chain([&last]).enumerate() {
        let first = FIRST + SECONDS * i64::try_from(number).unwrap();
        people.take(batch, number, first).await;
        for step in batch {
            let key = (step.person, step.account);
            if let Update::Message { stop, second, .. } = step.update {
                let said = said.entry(key).or_default();
                said.stop |= stop;
                said.last = said.last.max(Some(first + second));
                is_refused.insert(key, false);
            }
        }
        for step in batch {
            if let Update::Refused { .. } = step.update {
                let key = (step.person, step.account);
                said.entry(key).or_default();
                is_refused.insert(key, true);
            }
        }
    }
    for ((person, account), Said { stop, last }) in &said {
        let key = (*person, *account);
        for digits in PHONES[*person] {
            let eligibility = people.eligibility(*account, &phone(digits)).await;
            let eligibility = eligibility.expect("the contact is known");
            assert_eq!(eligibility.opted_out, *stop, "{key:?}");
            let last_inbound = last.map(|second| Timestamp::from_second(second).unwrap());
            assert_eq!(eligibility.last_inbound, last_inbound, "{key:?}");
            assert_eq!(
                eligibility.window_closed.is_some(),
                is_refused[&key],
                "{key:?}"
            );
            let user = eligibility.user_id.as_ref().map(AsRef::as_ref);
            assert_eq!(user, Some(format!("DE.{person}{account}").as_str()));
        }
    }
    let persons: BTreeSet<usize> = said.keys().map(|(person, _)| *person).collect();
    let contacts = people.count("SELECT count(*) FROM contacts").await;
    assert_eq!(contacts, i64::try_from(persons.len()).unwrap());
    let conversations = people.count("SELECT count(*) FROM conversations").await;
    assert_eq!(conversations, i64::try_from(said.len()).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn one_person_with_one_phone_stays_one_contact(
        batches in proptest::collection::vec(proptest::collection::vec(step(), 1..6), 1..6),
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(check(&batches));
    }
}
