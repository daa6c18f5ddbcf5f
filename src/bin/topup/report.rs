//! `topup report`: what accounting asks for. Works beside a running service.

use std::process::ExitCode;

use clap::Subcommand;
use topup::domain::credit_unit::DisplayDecimals;
use topup::exports::month::{Month, MonthReport, report_month};
use topup::exports::range::settled_before_ms;
use topup::ports::Clock;
use topup::system::SystemClock;

use super::{Failure, connect_to_read};

#[derive(Subcommand)]
pub(crate) enum ReportCommand {
    /// A month: credits sold, given, spent, expired and taken back, and what customers had at its ends.
    Month {
        /// The month (in UTC), such as 2026-11.
        #[arg(value_parser = parse_month)]
        month: Month,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

fn parse_month(text: &str) -> Result<Month, String> {
    Month::parse(text).ok_or_else(|| "must be a month such as 2026-11".to_owned())
}

pub(crate) async fn run(command: ReportCommand) -> Result<ExitCode, Failure> {
    let ReportCommand::Month { month, json } = command;
    let now_ms = SystemClock.now_ms();
    if month.range().from_ms >= settled_before_ms(now_ms) {
        return Err(format!("the month {month} has not begun, or began less than five minutes ago").into());
    }
    let database = connect_to_read().await?;
    let decimals = database.instance().await?.map_or(0, |instance| instance.credit_display_decimals);
    let report = report_month(&database, month, now_ms).await;
    database.close().await;
    let report = report?;
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report, DisplayDecimals::new(decimals).unwrap_or_default());
    }
    Ok(ExitCode::SUCCESS)
}

fn print(report: &MonthReport, decimals: DisplayDecimals) {
    println!("{} ({} to {})", report.month, report.from, report.to);
    if !report.is_complete {
        println!("The month is not over; this is the part before five minutes ago.");
    }
    println!();
    for (name, credits) in [
        ("at the beginning", report.opening_credits),
        ("+ sold", report.sold_credits),
        ("+ given", report.granted_credits),
        ("- spent", report.spent_credits),
        ("- expired", report.expired_credits),
        ("- refunded", report.refunded_credits),
        ("- disputed", report.disputed_credits),
        ("+ adjusted", report.adjusted_credits),
        ("at the end", report.closing_credits),
    ] {
        println!("{name:<18}{:>20} credits", decimals.format(credits));
    }
    println!("\nAmounts are in minor units, such as cents.");
    for worth in &report.opening_worth {
        println!("{:<18}{:>20} {}", "worth, beginning", worth.amount, worth.currency);
    }
    for worth in &report.closing_worth {
        println!("{:<18}{:>20} {}  deferred revenue", "worth, end", worth.amount, worth.currency);
    }
    for sold in &report.sold {
        println!(
            "{:<18}{:>20} {}  of {} purchases: {} for credits, {} fees of customers, {} tax; {} of Stripe's fees \
             expected",
            "charged",
            sold.charged_amount,
            sold.currency,
            sold.purchases,
            sold.credits_amount,
            sold.fee_amount,
            sold.tax_amount,
            sold.expected_fee
        );
    }
    for billed in &report.billed {
        println!(
            "{:<18}{:>20} {}  of {} paid invoices of subscriptions: {} for credits, {} tax",
            "billed", billed.total_amount, billed.currency, billed.invoices, billed.credits_amount, billed.tax_amount
        );
    }
    for gone in &report.reversed {
        println!("{:<18}{:>20} {}  of {}", format!("{}s", gone.kind), gone.amount, gone.currency, gone.number);
    }
    for fees in &report.real_fees {
        match &fees.currency {
            Some(currency) => {
                println!("{:<18}{:>20} {currency}  of {} payments", "Stripe's fees", fees.amount, fees.payments);
            }
            None => println!("The fees of {} payments are not known yet.", fees.payments),
        }
    }
}
