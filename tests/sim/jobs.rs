//! The background work of the service: it reconciles, learns fees, settles accounts, and tells the product.

use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use topup::app::with_causes;
use topup::books::settle_account::settle_due;
use topup::db::StoreError;
use topup::outbox::alerts::{look_at_noted, look_at_others};
use topup::outbox::deliver::Deliverer;
use topup::outbox::fan_out::fan_out;
use topup::purchases::fee::learn_fees::learn_fees;
use topup::reconcile::{MAX_SINCE_DAYS, Options, Pace, RunCause, reconcile};
use topup::recurring::auto_topup::job::charge_due;
use topup::recurring::auto_topup::resume::resume_recovered;

use super::process::{Answer, Ended, Fate, Process};
use super::product::Line;

impl Process {
    /// Reconciles, like the command and the schedule: 200 with the report, 500 with the error.
    pub fn reconcile(&mut self, fate: Fate) -> Ended {
        let app = self.app();
        let pace = Pace { interval: Duration::ZERO, backoff: Duration::ZERO, tries: 3, pages: 2_000 };
        let options = Options { cause: RunCause::Command, dry_run: false, since_days: MAX_SINCE_DAYS, pace };
        self.run(fate, async move {
            match reconcile(&app, options, std::future::pending()).await {
                Ok(ended) => (200, serde_json::to_value(ended.report).expect("a report")),
                Err(error) => (500, Value::String(with_causes(&error))),
            }
        })
    }

    /// Requests the fees that are due, like the job that runs every few seconds: 200 with the number learned, 500 with
    /// the error.
    pub fn learn_fees(&mut self, fate: Fate) -> Ended {
        let app = self.app();
        self.run(fate, async move {
            match learn_fees(&app, Duration::ZERO, &CancellationToken::new()).await {
                Ok(learned) => (200, Value::from(learned)),
                Err(error) => (500, Value::String(with_causes(&error))),
            }
        })
    }

    /// Charges the cards of accounts that ran low, and goes on for those whose customers have confirmed a payment.
    pub fn charge_cards(&mut self, fate: Fate) -> Ended {
        let app = self.app();
        self.run(fate, async move {
            let charged = async {
                let charged = charge_due(&app).await?;
                resume_recovered(&app, &CancellationToken::new()).await?;
                Ok::<_, StoreError>(charged)
            };
            match charged.await {
                Ok(charged) => (200, Value::from(charged)),
                Err(error) => (500, Value::String(with_causes(&error))),
            }
        })
    }

    /// Settles the accounts of which something has ended, like the job that runs every few seconds.
    pub fn settle(&mut self) -> Ended {
        let app = self.app();
        self.run(Fate::Nothing, async move {
            match settle_due(&app, &CancellationToken::new()).await {
                Ok(settled) => (200, Value::from(settled)),
                Err(error) => (500, Value::String(with_causes(&error))),
            }
        })
    }

    /// Looks for messages, queues them and delivers what is due, like the job that runs all the time.
    pub fn tell(&mut self, line: &Line, fate: Fate) -> Ended {
        let (app, stop) = (self.app(), CancellationToken::new());
        // Deliveries to one account at a time, so that a seed always does the same.
        let deliverer = Deliverer::new(Box::new(line.clone()), 1);
        self.run(fate, async move {
            let told = async {
                look_at_noted(&app, &stop).await?;
                look_at_others(&app, &stop).await?;
                fan_out(&app).await?;
                for delivering in deliverer.start_due(&app, &stop).await? {
                    delivering.await.expect("no panic");
                }
                Ok::<_, StoreError>(())
            };
            match told.await {
                Ok(()) => (200, Value::Null),
                Err(error) => (500, Value::String(with_causes(&error))),
            }
        })
    }

    fn run(&mut self, fate: Fate, job: impl Future<Output = (u16, Value)> + 'static) -> Ended {
        let call = async move {
            let (status, body) = job.await;
            vec![Answer { status, body }]
        };
        self.drive(Box::pin(call), fate).only()
    }
}
