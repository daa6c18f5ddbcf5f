//! `.env` files as people write them, and mistakes that are located without repeating their content.

use super::*;

fn read(text: &str) -> Vec<(String, String)> {
    read_bytes(text.as_bytes()).unwrap_or_else(|mistakes| panic!("{text:?}: {mistakes:?}"))
}

fn read_bytes(bytes: &[u8]) -> Result<Vec<(String, String)>, Vec<String>> {
    let known = |name: &str| (name == "HOME").then(|| "/root".to_owned());
    let entries = parse(bytes, &known).map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect::<Vec<_>>());
    Ok(entries?.into_iter().map(|entry| (entry.name, entry.value)).collect())
}

fn one(text: &str) -> String {
    let mut settings = read(text);
    assert_eq!(settings.len(), 1, "{text:?}");
    settings.remove(0).1
}

#[test]
fn a_line_is_understood_as_people_write_it() {
    for (line, value) in [
        ("A=b", "b"),
        ("A = b ", "b"),
        ("\tA=b\r\n", "b"),
        ("export A=b", "b"),
        ("export  A = b", "b"),
        ("A: b", "b"),
        ("A:\tb c", "b c"),
        ("A='b'", "b"),
        ("A: 'b'", "b"),
        ("A=\"b\" # why", "b"),
        ("A=b # why", "b"),
        ("A=b#c", "b#c"),
        ("A=", ""),
        ("A= # nothing", ""),
        ("A=# nothing", ""),
        ("A:", ""),
        ("A=whsec_a, whsec_b", "whsec_a, whsec_b"),
        ("A=a=b==", "a=b=="),
        ("A=https://x.example/?a=1#b", "https://x.example/?a=1#b"),
        ("A=it's", "it's"),
        ("A='$HOME \\n'", "$HOME \\n"),
        ("A=\"x\\ny \\\" \\\\ \\$HOME \\q\"", "x\ny \" \\ $HOME \\q"),
        ("A=$HOME/x", "/root/x"),
        ("A=${HOME}x", "/rootx"),
        ("A=5$ and $1 $", "5$ and $1 $"),
        ("A='-----BEGIN X-----\r\nabc\r\n-----END X-----'", "-----BEGIN X-----\nabc\n-----END X-----"),
        ("A=-----BEGIN X-----\\nabc\\n-----END X-----", "-----BEGIN X-----\\nabc\\n-----END X-----"),
        ("\u{feff}A=b", "b"),
        ("A=ä", "ä"),
    ] {
        assert_eq!(one(line), value, "{line:?}");
    }
}

#[test]
fn lines_follow_each_other_and_may_refer_to_earlier_ones() {
    let text = "# a comment\r\n\r\nA=1\r\n  # B=2\r\nC='x\r\ny'\r\nD=$A$C\nexport E=\"${D}\"\n";
    let named: Vec<(String, String)> =
        [("A", "1"), ("C", "x\ny"), ("D", "1x\ny"), ("E", "1x\ny")].map(|(n, v)| (n.into(), v.into())).to_vec();
    assert_eq!(read(text), named);
    let lines: Vec<usize> =
        parse(text.as_bytes(), &|_| None).expect("read").into_iter().map(|entry| entry.line).collect();
    assert_eq!(lines, [3, 5, 7, 8]);
}

#[test]
fn a_mistake_says_line_and_name_and_never_the_value() {
    for (text, place) in [
        ("A=1\nhunter2", "line 2: is not NAME=value"),
        ("A=1\nhunter2 = 3 hunter2\n2=hunter2", "line 3: is not"),
        ("\n\nKEY 'hunter2'", "line 3: is not"),
        ("https://hunter2.example", "line 1: is not"),
        ("KEY='hunter2", "line 1, KEY: its quotation mark"),
        ("A=1\nKEY=\"hunter2\nB=2", "line 2, KEY: its quotation mark"),
        ("KEY='hunter2'hunter2", "line 1, KEY: has text after"),
        ("A='\n\n'\nKEY='hunter2' hunter2", "line 4, KEY: has text after"),
        ("KEY=pa$hunter2", "line 1, KEY: has a $"),
        ("KEY=pa${hunter2}", "line 1, KEY: has a $"),
        ("KEY=pa${hunter2", "line 1, KEY: has a ${"),
        ("KEY=-----BEGIN PUBLIC KEY-----\nhunter2\n-----END PUBLIC KEY-----", "line 1, KEY: is a text of several"),
        ("hunter2=pa$hunter2", "line 1: has a $"),
    ] {
        let mistakes = read_bytes(text.as_bytes()).expect_err(text);
        assert!(mistakes.iter().any(|mistake| mistake.starts_with(place)), "{text:?}: {mistakes:?}");
        assert!(!format!("{mistakes:?}").contains("hunter2"), "{text:?}: {mistakes:?}");
    }
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once() {
    let mistakes = read_bytes(b"A\nB=$unknown\nC=1\nD='x'y\n").expect_err("three mistakes");
    let lines: Vec<&str> = mistakes.iter().map(|mistake| mistake.split([',', ':']).next().unwrap_or("")).collect();
    assert_eq!(lines, ["line 1", "line 2", "line 4"]);
}

#[test]
fn a_file_of_another_encoding_is_explained() {
    let utf16: Vec<u8> = "\u{feff}A=hunter2".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(read_bytes(&utf16).expect_err("UTF-16")[0].contains("UTF-16"));
    assert!(read_bytes(b"A=1\nB=hunter2\xff").expect_err("Latin-1")[0].starts_with("line 2: is not UTF-8"));
}
