//! A whole service under test.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::dev::ResourceDef;
use jsonwebtoken::{EncodingKey, Header};
use secrecy::SecretString;
use serde_json::{Value, json};
use stripe_sandbox::{RetryPolicy, Sandbox};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use topup::access::api_keys::{self, Scope};
use topup::app::App;
use topup::config::{Config, Source};
use topup::http::demo::Demo;
use topup::http::demo::product::Topup;
use topup::http::demo::sandbox::Controls;
use topup::http::kit::connections::ConnectionTimes;
use topup::ports::Clock;
use topup::startup::{Application, Environment, StartError, listen};
use topup::system::{SystemClock, SystemIds};

use super::clock::TestClock;
use super::database::{Backend, TestDatabase};
use super::pooler::Pooler;
use super::stripe::{SECRET_KEY, Stripe, WEBHOOK_SECRET};

/// The secret that signs customer tokens.
pub const JWT_SECRET: &str = "the secret of the tests, 32 bytes and more";
/// The page that customers return to.
pub const SUCCESS_URL: &str = "https://app.example.com/done?session_id={CHECKOUT_SESSION_ID}";

/// The tests' HTTP client: it follows no redirects and uses no proxy. It keeps no connections, because each test has
/// its own runtime, and a connection dies with the runtime that created it.
pub fn http_client() -> reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    let build = || {
        // reqwest is built without a TLS provider and needs one even for plain HTTP.
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        client.pool_max_idle_per_host(0).build().expect("a client")
    };
    CLIENT.get_or_init(build).clone()
}

/// How a service under test differs from the default.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Options {
    /// Settings to add or replace; an empty value removes one.
    pub settings: Vec<(&'static str, String)>,
    /// Whether the sandbox delivers its events itself.
    pub webhooks: bool,
    /// Whether it delivers thin payloads.
    pub thin: bool,
    /// The timeout of one call to Stripe.
    pub call_timeout: Duration,
    /// The time budget for the calls of one checkout.
    pub checkout_budget: Duration,
    /// The pause before the first retry of a call to Stripe.
    pub first_pause: Duration,
    /// The maximum size of webhook bodies in memory at once, in bytes.
    pub webhook_bytes: usize,
    /// Whether the service reaches PostgreSQL through `PgBouncer`.
    pub pooler: bool,
    /// The time limits of each connection phase.
    pub connection_times: ConnectionTimes,
    /// Whether the service has the demo page.
    pub demo: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            settings: Vec::new(),
            webhooks: false,
            thin: false,
            call_timeout: Duration::from_secs(5),
            checkout_budget: Duration::from_secs(20),
            first_pause: topup::app::FIRST_PAUSE,
            webhook_bytes: topup::http::state::MAX_WEBHOOK_BYTES_IN_FLIGHT,
            pooler: false,
            connection_times: ConnectionTimes::default(),
            demo: false,
        }
    }
}

impl Options {
    /// The sandbox delivers its events itself.
    pub fn with_webhooks() -> Self {
        Self { webhooks: true, ..Self::default() }
    }

    /// Changes one setting.
    pub fn setting(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.settings.push((name, value.into()));
        self
    }
}

/// A service on a random port, with its database and its Stripe.
pub struct TestApp {
    /// The service's URL.
    pub url: String,
    /// The sandbox.
    pub stripe: Stripe,
    /// The service's internals, to inspect the books.
    pub app: Arc<App>,
    /// The clock, which the test can advance.
    pub clock: Arc<TestClock>,
    /// The database.
    pub database: TestDatabase,
    /// The database URL through the pooler, if there is one.
    pub pooler_url: Option<String>,
    _pooler: Option<Pooler>,
    sandbox: Option<Sandbox>,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<Result<(), StartError>>>,
}

/// An answer of the service.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, with lower-case names.
    pub headers: HashMap<String, String>,
    /// The JSON body.
    pub body: Value,
}

impl Answer {
    /// The body of an answer that must have this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// Checks a problem's status and code.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
        assert_eq!(self.headers.get("content-type").map(String::as_str), Some("application/problem+json"));
        assert_eq!(self.body["detail"], self.body["error"]);
        assert_eq!(self.body["status"], status);
        self.body
    }
}

/// The demo page's settings, with an API key of its server.
async fn demo(database: &TestDatabase, config: &Config, listener: &TcpListener, stripe: &Stripe) -> Demo {
    let db = database.connect().await;
    let scopes = [Scope::Spend, Scope::Read];
    let key = api_keys::create(&db, &SystemIds, &SystemClock, "demo", &scopes, None).await.expect("a key");
    db.close().await;
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    Demo {
        jwt_secret: SecretString::from(JWT_SECRET),
        sandbox: stripe.url.clone(),
        pricing: config.pricing.clone(),
        topup: Topup::new(url, key.secret).expect("a client"),
        controls: Controls::new(stripe.url.clone()).expect("a client"),
        console_key: None,
    }
}

impl TestApp {
    /// Starts a service with default options.
    pub async fn start(backend: Backend) -> Self {
        Self::start_with(backend, Options::default()).await
    }

    /// Starts a service with these options.
    pub async fn start_with(backend: Backend, options: Options) -> Self {
        let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut sandbox = stripe_sandbox::Config::local(SECRET_KEY);
        sandbox.retry =
            RetryPolicy { initial: Duration::from_millis(20), max: Duration::from_millis(200), attempts: 10_000 };
        let webhook = format!("http://{address}/webhooks/stripe");
        if options.thin {
            sandbox = sandbox.with_thin_webhook(webhook, WEBHOOK_SECRET);
        } else if options.webhooks {
            sandbox = sandbox.with_webhook(webhook, WEBHOOK_SECRET);
        }
        let sandbox = Sandbox::start(sandbox).await.expect("the sandbox starts");
        let stripe = Stripe { url: sandbox.url() };
        let database = TestDatabase::migrated(backend).await;
        let mut app = Self::serve(database, options, listener, stripe).await;
        app.sandbox = Some(sandbox);
        app
    }

    /// Starts another service with its own database on the same Stripe account.
    pub async fn start_beside(&self, backend: Backend) -> Self {
        let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a port");
        Self::serve(TestDatabase::migrated(backend).await, Options::default(), listener, self.stripe.clone()).await
    }

    /// Stops the service and starts it on another database, with the same Stripe, as after a restore.
    pub async fn restart_on(mut self, database: TestDatabase, options: Options) -> Self {
        let (stripe, sandbox) = (self.stripe.clone(), self.sandbox.take());
        self.finish().await;
        let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a port");
        let mut app = Self::serve(database, options, listener, stripe).await;
        app.sandbox = sandbox;
        app
    }

    async fn serve(database: TestDatabase, options: Options, listener: TcpListener, stripe: Stripe) -> Self {
        let clock = Arc::new(TestClock::default());
        let pooler = options.pooler.then(|| Pooler::start(&database.url));
        let pooler_url = pooler.as_ref().map(|pooler| pooler.url(&database.url));
        let config = config(pooler_url.as_deref().unwrap_or(&database.url), &stripe.url, &options.settings);
        let demo = if options.demo { Some(demo(&database, &config, &listener, &stripe).await) } else { None };
        let environment = Environment {
            clock: clock.clone(),
            ids: Arc::new(SystemIds),
            call_timeout: options.call_timeout,
            checkout_budget: options.checkout_budget,
            first_pause: options.first_pause,
            webhook_bytes: options.webhook_bytes,
            connection_times: options.connection_times,
            lookup: Arc::new(topup::outbox::sender::SystemLookup),
            workers: Some(1),
            demo,
        };
        let application = Application::build(config, listener, environment).await.expect("the service starts");
        let url = format!("http://{}", application.address());
        let (app, (stop, stopped)) = (application.app(), oneshot::channel::<()>());
        let server = tokio::spawn(application.run_until_stopped(async { drop(stopped.await) }));
        Self {
            url,
            stripe,
            app,
            clock,
            database,
            pooler_url,
            _pooler: pooler,
            sandbox: None,
            stop: Some(stop),
            server: Some(server),
        }
    }

    /// Stops everything and checks the books. Every test ends with this.
    pub async fn finish(mut self) {
        assert_eq!(self.app.db.broken_rules().await.expect("readable"), Vec::<&str>::new(), "the books are wrong");
        drop(self.stop.take());
        if let Some(server) = self.server.take() {
            server.await.expect("no panic").expect("a clean stop");
        }
        if let Some(sandbox) = self.sandbox.take() {
            sandbox.stop().await;
        }
    }

    /// A customer token valid for one hour.
    pub fn token(&self, account: &str) -> String {
        sign_token(&json!({ "sub": account, "exp": self.clock.now_ms() / 1_000 + 3_600 }))
    }

    /// Sends a request; the answer must be documented.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let request = request.build().expect("a request");
        let (method, path) = (request.method().as_str().to_lowercase(), request.url().path().to_owned());
        let response = http_client().execute(request).await.expect("the service answers");
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.to_str().expect("text").to_owned()))
            .collect();
        let text = response.text().await.expect("a body");
        assert_documented(&method, &path, status);
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    /// A GET as a customer.
    pub async fn get_as(&self, account: &str, path: &str) -> Answer {
        self.send(http_client().get(format!("{}{path}", self.url)).bearer_auth(self.token(account))).await
    }

    /// A GET without credentials.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(http_client().get(format!("{}{path}", self.url))).await
    }

    /// `POST /credits/sessions` as a customer.
    pub async fn checkout(&self, account: &str, credits: i64) -> Answer {
        self.checkout_with(account, None, json!({ "credits": credits, "successUrl": SUCCESS_URL })).await
    }

    /// `POST /credits/sessions` as a customer, with an idempotency key and any body.
    pub async fn checkout_with(&self, account: &str, key: Option<&str>, body: Value) -> Answer {
        let mut request =
            http_client().post(format!("{}/credits/sessions", self.url)).bearer_auth(self.token(account)).json(&body);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.send(request).await
    }

    /// Opens a checkout, which must succeed. Returns Stripe's session id.
    pub async fn open_session(&self, account: &str, credits: i64) -> String {
        self.checkout(account, credits).await.expect(200)["id"].as_str().expect("an id").to_owned()
    }

    /// Buys credits without delivering the event. Returns the session and the event.
    pub async fn pay_session(&self, account: &str, credits: i64) -> (String, Value) {
        let session = self.open_session(account, credits).await;
        let (status, body) = self.stripe.pay(&session, "pm_card_visa").await;
        assert_eq!(status, 200, "{body}");
        let event = self.stripe.event("checkout.session.completed", &session).await;
        (session, event)
    }

    /// The payment of a session at Stripe.
    pub async fn payment_of(&self, session: &str) -> String {
        let session = self.stripe.get(&format!("/v1/checkout/sessions/{session}")).await;
        session["payment_intent"].as_str().expect("a payment").to_owned()
    }

    /// The internals of another process of this service: the same database and the same Stripe.
    pub async fn start_replica(&self) -> Arc<App> {
        let settings: Source = settings(&self.database.url, &self.stripe.url, &[]).into_iter().collect();
        let config = topup::config::CommandConfig::load(&settings).expect("the settings are right");
        let mut app = topup::startup::command::connect(config, Environment::default()).await.expect("opens");
        app.reconciliation = self.app.reconciliation;
        Arc::new(app)
    }

    /// The same, with the test's clock.
    pub async fn start_replica_with(&self, clock: Arc<TestClock>) -> Arc<App> {
        let app = self.start_replica().await;
        let mut app = Arc::into_inner(app).expect("nobody else has it");
        app.clock = clock;
        Arc::new(app)
    }

    /// A token with the scope `credits:admin`.
    pub fn admin_token(&self) -> String {
        let expires = self.clock.now_ms() / 1_000 + 3_600;
        sign_token(&json!({ "sub": "admin_1", "exp": expires, "scope": "credits:admin" }))
    }

    /// Delivers an event with a fresh signature, as Stripe does.
    pub async fn deliver(&self, event: &Value) -> Answer {
        self.deliver_bytes(event.to_string().as_bytes()).await
    }

    /// Delivers bytes with a fresh signature.
    pub async fn deliver_bytes(&self, body: &[u8]) -> Answer {
        let header = stripe_sandbox::sign(WEBHOOK_SECRET, self.clock.now_ms() / 1_000, body);
        self.deliver_with(Some(&header), body).await
    }

    /// Delivers bytes with any signature header, or none.
    pub async fn deliver_with(&self, header: Option<&str>, body: &[u8]) -> Answer {
        let mut request = http_client()
            .post(format!("{}/webhooks/stripe", self.url))
            .header("content-type", "application/json")
            .body(body.to_vec());
        if let Some(header) = header {
            request = request.header("stripe-signature", header);
        }
        self.send(request).await
    }

    /// The balance of an account, from the API.
    pub async fn credits(&self, account: &str) -> i64 {
        self.get_as(account, "/credits").await.expect(200)["remainingCredits"].as_i64().expect("a number")
    }

    /// Learns due fees, as the background job does. Returns how many.
    pub async fn learn_fees(&self) -> u64 {
        let stop = tokio_util::sync::CancellationToken::new();
        topup::purchases::fee::learn_fees::learn_fees(&self.app, Duration::ZERO, &stop)
            .await
            .expect("the database works")
    }

    /// The state of a top-up, from the API.
    pub async fn session_state(&self, account: &str, session: &str) -> String {
        let body = self.get_as(account, &format!("/credits/sessions/{session}")).await.expect(200);
        body["state"].as_str().expect("a state").to_owned()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        assert!(self.server.is_none() || std::thread::panicking(), "a test must end with finish()");
    }
}

/// Signs a token as the product's login does.
pub fn sign_token(claims: &Value) -> String {
    jsonwebtoken::encode(&Header::default(), claims, &EncodingKey::from_secret(JWT_SECRET.as_bytes())).expect("signs")
}

/// The settings of a service under test.
pub fn settings(database: &str, stripe: &str, changes: &[(&'static str, String)]) -> HashMap<&'static str, String> {
    let usual = [
        ("DATABASE_URL", database.to_owned()),
        ("STRIPE_SECRET_KEY", SECRET_KEY.to_owned()),
        ("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET.to_owned()),
        ("STRIPE_API_BASE", stripe.to_owned()),
        ("JWT_SECRET", JWT_SECRET.to_owned()),
        ("ALLOWED_ORIGINS", "https://app.example.com".to_owned()),
        ("RATE_LIMIT_PER_MINUTE", "100000".to_owned()),
        ("MAX_OPEN_CHECKOUTS", "100000".to_owned()),
    ];
    let mut settings: HashMap<_, _> = usual.into_iter().chain(changes.iter().cloned()).collect();
    settings.retain(|_, value| !value.is_empty());
    settings
}

fn config(database: &str, stripe: &str, changes: &[(&'static str, String)]) -> Config {
    Config::load(&settings(database, stripe, changes).into_iter().collect::<Source>()).expect("the settings are right")
}

/// Fails if the documentation does not list this answer.
fn assert_documented(method: &str, path: &str, status: u16) {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    let document =
        DOCUMENT.get_or_init(|| serde_json::to_value(topup::http::documentation::document()).expect("the document"));
    let paths = document["paths"].as_object().expect("paths");
    let Some((_, item)) = paths.iter().find(|(route, _)| ResourceDef::new(route.as_str()).is_match(path)) else {
        return;
    };
    if let Some(operation) = item.get(method) {
        assert!(!operation["responses"][status.to_string()].is_null(), "{method} {path} may not answer {status}");
    }
}
