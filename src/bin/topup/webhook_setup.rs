//! `topup webhooks setup`: creates the endpoint at Stripe, or repairs it.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use topup::app::CALL_TIMEOUT;
use topup::config::{CommandConfig, UsableSettings};
use topup::inbox::setup_endpoint::{EndpointPlan, EndpointSetup, EndpointUrl, Reach, plan_endpoint, set_up_endpoint};
use topup::providers::port::{DeliveryEndpoint, Provider, ProviderError};
use topup::providers::stripe::StoredDeliveries;
use topup::providers::stripe::event::EVENT_TYPES;
use topup::providers::stripe::gateway::StripeGateway;
use topup::system::SystemIds;

use super::text::{print_json, printable};
use super::{Failure, settings};

#[derive(clap::Args)]
pub(crate) struct SetupArguments {
    /// The address of this service that Stripe reaches; by default the setting.
    #[arg(
        long,
        help = "The address of this service that Stripe reaches, such as https://credits.example.com; PUBLIC_URL by default"
    )]
    url: Option<String>,
    /// Write the signing secret of a new endpoint to this new file, readable by its owner only, instead of standard
    /// output.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Print the endpoint and what was done as JSON; with a new endpoint's secret, unless it goes to a file.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: SetupArguments) -> Result<ExitCode, Failure> {
    let source = settings()?;
    let stripe = CommandConfig::load(&source)?.stripe;
    let usable = UsableSettings::read(&source);
    let named = usable.public_url.filter(|_| usable.names_public_url);
    let url = arguments.url.or(named).ok_or(
        "where shall Stripe deliver? Set PUBLIC_URL, or give --url, such as --url https://credits.example.com",
    )?;
    let reach = Reach { livemode: stripe.livemode, is_sandbox: stripe.api_base.is_some() };
    let url = EndpointUrl::parse(&url, reach)?;
    let gateway = StripeGateway::new(&stripe.secret_key, stripe.api_base.as_deref(), CALL_TIMEOUT)?;
    let provider = gateway.into_provider(Arc::new(StoredDeliveries));
    let plan = match plan_endpoint(&provider, url.clone()).await {
        Ok(plan) => plan,
        Err(error) => return Err(explained(error, &url)),
    };
    if !plan.duplicates.is_empty() {
        let duplicates = plan.duplicates.join(", ");
        eprintln!(
            "topup: warning: {duplicates} have the same URL and were not touched; delete them in Stripe's dashboard"
        );
    }
    let has_secret = usable.webhook_secrets.is_some();
    carry_out(&provider, &plan, arguments.secret_file.as_deref(), has_secret, arguments.json).await
}

/// What was done, for programs.
fn shape(endpoint: &DeliveryEndpoint, outcome: &str, secret: Option<&SecretString>) -> Value {
    let mut shape = json!({
        "outcome": outcome,
        "id": endpoint.id,
        "url": endpoint.url,
        "apiVersion": endpoint.api_version,
        "types": EVENT_TYPES[..],
    });
    if let (Some(secret), Some(members)) = (secret, shape.as_object_mut()) {
        members.insert("secret".to_owned(), json!(secret.expose_secret()));
    }
    shape
}

/// Makes the file before the endpoint, because the secret is shown only once.
async fn carry_out(
    provider: &Provider,
    plan: &EndpointPlan,
    secret_file: Option<&Path>,
    has_secret: bool,
    json: bool,
) -> Result<ExitCode, Failure> {
    let file = match secret_file {
        Some(path) if plan.endpoint.is_none() => Some((path, create(path)?)),
        _ => None,
    };
    let setup = match set_up_endpoint(provider, &SystemIds, plan).await {
        Ok(setup) => setup,
        Err(error) => {
            if let Some((path, _)) = file {
                std::fs::remove_file(path).ok();
            }
            return Err(explained(error, &plan.url));
        }
    };
    match setup {
        EndpointSetup::Created(created) => {
            let DeliveryEndpoint { id, api_version, .. } = &created.endpoint;
            let version = api_version.as_deref().unwrap_or("the account's default");
            let (count, at) = (EVENT_TYPES.len(), plan.url.as_str());
            eprintln!(
                "Created {}",
                printable(&format!("{id} at {at} for {count} types of events, API version {version}."))
            );
            if json {
                print_json(&shape(&created.endpoint, "created", file.is_none().then_some(&created.secret)))?;
            }
            return Ok(hand_over(&created.secret, file, json));
        }
        EndpointSetup::Repaired { before, endpoint } => {
            if json {
                print_json(&shape(&endpoint, "repaired", None))?;
            }
            eprintln!("Changed {}", printable(&format!("{} at {}: {}.", endpoint.id, endpoint.url, changes(&before))));
        }
        EndpointSetup::Unchanged(endpoint) => {
            if json {
                print_json(&shape(&endpoint, "unchanged", None))?;
            }
            let unchanged = format!("{} at {} is as it must be; nothing was changed.", endpoint.id, endpoint.url);
            eprintln!("{}", printable(&unchanged));
        }
    }
    let shown = "Stripe shows its signing secret in the dashboard (Webhooks, the endpoint, Signing secret)";
    if secret_file.is_some_and(|path| !path.exists()) {
        eprintln!("topup: the endpoint was there before, so its secret cannot be written to the file; {shown}");
        return Ok(ExitCode::FAILURE);
    }
    if !has_secret {
        eprintln!("{shown}; set STRIPE_WEBHOOK_SECRET to it.");
    }
    Ok(ExitCode::SUCCESS)
}

fn create(path: &Path) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            format!("{} is there already and is not overwritten; remove it or name another file", path.display()).into()
        }
        _ => format!("{} cannot be created: {error}", path.display()).into(),
    })
}

/// Only the secret goes to standard output, so that it can be redirected to a secret store.
fn hand_over(secret: &SecretString, file: Option<(&Path, File)>, json: bool) -> ExitCode {
    let is_shown = json && file.is_none();
    if let Some((path, mut file)) = file {
        match writeln!(file, "{}", secret.expose_secret()).and_then(|()| file.sync_all()) {
            Ok(()) => {
                let path = path.display();
                eprintln!(
                    "Its signing secret is in {path}: set STRIPE_WEBHOOK_SECRET_FILE={path}, and start topup again."
                );
                return ExitCode::SUCCESS;
            }
            Err(error) => eprintln!("topup: {} cannot be written: {error}", path.display()),
        }
    }
    if is_shown {
        eprintln!("Set STRIPE_WEBHOOK_SECRET to its signing secret, which is shown this once, and start topup again.");
        return ExitCode::SUCCESS;
    }
    eprintln!("Set STRIPE_WEBHOOK_SECRET to its signing secret, which is shown this once, and start topup again:");
    println!("{}", secret.expose_secret());
    ExitCode::SUCCESS
}

fn changes(before: &DeliveryEndpoint) -> String {
    let mut changes = Vec::new();
    if !before.is_enabled {
        changes.push("it is enabled".to_owned());
    }
    if !before.missing_types.is_empty() {
        changes.push(format!("it is subscribed to {}", before.missing_types.join(", ")));
    }
    if !before.extra_types.is_empty() {
        changes.push(format!("it is no longer subscribed to {}", before.extra_types.join(", ")));
    }
    changes.join("; ")
}

fn explained(error: ProviderError, url: &EndpointUrl) -> Failure {
    if !error.is_missing_permission() {
        return error.into();
    }
    let (at, types) = (url.as_str(), EVENT_TYPES.join(", "));
    format!(
        "STRIPE_SECRET_KEY may not manage webhook endpoints. Add the permission Webhook Endpoints: Write to the \
         restricted key, or run this once with another key of the account, or create the endpoint in Stripe's \
         dashboard: at {at}, for the events {types}"
    )
    .into()
}
