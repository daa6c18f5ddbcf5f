//! Which connections are admitted, and which give way.

use super::*;

fn peer(text: &str) -> SocketAddr {
    format!("{text}:1").parse().expect("an address")
}

fn table(max: usize) -> Arc<Connections> {
    let trusted = vec!["10.0.0.0/8".parse().expect("a network")];
    Arc::new(Connections::new(max, ConnectionTimes::default(), trusted))
}

fn is_closed(admitted: &Admitted) -> bool {
    admitted.connection.poll_closed(&std::task::Context::from_waker(std::task::Waker::noop()))
}

fn admit_many(table: &Arc<Connections>, address: &str, count: usize, now: Instant) -> Vec<Admitted> {
    (0..count).map(|_| table.admit(Some(peer(address)), now).expect("room")).collect()
}

#[test]
fn one_address_has_a_quarter_but_proxies_and_this_machine_all() {
    let now = Instant::now();
    for (address, may_have) in
        [("203.0.113.7", 25), ("[2001:db8::1]", 25), ("10.1.2.3", 100), ("127.0.0.1", 100), ("[::1]", 100)]
    {
        let table = table(100);
        let all = admit_many(&table, address, 101, now);
        assert_eq!(all.iter().filter(|one| !is_closed(one)).count(), may_have, "{address}");
        assert_eq!(table.open().count, may_have);
    }
    // One customer has a whole /64, and gets no additional connections by using more of it.
    let table = table(100);
    let all: Vec<_> =
        (1..=30).map(|n| table.admit(Some(peer(&format!("[2001:db8::{n}]"))), now).expect("room")).collect();
    assert_eq!(all.iter().filter(|one| !is_closed(one)).count(), 25);
}

#[test]
fn when_all_places_are_taken_the_longest_waiting_of_the_address_with_most_gives_way() {
    let (table, start) = (table(8), Instant::now());
    let proxy = admit_many(&table, "10.0.0.1", 1, start);
    let few = admit_many(&table, "203.0.113.1", 1, start);
    let most: Vec<_> = (0..6_u64)
        .map(|turn| table.admit(Some(peer("127.0.0.1")), start + Duration::from_millis(turn)).expect("room"))
        .collect();
    let newcomer = table.admit(Some(peer("203.0.113.9")), start + Duration::from_secs(5)).expect("a place");
    assert!(is_closed(&most[0]) && !is_closed(&newcomer));
    assert!(![&proxy[0], &few[0], &most[1]].into_iter().any(is_closed));
    assert_eq!(table.open().count, 8);
}

#[test]
fn who_is_worked_on_never_gives_way_and_who_keeps_us_waiting_goes_before_who_is_idle() {
    let (table, start) = (table(3), Instant::now());
    let [working, idle, head] =
        <[Admitted; 3]>::try_from(admit_many(&table, "127.0.0.1", 3, start)).ok().expect("three");
    working.connection.request_began(false, start);
    idle.connection.request_began(false, start);
    idle.connection.answered(start);
    head.connection.bytes_came(start + Duration::from_secs(1));
    let second = table.admit(Some(peer("127.0.0.1")), start + Duration::from_secs(2)).expect("a place");
    assert!(is_closed(&head) && !is_closed(&idle), "half a head gives way first");
    // The two new ones have only just arrived, so the idle one gives way before them.
    let third = table.admit(Some(peer("127.0.0.1")), start + Duration::from_secs(2)).expect("a place");
    assert!(is_closed(&idle) && !is_closed(&second));
    second.connection.request_began(false, start);
    third.connection.request_began(false, start);
    assert!(table.admit(Some(peer("127.0.0.1")), start + Duration::from_hours(1)).is_none());
    assert!(![&working, &second, &third].into_iter().any(is_closed));
    drop(second);
    assert!(table.admit(Some(peer("127.0.0.1")), start).is_some());
}

/// A phase, its limit, and how a connection gets into it.
type Case<'c> = (&'c str, Duration, &'c dyn Fn(&Connection));

#[test]
fn every_phase_has_its_end() {
    let start = Instant::now();
    let times = ConnectionTimes::default();
    let in_phase = |enter: &dyn Fn(&Connection)| {
        let table = table(1);
        let admitted = table.admit(Some(peer("127.0.0.1")), start).expect("a place");
        enter(&admitted.connection);
        (table, admitted)
    };
    let cases: [Case<'_>; 8] = [
        ("new", times.head + GRACE, &|_| {}),
        ("head", times.head + GRACE, &|one| one.bytes_came(start + Duration::from_secs(5))),
        ("working", times.work, &|one| one.request_began(true, start)),
        ("body", times.body, &|one| {
            one.request_began(true, start);
            one.waits_for_body(start);
        }),
        ("draining", times.drain, &|one| {
            one.request_began(true, start);
            one.answered(start);
            one.bytes_came(start + Duration::from_secs(1));
        }),
        ("idle", times.idle + GRACE, &|one| {
            one.request_began(false, start);
            one.answered(start);
        }),
        ("sending", times.answer, &|one| {
            one.request_began(false, start);
            one.answered(start);
            one.write_blocks();
            one.write_goes_on();
            one.write_blocks();
        }),
        ("later head", times.head + GRACE, &|one| {
            one.request_began(false, start);
            one.answered(start);
            one.bytes_came(start);
            one.bytes_came(start + Duration::from_secs(9));
        }),
    ];
    for (name, limit, enter) in cases {
        let (table, admitted) = in_phase(enter);
        table.sweep(start + limit.saturating_sub(Duration::from_millis(1)));
        assert!(!is_closed(&admitted), "{name} ends too early");
        table.sweep(start + limit);
        assert!(is_closed(&admitted) && table.open().count == 0, "{name} does not end");
    }
}

#[test]
fn an_answer_that_is_taken_leaves_an_idle_connection() {
    let (table, start) = (table(1), Instant::now());
    let admitted = table.admit(Some(peer("127.0.0.1")), start).expect("a place");
    let one = &admitted.connection;
    one.request_began(true, start);
    one.body_came();
    one.answered(start);
    one.write_blocks();
    one.write_goes_on();
    table.sweep(start + Duration::from_mins(15));
    assert!(!is_closed(&admitted));
}
