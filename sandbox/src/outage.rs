//! API outages: all requests, or those below a path, fail until a time, a number of times, or until the outage is
//! cleared. Each failure is one of the [faults](crate::faults), injected before the work, so nothing was done.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    faults::{self, Fault, Kind, When},
    model::error::ApiError,
};

/// A current outage.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Outage {
    pub(crate) kind: OutageKind,
    pub(crate) path: String,
    /// How many more requests fail; unlimited when unset.
    pub(crate) times: Option<u32>,
    /// The end, by the sandbox's clock.
    pub(crate) until_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum OutageKind {
    /// Too many requests: not saved under the idempotency key.
    #[serde(rename = "429")]
    RateLimited,
    /// A server error: saved under the idempotency key.
    #[serde(rename = "500")]
    ServerError,
    /// No answer; the connection stays open until the client gives up or the outage ends.
    #[serde(rename = "timeout")]
    Timeout,
    /// The connection is closed at once.
    #[serde(rename = "unreachable")]
    Unreachable,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    kind: OutageKind,
    for_seconds: Option<u32>,
    times: Option<u32>,
    #[serde(default = "everything")]
    path: String,
}

fn everything() -> String {
    "/v1/*".to_owned()
}

impl Outage {
    pub(crate) fn read(body: &Value, now_ms: i64) -> Result<Self, ApiError> {
        let wanted = Wanted::deserialize(body).map_err(|error| ApiError::invalid(error.to_string()))?;
        if !wanted.path.starts_with("/v1/") {
            return Err(ApiError::invalid("`path` must begin with /v1/"));
        }
        if wanted.times == Some(0) || wanted.for_seconds == Some(0) {
            return Err(ApiError::invalid("`times` and `for_seconds` must be at least 1"));
        }
        Ok(Self {
            kind: wanted.kind,
            path: wanted.path,
            times: wanted.times,
            until_ms: wanted.for_seconds.map(|seconds| now_ms.saturating_add(i64::from(seconds).saturating_mul(1_000))),
        })
    }

    pub(crate) fn is_over(&self, now_ms: i64) -> bool {
        self.times == Some(0) || self.until_ms.is_some_and(|until| until <= now_ms)
    }
}

/// The current outage. An outage that is over is removed.
pub(crate) fn current(outage: &mut Option<Outage>, now_ms: i64) -> Option<&mut Outage> {
    if outage.as_ref().is_some_and(|outage| outage.is_over(now_ms)) {
        *outage = None;
    }
    outage.as_mut()
}

/// The fault for this request, if the current outage applies to it.
pub(crate) fn take(outage: &mut Option<Outage>, path: &str, now_ms: i64) -> Option<Fault> {
    let current = current(outage, now_ms).filter(|current| faults::fits(&current.path, path))?;
    current.times = current.times.map(|times| times.saturating_sub(1));
    let kind = match current.kind {
        OutageKind::RateLimited => Kind::Status { status: 429, message: None },
        OutageKind::ServerError => Kind::Status { status: 500, message: None },
        OutageKind::Timeout => Kind::Silence,
        OutageKind::Unreachable => Kind::Disconnect,
    };
    Some(Fault { method: None, path: path.to_owned(), times: 1, when: When::Before, params: Map::new(), kind })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Outage, take};

    #[test]
    fn an_outage_ends_by_its_time_or_its_number() {
        let mut outage = Outage::read(&json!({ "kind": "500", "for_seconds": 2 }), 1_000).ok();
        assert!(take(&mut outage, "/v1/events", 2_999).is_some());
        assert!(take(&mut outage, "/v1/events", 3_000).is_none());
        assert!(outage.is_none());
        let mut outage = Outage::read(&json!({ "kind": "429", "times": 1, "path": "/v1/refunds*" }), 0).ok();
        assert!(take(&mut outage, "/v1/events", 0).is_none());
        assert!(take(&mut outage, "/v1/refunds/re_1", 0).is_some());
        assert!(take(&mut outage, "/v1/refunds", 0).is_none());
    }

    #[test]
    fn an_outage_that_makes_no_sense_is_refused() {
        for wrong in [
            json!({}),
            json!({ "kind": "418" }),
            json!({ "kind": "500", "times": 0 }),
            json!({ "kind": "500", "for_seconds": 0 }),
            json!({ "kind": "500", "path": "/c/pay" }),
            json!({ "kind": "500", "minutes": 1 }),
        ] {
            assert!(Outage::read(&wrong, 0).is_err(), "{wrong}");
        }
    }
}
