//! Which origins may be listed, and what they allow and refuse.

use super::*;

fn origin(text: &str) -> AllowedOrigin {
    AllowedOrigin::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_star_stands_for_one_label_or_a_part_of_it() {
    for (allowed, matching, foreign) in [
        (
            "https://*.example.com",
            &["https://a.example.com", "https://pr-7-app.example.com", "https://xn--a.example.com"][..],
            &[
                "https://example.com",
                "https://.example.com",
                "https://a.b.example.com",
                "http://a.example.com",
                "https://a.example.com:8443",
                "https://aexample.com",
                "https://a.example.com.evil.example",
                "https://evil.example/.example.com",
                "https://evil.example#.example.com",
                "https://u@a.example.com",
                "https://*.example.com",
                "null",
                "",
            ][..],
        ),
        (
            "https://*-myteam.vercel.app",
            &["https://shop-git-main-myteam.vercel.app"],
            &["https://-myteam.vercel.app", "https://myteam.vercel.app", "https://x.y-myteam.vercel.app"],
        ),
        ("https://shop-*.example.com:8443", &["https://shop-1.example.com:8443"], &["https://shop-1.example.com"]),
        ("https://pr-*-shop.netlify.app", &["https://pr-12-shop.netlify.app"], &["https://pr--shop.netlify.app"]),
        ("http://*.localhost:3000", &["http://tenant.localhost:3000"], &["http://localhost:3000"]),
    ] {
        let allowed = origin(allowed);
        for text in matching {
            assert!(allowed.may_call(text) && allowed.may_receive(text), "{allowed}: {text}");
        }
        for text in foreign {
            assert!(!allowed.may_call(text) && !allowed.may_receive(text), "{allowed}: {text}");
        }
    }
}

#[test]
fn a_star_for_everybodys_names_is_refused_with_the_way_out() {
    for text in [
        "https://*.vercel.app",
        "https://*.netlify.app",
        "https://*.pages.dev",
        "https://*.github.io",
        "https://*.com",
        "https://*.co.uk",
        "https://*-a.vercel.app",
        "https://*.vercel.app:8443",
    ] {
        assert_eq!(AllowedOrigin::parse(text), Err(InvalidOrigin::PublicSuffix), "{text}");
    }
    for (text, is_shared) in [
        ("https://*-myteam.vercel.app", true),
        ("https://*--mysite.netlify.app", true),
        ("https://*.myproject.pages.dev", false),
        ("https://*.example.com", false),
        ("https://*.example.co.uk", false),
        ("https://app.example.com", false),
    ] {
        assert_eq!(origin(text).is_shared(), is_shared, "{text}");
    }
}

#[test]
fn what_is_not_supported_is_refused() {
    for (text, error) in [
        ("https://app.example.com/path", InvalidOrigin::Form),
        ("app.example.com", InvalidOrigin::Form),
        ("http://app.example.com", InvalidOrigin::Form),
        ("http://*.example.com", InvalidOrigin::Form),
        ("https://a.example?x", InvalidOrigin::Form),
        ("https://u@a.example", InvalidOrigin::Form),
        ("https://*.example.com/x", InvalidOrigin::Form),
        ("https://*.0.0.1", InvalidOrigin::Form),
        ("", InvalidOrigin::Form),
        ("*", InvalidOrigin::Everything),
        ("https://*", InvalidOrigin::Everything),
        ("null", InvalidOrigin::Null),
        ("https://app.*.com", InvalidOrigin::Wildcard),
        ("https://*.*.example.com", InvalidOrigin::Wildcard),
        ("https://*", InvalidOrigin::Everything),
        ("https://example.com:*", InvalidOrigin::Wildcard),
        ("http://localhost:*", InvalidOrigin::Wildcard),
        ("http://*.tauri.localhost", InvalidOrigin::Wildcard),
        ("*.example.com", InvalidOrigin::Form),
        ("htps://app.example.com", InvalidOrigin::Scheme),
        ("capacitor://app.example.com", InvalidOrigin::Scheme),
        ("capacitor://*", InvalidOrigin::Scheme),
        ("ftp://localhost", InvalidOrigin::Scheme),
        ("file://", InvalidOrigin::Scheme),
        ("chrome-extension://*", InvalidOrigin::Wildcard),
        ("chrome-extension://", InvalidOrigin::Wildcard),
    ] {
        assert_eq!(AllowedOrigin::parse(text), Err(error), "{text}");
    }
    assert_eq!(origin("https://app.example.com/").to_string(), "https://app.example.com");
}

#[test]
fn apps_and_extensions_may_call_and_receive_nobody() {
    for text in [
        "capacitor://localhost",
        "ionic://localhost",
        "tauri://localhost",
        "myapp://localhost",
        "http://tauri.localhost",
        "https://tauri.localhost",
        "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
        "moz-extension://0b1d7e8a-2f3c-4d5e-8f90-a1b2c3d4e5f6",
    ] {
        let allowed = origin(text);
        assert!(allowed.may_call(text) && !allowed.may_receive(text), "{text}");
        assert!(!allowed.may_call("https://evil.example") && !allowed.may_call("capacitor://evil"), "{text}");
    }
    let extensions = origin("moz-extension://*");
    assert!(extensions.may_call("moz-extension://0b1d7e8a-2f3c-4d5e-8f90-a1b2c3d4e5f6"));
    for foreign in ["moz-extension://", "moz-extension://a.b", "chrome-extension://abc", "https://a.example"] {
        assert!(!extensions.may_call(foreign), "{foreign}");
    }
}
