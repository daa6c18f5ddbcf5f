//! The operator's console over HTTP: every page and action, who may do what, sessions and forms.

mod actions;
mod answers;
mod browser;
mod pages;
mod payers;
mod sessions;

use std::collections::HashMap;

use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use secrecy::ExposeSecret;
use topup::access::api_keys::{self, Scope};
use topup::domain::account::AccountId;
use topup::system::SystemIds;

use crate::support::app::http_client;
use crate::support::{Backend, Options, TestApp};

/// A service with the console.
pub async fn start(backend: Backend) -> TestApp {
    start_with(backend, Options::default()).await
}

async fn start_with(backend: Backend, options: Options) -> TestApp {
    TestApp::start_with(backend, options.setting("CONSOLE", "on")).await
}

/// A page as a browser gets it.
#[derive(Debug)]
pub struct Shown {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The page.
    pub body: String,
}

impl Shown {
    /// The page, which must have this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", text_of(&self.body));
        self
    }

    /// The text of the page without tags.
    pub fn text(&self) -> String {
        text_of(&self.body)
    }

    /// Checks that the text has all of these.
    #[track_caller]
    pub fn has(self, words: &[&str]) -> Self {
        let text = self.text();
        for word in words {
            assert!(text.contains(word), "{word:?} is not in: {text}");
        }
        self
    }

    /// Where a redirect leads.
    #[track_caller]
    pub fn location(&self) -> String {
        assert_eq!(self.status, 303, "{}", self.text());
        self.headers[LOCATION].to_str().expect("text").to_owned()
    }

    /// The value of a hidden field.
    #[track_caller]
    pub fn hidden(&self, name: &str) -> String {
        let field = format!("name=\"{name}\" value=\"");
        let (_, rest) = self.body.split_once(&field).unwrap_or_else(|| panic!("no {name} in {}", self.text()));
        unescaped(rest.split('"').next().expect("an end"))
    }
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

fn text_of(page: &str) -> String {
    let mut text = String::new();
    let mut in_tag = false;
    for letter in page.chars() {
        match letter {
            '<' => {
                in_tag = true;
                text.push(' ');
            }
            '>' => in_tag = false,
            letter if !in_tag => text.push(letter),
            _ => {}
        }
    }
    unescaped(&text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A browser: its cookies. A clone has the same ones, as a second tab has.
#[derive(Clone)]
pub struct Browser<'a> {
    app: &'a TestApp,
    cookies: HashMap<String, String>,
}

impl<'a> Browser<'a> {
    pub fn new(app: &'a TestApp) -> Self {
        Self { app, cookies: HashMap::new() }
    }

    /// A browser that is signed in with a new key of this scope.
    pub async fn signed_in(app: &'a TestApp, scope: Scope) -> Self {
        let key = api_key(app, &[scope], None).await;
        let mut browser = Self::new(app);
        let answer = browser.sign_in(&key).await;
        assert_eq!(answer.location(), "/console");
        browser
    }

    /// Opens the sign-in page and sends the key.
    pub async fn sign_in(&mut self, key: &str) -> Shown {
        let page = self.get("/console/sign-in").await.expect(200);
        let token = page.hidden("token");
        self.post("/console/sign-in", &[("token", &token), ("api_key", key), ("next", "/console")]).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Shown {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = if cookies.is_empty() { request } else { request.header(COOKIE, cookies.join("; ")) };
        let answer = request.send().await.expect("answers");
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().expect("text").split(';').next().expect("a pair");
            let (name, value) = pair.split_once('=').expect("a pair");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Shown { status, headers, body: answer.text().await.expect("text") }
    }

    pub async fn get(&mut self, path: &str) -> Shown {
        let url = format!("{}{path}", self.app.url);
        self.send(http_client().get(url)).await
    }

    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Shown {
        let url = format!("{}{path}", self.app.url);
        self.send(http_client().post(url).form(form)).await
    }

    /// Sends the form that a page has, with these fields besides its token and its id, and follows it.
    pub async fn submit(&mut self, page: &Shown, path: &str, fields: &[(&str, &str)]) -> Shown {
        let (token, change) = (page.hidden("token"), page.hidden("change"));
        let form: Vec<(&str, &str)> = [("token", token.as_str()), ("change", change.as_str())]
            .into_iter()
            .chain(fields.iter().copied())
            .collect();
        let answer = self.post(path, &form).await;
        if answer.status == 303 { self.get(&answer.location()).await } else { answer }
    }
}

/// Creates an API key. Returns its secret.
pub async fn api_key(app: &TestApp, scopes: &[Scope], account: Option<&str>) -> String {
    let account = account.map(|account| AccountId::parse(account).expect("an account"));
    let made = api_keys::create(&app.app.db, &SystemIds, &*app.clock, "ann", scopes, account.as_ref()).await;
    made.expect("a key").secret.expose_secret().to_owned()
}
