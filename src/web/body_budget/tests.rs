//! Tests which body makes room for which. Time is paused: it passes only where a test advances it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, advance};

use super::*;
use crate::web::peer::TrustedProxies;

const GRACE: Duration = Duration::from_secs(5);
const MOMENT: Duration = Duration::from_millis(1);

/// Budget of 400 bytes and 8 bodies at 10 bytes per second.
fn bodies() -> Arc<BodyBudget> {
    BodyBudget::new(BodyLimits {
        bytes: 400,
        coming: 8,
        grace: GRACE,
        bytes_per_second: 10,
    })
}

fn peer(last: u8) -> Option<Peer> {
    TrustedProxies::default().peer([203, 0, 113, last].into())
}

/// Body with a number of received bytes.
fn body(bodies: &Arc<BodyBudget>, peer: Option<Peer>, bytes: usize) -> BodyReservation {
    let mut room = bodies.begin(peer).unwrap();
    room.grow(bytes).unwrap();
    room
}

fn is_taken_away(room: &BodyReservation) -> bool {
    room.give_up.is_cancelled()
}

#[tokio::test(start_paused = true)]
async fn the_slowest_makes_room_however_much_it_brought_before() {
    let bodies = bodies();
    let silent = body(&bodies, None, 390);
    advance(MOMENT).await;
    let mut honest = bodies.begin(None).unwrap();

    honest.grow(20).unwrap();

    assert!(is_taken_away(&silent));
    assert!(honest.complete().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_moves_outlives_one_that_drips() {
    let bodies = bodies();
    let mut moving = body(&bodies, None, 10);
    let mut dripping = body(&bodies, None, 10);
    for _ in 0..4 {
        advance(Duration::from_secs(1)).await;
        moving.grow(10).unwrap();
        dripping.grow(1).unwrap();
    }

    let large = body(&bodies, None, 345);

    assert!(is_taken_away(&dripping));
    assert!(!is_taken_away(&moving) && !is_taken_away(&large));
}

#[tokio::test(start_paused = true)]
async fn a_body_may_stand_still_for_its_grace_and_every_byte_earns_some_time() {
    let bodies = bodies();
    let mut room = bodies.begin(None).unwrap();
    assert_eq!(room.due(), Instant::now() + GRACE);

    advance(Duration::from_secs(2)).await;
    room.grow(10).unwrap();
    assert_eq!(room.due(), Instant::now() + Duration::from_secs(4));
    room.grow(300).unwrap();

    assert_eq!(room.due(), Instant::now() + GRACE, "and no more than that");
}

#[tokio::test(start_paused = true)]
async fn one_peer_gets_a_quarter_and_makes_room_for_itself() {
    let bodies = bodies();
    let other = body(&bodies, peer(2), 10);
    advance(MOMENT).await;
    let first = body(&bodies, peer(1), 60);
    advance(MOMENT).await;

    let second = body(&bodies, peer(1), 60);
    assert!(is_taken_away(&first) && !is_taken_away(&second));
    let third = body(&bodies, peer(1), 10);
    advance(MOMENT).await;
    let fourth = bodies.begin(peer(1)).unwrap();

    assert!(is_taken_away(&second), "two of eight bodies at a time");
    assert!(!is_taken_away(&third) && !is_taken_away(&fourth));
    assert!(!is_taken_away(&other), "others do not suffer for it");
}

#[tokio::test(start_paused = true)]
async fn a_complete_body_keeps_its_room_until_it_is_stored() {
    let bodies = bodies();
    let mut stored = body(&bodies, None, 400);
    stored.complete().unwrap();
    advance(MOMENT).await;

    let mut late = bodies.begin(None).unwrap();
    assert!(late.grow(1).is_err(), "there is nobody to make room");
    assert!(!is_taken_away(&stored));
    drop((stored, late));

    assert!(!is_taken_away(&body(&bodies, None, 400)));
}

#[tokio::test(start_paused = true)]
async fn too_many_bodies_give_way_to_a_new_one() {
    let bodies = bodies();
    let mut held = Vec::new();
    for _ in 0..20 {
        held.push(body(&bodies, None, 1));
        advance(MOMENT).await;
    }

    let mut honest = body(&bodies, peer(1), 1);

    assert!(honest.complete().is_ok());
    assert_eq!(held.iter().filter(|room| is_taken_away(room)).count(), 13);
    assert!(held[..13].iter().all(is_taken_away), "the oldest of them");
    let last = held.last_mut().unwrap();
    assert!(last.complete().is_ok());
}
