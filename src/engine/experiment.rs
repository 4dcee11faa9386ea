//! Rules with `chance`: each contact draws the same number for a rule every time.

use crate::message::{Contact, UserId, WaId};
use crate::rules::Rule;

/// Number that a contact draws for a rule, from 0 up to 1: the same each time, and another for each
/// rule.
pub(crate) fn draw(rule: &Rule, contact: &Contact) -> f64 {
    let phone = contact.identity.wa_id().map(WaId::shortest);
    let id = phone.as_ref().map(WaId::as_str);
    let id = id.or_else(|| contact.identity.user_id().map(UserId::as_str));
    let number = stable_hash(&[rule.id.as_str(), id.unwrap_or_default()]);
    // 20 bits are fine enough, and exact.
    f64::from(u32::try_from(number >> 44).unwrap_or(0)) / f64::from(1_u32 << 20)
}

/// Hashes texts the same on every machine and in every version: FNV-1a, with its bits mixed at the
/// end.
pub(crate) fn stable_hash(parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 32)
}
