//! A table of signatures, and random bytes.

use proptest::prelude::*;
use secrecy::SecretString;

use super::*;

const NOW_MS: i64 = 1_800_000_000_000;
const NOW: i64 = 1_800_000_000;
const BODY: &[u8] = br#"{"id": "evt_1",  "type": "checkout.session.completed"}"#;

fn verifier(secrets: &[&str]) -> SignatureVerifier {
    SignatureVerifier::new(secrets.iter().map(|secret| SecretString::from(*secret)).collect()).expect("secrets")
}

fn sign(secret: &str, timestamp: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(format!("{timestamp}.").as_bytes());
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

fn header(secret: &str, timestamp: i64, body: &[u8]) -> String {
    format!("t={timestamp},v1={}", sign(secret, timestamp, body))
}

#[test]
fn a_known_signature_of_stripes_scheme_is_reproduced() {
    // Computed with `printf '1800000000.{}' | openssl dgst -sha256 -hmac whsec_test`.
    assert_eq!(sign("whsec_test", NOW, b"{}"), include_str!("testdata/signature.txt").trim(),);
}

#[test]
fn a_good_signature_passes() {
    let verifier = verifier(&["whsec_a"]);
    assert!(verifier.verify(Some(&header("whsec_a", NOW, BODY)), BODY, NOW_MS).is_ok());
}

#[test]
fn any_v1_and_any_secret_will_do() {
    let good = sign("whsec_old", NOW, BODY);
    let verifier = verifier(&["whsec_new", "whsec_old"]);
    for header in [
        format!("t={NOW},v1={good}"),
        format!("t={NOW},v1={},v1={good}", "0".repeat(64)),
        format!("t={NOW},v1=zz,v1={good},v0=abc,x=y"),
        format!("v1={good},t={NOW}"),
        format!("t={NOW}, v1={good}"),
    ] {
        assert!(verifier.verify(Some(&header), BODY, NOW_MS).is_ok(), "{header}");
    }
}

#[test]
fn everything_else_is_refused() {
    let verifier = verifier(&["whsec_a"]);
    let good = sign("whsec_a", NOW, BODY);
    let many = format!("t={NOW}{}", format!(",v1={good}").repeat(MAX_SIGNATURES + 1));
    for header in [
        String::new(),
        "t".to_owned(),
        format!("t={NOW}"),
        format!("v1={good}"),
        format!("t={NOW},v0={good}"),
        format!("t={NOW},v2={good}"),
        format!("t=,v1={good}"),
        format!("t=-1,v1={good}"),
        format!("t=+{NOW},v1={good}"),
        format!("t=x,v1={good}"),
        format!("t=99999999999999999999,v1={good}"),
        format!("t={NOW},t={NOW},v1={good}"),
        format!("t={NOW},v1={}", &good[..63]),
        format!("t={NOW},v1={good}00"),
        format!("t={NOW},v1="),
        format!("t={},v1={good}", NOW + 1),
        header("whsec_b", NOW, BODY),
        header("", NOW, BODY),
        header("a", NOW, BODY),
        many,
    ] {
        assert!(verifier.verify(Some(&header), BODY, NOW_MS).is_err(), "{header}");
    }
    assert!(verifier.verify(None, BODY, NOW_MS).is_err());
}

#[test]
fn old_and_future_times_are_refused_on_either_side_of_the_tolerance() {
    let verifier = verifier(&["whsec_a"]);
    for (offset, passes) in [(0, true), (-300, true), (300, true), (-301, false), (301, false), (i64::MIN / 4, false)] {
        let header = header("whsec_a", NOW.saturating_add(offset), BODY);
        assert_eq!(verifier.verify(Some(&header), BODY, NOW_MS).is_ok(), passes, "{offset}");
        assert_eq!(SignatureVerifier::check_header(Some(&header), NOW_MS).is_ok(), passes, "{offset}");
    }
}

#[test]
fn an_untimely_signature_is_told_from_a_wrong_one_and_says_how_far_it_is_off() {
    let verifier = verifier(&["whsec_a"]);
    for (offset, words) in [(-86_400, "86400 s behind"), (400, "400 s ahead of")] {
        let untimely = header("whsec_a", NOW + offset, BODY);
        let error = SignatureVerifier::check_header(Some(&untimely), NOW_MS).expect_err("it is untimely");
        assert!(error.to_string().contains(words), "{error}");
        assert!(verifier.verify_untimely(Some(&untimely), BODY).is_ok());
        assert!(verifier.verify_untimely(Some(&header("whsec_b", NOW + offset, BODY)), BODY).is_err());
        assert!(verifier.verify_untimely(Some(&untimely), b"{}").is_err());
    }
}

#[test]
fn a_body_changed_in_any_byte_or_written_anew_is_refused() {
    let verifier = verifier(&["whsec_a"]);
    let header = header("whsec_a", NOW, BODY);
    for position in 0..BODY.len() {
        let mut changed = BODY.to_vec();
        changed[position] ^= 1;
        assert!(verifier.verify(Some(&header), &changed, NOW_MS).is_err(), "byte {position}");
    }
    let value: serde_json::Value = serde_json::from_slice(BODY).expect("JSON");
    let rewritten = serde_json::to_vec(&value).expect("JSON");
    assert!(verifier.verify(Some(&header), &rewritten, NOW_MS).is_err());
}

#[test]
fn an_empty_secret_is_no_verifier() {
    // Known mistake 3.
    for secrets in [vec![], vec![""], vec!["  "], vec!["whsec_a", ""], vec!["\n"]] {
        let secrets = secrets.into_iter().map(SecretString::from).collect();
        assert_eq!(SignatureVerifier::new(secrets).err(), Some(EmptySecret));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_header_and_no_body_is_believed_or_panics(header in "\\PC{0,200}", body in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(verifier(&["whsec_a"]).verify(Some(&header), &body, NOW_MS).is_err());
    }

    #[test]
    fn headers_that_look_right_are_not_believed(time in NOW - 300..NOW + 300, signature in "[0-9a-f]{64}", body in prop::collection::vec(any::<u8>(), 0..200)) {
        let header = format!("t={time},v1={signature}");
        prop_assert!(verifier(&["whsec_a"]).verify(Some(&header), &body, NOW_MS).is_err());
    }
}
