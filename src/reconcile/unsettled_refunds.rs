//! Refund requests with an unknown outcome.

use futures_util::FutureExt;

use crate::db::StoreError;
use crate::domain::ids::TopupId;
use crate::purchases::outcome::ApplyEventError;
use crate::purchases::refund::refund_requests::RefundRequest;
use crate::purchases::refund::settle_refunds::{Settled, is_unsettled, settle_refund};
use crate::reconcile::{Comparison, ROWS};

impl Comparison<'_> {
    /// Settles each with the provider: a refund that was made is applied, one that was not made can be requested again.
    pub(crate) async fn unsettled_refunds(&mut self) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let page = self.app.db.unsettled_refund_requests(&after, ROWS).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after.clone_from(&last.id);
            for request in page {
                if is_unsettled(&request, self.app.clock.now_ms()) && self.may_ask() {
                    self.settle(&request).await?;
                }
            }
        }
    }

    async fn settle(&mut self, request: &RefundRequest) -> Result<(), StoreError> {
        let topup = TopupId::parse(&request.topup_id).map_err(|_| StoreError::corrupt("top-up of", &request.id))?;
        let app = self.app;
        // Settling would write.
        let settled = if self.dry_run {
            Ok(Settled::Unknown)
        } else {
            self.asker.ask(|| settle_refund(app, request).boxed()).await
        };
        match settled {
            Ok(Settled::Made) => {
                let detail = format!("a refund of {} that was asked for here: made", request.amount);
                Self::add_applied(false, &mut self.report.missing_reversals, &request.id, &topup, detail);
            }
            Ok(Settled::NotMade) => {}
            Ok(Settled::Unknown) => {
                let detail = "whether the refund that was asked for here was made is not known yet";
                self.report.not_asked.add_left(&request.id, Some(topup.as_str()), detail);
            }
            Err(ApplyEventError::Store(error)) => return Err(error),
            Err(error) => {
                self.report.not_asked.add_left(&request.id, Some(topup.as_str()), crate::app::with_causes(&error));
            }
        }
        Ok(())
    }
}
