//! What a credit is cannot change under the books.

use super::{changes, start};
use crate::on_both_databases;
use crate::support::app::settings;
use crate::support::process::run;

on_both_databases! {
    async fn another_unit_and_other_decimals_are_refused_by_the_service_and_by_commands(backend: Backend) {
        let app = start(backend).await;
        let settings_with = |more: &[(&'static str, &str)]| {
            let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
            let port = ("BIND_ADDRESS", "127.0.0.1:0".to_owned());
            let all: Vec<_> = changes().into_iter().chain([port]).chain(more).collect();
            settings(&app.database.url, &app.stripe.url, &all)
        };
        for (setting, value, was, why) in [
            ("CREDIT_UNIT_CREDITS", "1000", "10000", "every balance would silently be worth something else"),
            ("CREDIT_DISPLAY_DECIMALS", "4", "6", "customers would silently read every balance as another number"),
        ] {
            for command in ["serve", "reconcile", "reconcile --adopt", "webhooks replay --all"] {
                let arguments: Vec<&str> = command.split(' ').collect();
                let (well, _, errors) = run(&settings_with(&[(setting, value)]), &arguments);
                let said = [format!("{setting}={was}"), format!("{setting} is {value}"), why.to_owned()];
                assert!(!well && said.iter().all(|part| errors.contains(part)), "{command}: {errors}");
            }
        }
        // Without the settings, too: the defaults are another unit.
        let (well, _, errors) = run(&settings(&app.database.url, &app.stripe.url, &[]), &["reconcile"]);
        assert!(!well && errors.contains("CREDIT_UNIT_CREDITS is 1:"), "{errors}");
        // The price of the unit may change, and so may the limits.
        let dearer = settings_with(&[("CREDIT_UNIT_AMOUNT", "2"), ("MIN_CREDITS", "500000")]);
        let (well, said, errors) = run(&dearer, &["reconcile"]);
        assert!(well && said.contains("Nothing is left"), "{said}{errors}");
        app.finish().await;
    }
}
