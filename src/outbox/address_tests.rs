//! Addresses in all their forms.

use super::*;

fn judged(text: &str, allowed: &[&str]) -> Verdict {
    let allowed: Vec<IpNet> = allowed.iter().map(|network| network.parse().expect("a network")).collect();
    judge(text.parse().expect(text), &allowed)
}

const PUBLIC: [&str; 16] = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
    "2001:0:808:808:0:ffff:f7f7:f7f7",
    "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e",
];

const PRIVATE: [&str; 44] = [
    "0.0.0.1",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "240.0.0.1",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:7f00:1",
    "::ffff:0:10.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::808:808",
    "100::1",
    "2001:db8::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456:789a::1",
    "fec0::1",
    // 6to4 of 10.0.0.1 and of 127.0.0.1.
    "2002:a00:1::1",
    "2002:7f00:1::",
    // Teredo with the server 10.0.0.1, and with the client 192.168.0.1.
    "2001:0:a00:1:0:ffff:f7f7:f7f7",
    "2001:0:808:808:0:ffff:3f57:fffe",
    // ISATAP of 10.0.0.1.
    "2606:4700::5efe:a00:1",
    "2606:4700::200:5efe:a00:1",
    "4000::1",
];

const NEVER: [&str; 20] = [
    "0.0.0.0",
    "169.254.169.254",
    "169.254.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "192.0.0.192",
    "100.100.100.200",
    "::",
    "fe80::1",
    "febf::1",
    "ff02::1",
    "fd00:ec2::254",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "::169.254.169.254",
    "::ffff:0:169.254.169.254",
    "64:ff9b::169.254.169.254",
    "2002:a9fe:a9fe::1",
    "2001:0:a9fe:a9fe::",
    "2606:4700::5efe:a9fe:a9fe",
];

#[test]
fn only_public_addresses_are_called() {
    for text in PUBLIC {
        assert_eq!(judged(text, &[]), Verdict::Public, "{text}");
    }
    for text in PRIVATE {
        assert_eq!(judged(text, &[]), Verdict::Private, "{text}");
    }
}

#[test]
fn some_are_never_called_whatever_is_allowed() {
    for text in NEVER {
        assert_eq!(judged(text, &[]), Verdict::Never, "{text}");
        assert_eq!(judged(text, &["0.0.0.0/0", "::/0"]), Verdict::Never, "{text}");
    }
}

#[test]
fn a_network_that_is_allowed_is_allowed_in_every_form_and_no_other_is() {
    for text in ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3"] {
        assert_eq!(judged(text, &["10.0.0.0/8"]), Verdict::Allowed, "{text}");
    }
    assert_eq!(judged("192.168.0.1", &["10.0.0.0/8"]), Verdict::Private);
    assert_eq!(judged("fd00::1", &["10.0.0.0/8", "fd00::/16"]), Verdict::Allowed);
    // The tunnel's own address is not in the network.
    assert_eq!(judged("2002:a00:1::1", &["10.0.0.0/8"]), Verdict::Private);
    assert_eq!(judged("8.8.8.8", &["10.0.0.0/8"]), Verdict::Public);
    assert_eq!(judged("8.8.8.8", &["8.0.0.0/8"]), Verdict::Allowed);
}
