//! The listener for Prometheus: one worker, one route, on an address of its own, so that it is not open to customers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App as WebApp, HttpServer, web};

use super::{StartError, listen};
use crate::app::App;
use crate::app::schedule::Job;
use crate::http::monitoring::{Monitored, metrics};
use crate::measure;

/// How many clients may be connected. Nobody else than Prometheus should be.
const MAX_CONNECTIONS: usize = 32;
/// How often new measurements are sorted.
const TIDY_EVERY: Duration = Duration::from_secs(5);

/// The running listener.
pub(super) struct MetricsServer {
    pub(super) server: Server,
    pub(super) address: SocketAddr,
}

/// Begins to measure, and to tell what is measured.
///
/// # Errors
/// When the address cannot be used.
pub(super) fn build_metrics_server(address: SocketAddr, app: Arc<App>) -> Result<MetricsServer, StartError> {
    let listener = listen(address)?;
    measure::install().map_err(StartError::Metrics)?;
    let address = listener.local_addr().map_err(StartError::Server)?;
    let monitored = web::Data::new(Monitored::new(app));
    let server =
        HttpServer::new(move || WebApp::new().app_data(monitored.clone()).route("/metrics", web::get().to(metrics)))
            .workers(1)
            .max_connections(MAX_CONNECTIONS)
            .disable_signals()
            .listen(listener)
            .map_err(StartError::Server)?;
    Ok(MetricsServer { server: server.run(), address })
}

/// The job that sorts new measurements.
pub(super) fn tidying_job() -> Job {
    Job::new("sort measurements", TIDY_EVERY, TIDY_EVERY, |_, _| async {
        measure::tidy();
        Ok::<(), std::convert::Infallible>(())
    })
}
