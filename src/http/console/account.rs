//! One account: what it has, what ends when, its ledger, its top-ups and what operators did.

use actix_web::HttpRequest;
use maud::{Markup, html};

use crate::books::adjustments::Adjustment;
use crate::books::grant::grant_list::{Grant, grants_now};
use crate::books::hold::holds::Hold;
use crate::books::ledger::LedgerEntry;
use crate::books::limit::show_limits::{Which, limits_now};
use crate::books::settle_account::settled_balance;
use crate::console::operator_log::LoggedEntry;
use crate::console::registers::BlockRow;
use crate::console::words::{credits, of_credits};
use crate::customers::ensure_customer::known_customer;
use crate::domain::account::AccountId;
use crate::domain::credit_unit::DisplayDecimals;
use crate::domain::ids::CustomerId;
use crate::domain::ledger::{Balance, description};
use crate::domain::spend_limit::SpendLimit;
use crate::http::console::auto_topup;
use crate::http::console::form::{Fields, account_path, topup_path, with_id};
use crate::http::console::layout::{Place, at};
use crate::http::console::log_page::entries as log_entries;
use crate::http::console::page::{Page, PageError};
use crate::http::console::parts::{self, more, signed_credits, table, time};
use crate::http::console::session::SignedIn;
use crate::http::console::subscriptions;
use crate::http::kit::paging::page;
use crate::http::kit::problem::ApiError;
use crate::http::state::State;
use crate::purchases::topup_history::{ListedTopup, TopupFilter};
use crate::recurring::auto_topup::show::{self, Shown};
use crate::subscriptions::subscription_rows::Subscription;

const ENTRIES: i64 = 25;
/// How many entries are read to find those of one kind.
const ENTRIES_READ: i64 = 500;
const TOPUPS: i64 = 10;
const OTHERS: i64 = 20;
/// The kinds of entries that can be shown alone.
const KINDS: [(&str, &str); 9] = [
    ("topup", "bought"),
    ("spend", "spent"),
    ("spend_refund", "given back"),
    ("reversal", "refunds and disputes"),
    ("adjustment", "adjustments"),
    ("subscription", "subscriptions"),
    ("promotion", "promotions"),
    ("bonus", "bonuses"),
    ("expiry", "expired"),
];

/// What is shown of an account.
struct Found {
    balance: Balance,
    grants: Vec<Grant>,
    holds: Vec<Hold>,
    limits: Vec<SpendLimit>,
    ledger: Vec<LedgerEntry>,
    /// Below which sequence number the next page begins.
    next_entry: Option<i64>,
    topups: Vec<ListedTopup>,
    next_topup: Option<String>,
    subscriptions: Vec<Subscription>,
    adjustments: Vec<Adjustment>,
    blocks: Vec<BlockRow>,
    log: Vec<LoggedEntry>,
    customer: Option<CustomerId>,
    auto_topup: Option<Shown>,
}

/// The account.
pub(super) async fn read(request: HttpRequest, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let fields = Fields::of_query(&request)?;
    let account = fields.account()?;
    let kind = fields.optional("kind").filter(|kind| KINDS.iter().any(|(known, _)| known == kind));
    let below = fields.number("below")?.unwrap_or(i64::MAX);
    let found = find(&signed, &account, kind, below, fields.before()?).await?;
    let decimals = state.app.pricing.decimals();
    let id = account.as_str();
    let content = html! {
        h1 { "Account" }
        p.subtitle { (parts::id(id)) @if found.balance.is_blocked { " " (parts::badge("bad", "blocked")) } }
        (numbers(&found, decimals))
        div.actions {
            a.button.plain href=(with_id("/console/account/adjust", id)) { "Adjust…" }
            @if signed.is_admin() {
                a.button.plain href=(with_id("/console/account/block", id)) {
                    @if found.balance.is_blocked { "Unblock…" } @else { "Block…" }
                }
            }
        }
        (blocks(&found.blocks))
        section aria-labelledby="ledger-title" {
            h2 #ledger-title { "Ledger" }
            (ledger(id, &found, kind, decimals))
        }
        section aria-labelledby="topups-title" {
            h2 #topups-title { "Top-ups" }
            @if found.topups.is_empty() { p.empty { "None." } } @else {
                (parts::topups(&found.topups, decimals, false))
            }
            (more("/console/account", &[("id", id)], found.next_topup.as_deref()))
        }
        (subscriptions::of_account(&found.subscriptions))
        (auto_topup::section(
            &signed, found.customer.as_ref().map(CustomerId::as_str), found.auto_topup.as_ref(), decimals,
        ))
        (grants(&found.grants, decimals))
        (holds(&found.holds, decimals))
        (limits(&found.limits, decimals))
        (adjustments(&found.adjustments, decimals))
        @if !found.log.is_empty() {
            section aria-labelledby="log-title" {
                h2 #log-title { "What operators did here" } (log_entries(&found.log, decimals))
            }
        }
    };
    let framed = at(&signed, Place::Elsewhere).after_change(&fields).await?;
    Ok(framed.show(&format!("Account {id}"), &content))
}

async fn find(
    signed: &SignedIn,
    account: &AccountId,
    kind: Option<&str>,
    below: i64,
    before: (i64, String),
) -> Result<Found, PageError> {
    let (app, account, kind) = (signed.state.app.clone(), account.clone(), kind.map(str::to_owned));
    let filter =
        TopupFilter { account: Some(account.to_string()), state: None, surplus: false, before, limit: TOPUPS + 1 };
    let read = async move {
        let id = account.as_str();
        // What has ended by now gets its entry first.
        let balance = settled_balance(&app, &account).await?;
        let read = if kind.is_some() { ENTRIES_READ } else { ENTRIES };
        let entries = app.db.entries(&account, below, read.saturating_add(1)).await?;
        let (ledger, next_entry) = of_kind(entries, kind.as_deref(), read);
        let (_, limits) = limits_now(&app, &account, Which::After(String::new(), String::new(), OTHERS)).await?;
        let (topups, next_topup) =
            page(app.db.list_topups(&filter).await?, TOPUPS, |topup| (topup.created_at, topup.id.clone()));
        Ok::<_, ApiError>(Found {
            balance,
            ledger,
            next_entry,
            limits,
            topups,
            next_topup,
            grants: grants_now(&app, &account, true, (i64::MAX, ""), OTHERS).await?,
            holds: app.db.open_holds(&account, (0, ""), OTHERS).await?,
            subscriptions: app.db.subscriptions_of(&account).await?,
            adjustments: app.db.adjustments_of(&account, (i64::MAX, ""), OTHERS).await?,
            blocks: app.db.blocks_of(id).await?,
            log: app.db.operator_log_of(id, OTHERS).await?,
            customer: known_customer(&app, &account).await?,
            auto_topup: show::auto_topup(&app, &account).await?,
        })
    };
    signed.run(read).await
}

/// A page of entries of one kind, or of all, given one entry more than `read`.
fn of_kind(mut entries: Vec<LedgerEntry>, kind: Option<&str>, read: i64) -> (Vec<LedgerEntry>, Option<i64>) {
    let as_count = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let has_more = entries.len() > as_count(read);
    entries.truncate(as_count(read));
    let last_read = entries.last().map(|entry| entry.sequence);
    let Some(kind) = kind else { return (entries, last_read.filter(|_| has_more)) };
    entries.retain(|entry| {
        entry.kind == kind
            || (kind == "bonus" && entry.kind == "bonus_reversal")
            || (kind == "expiry" && entry.kind == "void")
    });
    if entries.len() > as_count(ENTRIES) {
        entries.truncate(as_count(ENTRIES));
        let last_shown = entries.last().map(|entry| entry.sequence);
        return (entries, last_shown);
    }
    (entries, last_read.filter(|_| has_more))
}

fn numbers(found: &Found, decimals: DisplayDecimals) -> Markup {
    let funds = found.balance.funds();
    let ends = found.grants.iter().filter(|grant| grant.expires_at < i64::MAX).min_by_key(|grant| grant.expires_at);
    html! {
        dl.numbers {
            div { dt { "Balance" } dd { (credits(funds.remaining, decimals)) } }
            div { dt { "Held" } dd { (credits(funds.held, decimals)) } }
            div { dt { "Available" } dd { (credits(funds.available(), decimals)) } }
            div { dt { "Used" } dd { (credits(found.balance.used_credits, decimals)) } }
            div {
                dt { "Ends next" } dd {
                    @match ends {
                        Some(grant) => {
                            (credits(grant.remaining, decimals)) " " small { (time(grant.expires_at)) }
                        } None => "–"
                    }
                }
            }
        }
        @if funds.owed() > 0 {
            p.notice.wait role="note" {
                "The account owes " (of_credits(funds.owed(), decimals)) ": they were taken back after they had been \
                    spent."
            }
        }
        @if found.balance.updated_at_ms.is_none() { p.notice.wait role="note" { "This account never had credits." } }
    }
}

fn ledger(id: &str, found: &Found, kind: Option<&str>, decimals: DisplayDecimals) -> Markup {
    let rows: Vec<Markup> = found
        .ledger
        .iter()
        .map(|entry| {
            html! {
                td.number { (entry.sequence) }
                td { (time(entry.created_at)) }
                td { (description(&entry.kind, entry.reason.as_deref())) }
                td.number { (signed_credits(entry.credits, decimals)) }
                td.number { (credits(entry.balance_after, decimals)) }
                td { (source(&entry.source)) }
            }
        })
        .collect();
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("id", id);
    if let Some(kind) = kind {
        query.append_pair("kind", kind);
    }
    let older = found
        .next_entry
        .map(|below| format!("/console/account?{}", query.append_pair("below", &below.to_string()).finish()));
    html! {
        form.filters method="get" action="/console/account" {
            input type="hidden" name="id" value=(id);
            div.field {
                label for="kind" { "Entries" }
                select #kind name="kind" {
                    option value="" selected[kind.is_none()] { "all" }
                    @for (word, label) in KINDS { option value=(word) selected[kind == Some(word)] { (label) } }
                }
            }
            button.plain type="submit" { "Show" }
        }
        @if rows.is_empty() { p.empty { "None." } } @else {
            (table("Ledger", &["No.", "When", "What", "Credits", "Balance", "Source"], &rows))
        }
        @if let Some(older) = older { p.more { a href=(older) rel="next" { "Older entries" } } }
    }
}

/// What caused an entry: a top-up has a page.
fn source(text: &str) -> Markup {
    let topup = text.split(':').next().filter(|id| id.starts_with("topup_"));
    html! {
        @match topup {
            Some(id) => a href=(topup_path(id)) title=(text) { (parts::short_id(text)) },
            None => code title=(text) { (parts::short_id(text)) },
        }
    }
}

fn grants(grants: &[Grant], decimals: DisplayDecimals) -> Markup {
    let mut sorted: Vec<&Grant> = grants.iter().collect();
    sorted.sort_by_key(|grant| (grant.expires_at, grant.sequence));
    let rows: Vec<Markup> = sorted
        .iter()
        .map(|grant| {
            html! {
                td { (grant.kind) @if let Some(reason) = &grant.reason { ": " (reason) } }
                td.number { (credits(grant.remaining, decimals)) }
                td.number { (credits(grant.credits, decimals)) }
                td { @if grant.expires_at == i64::MAX { "never" } @else { (time(grant.expires_at)) } }
                td { (source(&grant.id)) }
            }
        })
        .collect();
    html! {
        section aria-labelledby="grants-title" {
            h2 #grants-title { "What ends when" }
            @if rows.is_empty() { p.empty { "Nothing is left of any grant." } }
            @else { (table("Grants", &["Origin", "Left", "Of", "Ends", "Grant"], &rows)) }
        }
    }
}

fn holds(holds: &[Hold], decimals: DisplayDecimals) -> Markup {
    let rows: Vec<Markup> = holds
        .iter()
        .map(|hold| {
            html! {
                td { code title=(hold.id) { (parts::short_id(&hold.id)) } }
                td.number { (credits(hold.credits, decimals)) }
                td { (hold.operation) @if !hold.subject.is_empty() { " / " (hold.subject) } }
                td { (time(hold.created_at)) }
                td { (time(hold.expires_at)) }
            }
        })
        .collect();
    html! {
        @if !rows.is_empty() {
            section aria-labelledby="holds-title" {
                h2 #holds-title { "Open holds" }
                (table("Open holds", &["Hold", "Credits", "For", "Since", "Ends"], &rows))
            }
        }
    }
}

fn limits(limits: &[SpendLimit], decimals: DisplayDecimals) -> Markup {
    let rows: Vec<Markup> = limits
        .iter()
        .map(|limit| {
            html! {
                td { @if limit.subject.is_empty() { "the whole account" } @else { (limit.subject) } }
                td { (limit.period.as_str()) }
                td.number { (credits(limit.credits, decimals)) }
                td.number { (credits(limit.used, decimals)) }
                td.number { (credits(limit.held, decimals)) }
            }
        })
        .collect();
    html! {
        @if !rows.is_empty() {
            section aria-labelledby="limits-title" {
                h2 #limits-title { "Limits" }
                (table("Limits", &["Whose", "Period", "Limit", "Used", "Held"], &rows))
            }
        }
    }
}

fn adjustments(adjustments: &[Adjustment], decimals: DisplayDecimals) -> Markup {
    let rows: Vec<Markup> = adjustments
        .iter()
        .map(|made| {
            html! {
                td { (time(made.created_at)) }
                td.number { (signed_credits(made.credits, decimals)) }
                td { (made.reason) }
                td { (made.made_by) }
            }
        })
        .collect();
    html! {
        @if !rows.is_empty() {
            section aria-labelledby="adjustments-title" {
                h2 #adjustments-title { "Adjustments" }
                (table("Adjustments", &["When", "Credits", "Reason", "By"], &rows))
            }
        }
    }
}

fn blocks(blocks: &[BlockRow]) -> Markup {
    html! {
        @if let Some(latest) = blocks.first() {
            p class=(if latest.is_blocked == 0 { "notice quiet" } else { "notice bad" }) role="note" {
                @if latest.is_blocked == 0 { "Unblocked" } @else { "Blocked" }
                " at " (time(latest.created_at)) " by " (latest.made_by) ": " (latest.reason)
                @if blocks.len() > 1 { " (" (blocks.len()) " changes in all)" }
            }
        }
    }
}

/// The link to an account.
pub(super) fn link(id: &str) -> Markup {
    html! { a href=(account_path(id)) { (id) } }
}
