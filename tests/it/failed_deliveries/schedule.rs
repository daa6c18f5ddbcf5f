//! The automatic retries of a running service.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use topup::app::schedule::{Job, Schedule};

use crate::support::{Backend, TestApp, until};

#[tokio::test]
async fn a_run_that_fails_or_panics_is_followed_by_the_next_one() {
    let app = TestApp::start(Backend::Sqlite).await;
    let runs = Arc::new(AtomicU32::new(0));
    let counter = runs.clone();
    let job = Job::new("test", Duration::ZERO, Duration::ZERO, move |_, _| {
        let run = counter.fetch_add(1, Ordering::SeqCst);
        assert!(run != 0, "before it waits for anything");
        async move {
            assert!(run != 1, "while it runs");
            if run == 2 { Err(std::io::Error::other("no luck")) } else { Ok(()) }
        }
    });
    let schedule = Schedule::start(&app.app, vec![job]);
    until("the run after the failures", async || (runs.load(Ordering::SeqCst) >= 5).then_some(())).await;
    schedule.finish().await;
    let ended_with = runs.load(Ordering::SeqCst);
    tokio::task::yield_now().await;
    assert_eq!(runs.load(Ordering::SeqCst), ended_with);
    app.finish().await;
}

#[tokio::test]
async fn a_stop_ends_the_waiting_at_once_and_tells_the_run_that_has_begun() {
    let app = TestApp::start(Backend::Sqlite).await;
    let (runs, stops) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let counters = (runs.clone(), stops.clone());
    let long = Job::new("long", Duration::ZERO, Duration::ZERO, move |_, stop: CancellationToken| {
        let (runs, stops) = counters.clone();
        async move {
            runs.fetch_add(1, Ordering::SeqCst);
            stop.cancelled().await;
            stops.fetch_add(1, Ordering::SeqCst);
            Ok::<(), std::io::Error>(())
        }
    });
    let hour = Duration::from_hours(1);
    let later = Job::new("later", hour, hour, |_, _| async { Err(std::io::Error::other("never runs")) });
    let schedule = Schedule::start(&app.app, vec![long, later]);
    until("the long run", async || (runs.load(Ordering::SeqCst) == 1).then_some(())).await;
    assert_eq!(stops.load(Ordering::SeqCst), 0);
    tokio::time::timeout(Duration::from_secs(20), schedule.finish()).await.expect("ends");
    assert_eq!((runs.load(Ordering::SeqCst), stops.load(Ordering::SeqCst)), (1, 1));
    app.finish().await;
}
