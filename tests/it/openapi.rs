//! The API documentation: complete, identical to the checked-in file, and served without external resources.

use std::collections::HashSet;
use std::path::Path;

use serde_json::Value;

use crate::support::{Backend, TestApp};

const HOW_TO_REPAIR: &str =
    "run `cargo run -- openapi > openapi/openapi.json` and look at the difference: clients see it";

fn document() -> Value {
    serde_json::to_value(topup::http::documentation::document()).expect("the document")
}

/// Each operation as `(method, path, operation)`.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().expect("paths").iter();
    let all = paths.flat_map(|(path, item)| {
        let operations = item.as_object().expect("an item").iter();
        operations.map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
    });
    all.collect()
}

#[test]
fn the_document_that_is_checked_in_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/openapi.json");
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    let generated = topup::http::documentation::document_json().expect("the document");
    let difference = checked_in.lines().zip(generated.lines()).enumerate().find(|(_, (old, new))| old != new);
    assert!(checked_in == generated, "openapi/openapi.json is not up to date; {HOW_TO_REPAIR}\n{difference:?}");
}

#[test]
fn every_route_is_in_the_document_and_every_path_of_the_document_is_a_route() {
    let mut routes = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    let (mut folders, mut files) = (vec![root], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    for path in files {
        for line in std::fs::read_to_string(&path).expect("text").lines() {
            for method in ["get", "post", "put", "patch", "delete"] {
                if let Some(rest) = line.trim().strip_prefix(&format!("#[{method}(\"")) {
                    routes.push((method.to_owned(), rest.trim_end_matches("\")]").to_owned()));
                }
            }
        }
    }
    let document = document();
    let mut documented: Vec<(String, String)> =
        operations(&document).iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    routes.sort();
    documented.sort();
    assert!(routes.len() >= 10, "{routes:?}");
    assert_eq!(routes, documented);
}

#[test]
fn every_operation_says_what_it_does_and_what_it_answers() {
    let document = document();
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1.")), "{}", document["openapi"]);
    let tags: Vec<&Value> = document["tags"].as_array().expect("tags").iter().map(|tag| &tag["name"]).collect();
    for (method, path, operation) in operations(&document) {
        let place = format!("{method} {path}");
        assert!(operation["summary"].as_str().is_some_and(|text| text.len() > 10), "{place} has no summary");
        assert!(operation["description"].as_str().is_some_and(|text| text.len() > 10), "{place} has no description");
        let used = operation["tags"].as_array().expect("tags");
        assert!(used.len() == 1 && used.iter().all(|tag| tags.contains(&tag)), "{place}: {used:?}");
        let responses = operation["responses"].as_object().expect("responses");
        assert!(responses.keys().any(|status| status.starts_with('2')), "{place} never succeeds");
        for (status, response) in responses {
            assert!(response["description"].as_str().is_some_and(|text| text.len() > 5), "{place} {status}");
            // A 204 has no body, and some 408 are answered before a handler sees the request.
            if ["204", "408"].contains(&status.as_str()) && response["content"].is_null() {
                continue;
            }
            let mut content: Vec<&String> = response["content"].as_object().expect("a body").keys().collect();
            // Statements are for spreadsheets too.
            content.retain(|media_type| *media_type != "text/csv" || !path.ends_with("/credits/statement"));
            let is_problem = !status.starts_with('2');
            let expected = if is_problem { "application/problem+json" } else { "application/json" };
            assert_eq!(content, [expected], "{place} {status}");
            let schema = &response["content"][expected]["schema"]["$ref"];
            assert_eq!(*schema == "#/components/schemas/Problem", is_problem, "{place} {status}");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = &parameter["name"];
            assert!(parameter["description"].as_str().is_some_and(|text| text.len() > 5), "{place}: {name}");
            assert!(!parameter["example"].is_null(), "{place}: {name} has no example");
        }
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_that_programs_can_use() {
    let document = document();
    let mut names = HashSet::new();
    for (method, path, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no name"));
        let is_camel_case = name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.chars().all(|letter| letter.is_ascii_alphanumeric());
        let has_several_words = name.chars().any(|letter| letter.is_ascii_uppercase());
        assert!(is_camel_case && has_several_words, "{method} {path}: {name}");
        assert!(names.insert(name), "{method} {path}: {name} is another operation, too");
    }
}

#[test]
fn every_operation_that_needs_credentials_says_so() {
    let document = document();
    let schemes: Vec<&String> =
        document["components"]["securitySchemes"].as_object().expect("schemes").keys().collect();
    assert_eq!(schemes, ["apiKey", "token"]);
    for (method, path, operation) in operations(&document) {
        let is_public =
            path.starts_with("/health/") || ["/credits/quote", "/plans", "/webhooks/stripe"].contains(&path);
        let security = operation["security"].as_array().unwrap_or_else(|| panic!("{method} {path}: no security"));
        assert!(!security.is_empty(), "{method} {path}");
        let needs_none = |requirement: &Value| requirement.as_object().is_some_and(serde_json::Map::is_empty);
        assert_eq!(security.iter().any(needs_none), is_public, "{method} {path}");
        assert_eq!(operation["responses"]["401"].is_null(), is_public, "{method} {path}");
    }
}

#[test]
fn every_field_has_an_example_or_is_explained() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    assert!(schemas.len() >= 8, "{:?}", schemas.keys());
    for (name, schema) in schemas {
        assert!(schema["description"].as_str().is_some_and(|text| text.len() > 5), "{name} is not explained");
        for (property, schema) in schema["properties"].as_object().into_iter().flatten() {
            let is_explained = ["example", "examples", "description", "enum"].iter().any(|key| !schema[key].is_null());
            // An object that may be null is one of two.
            let references = [&schema["$ref"], &schema["items"]["$ref"], &schema["oneOf"][0]["$ref"]];
            let reference = references.into_iter().find_map(Value::as_str);
            let is_elsewhere = reference
                .is_some_and(|reference| schemas.contains_key(reference.trim_start_matches("#/components/schemas/")));
            assert!(is_explained || is_elsewhere, "{name}.{property}: {schema}");
        }
    }
}

#[tokio::test]
async fn the_document_and_its_pages_are_served_and_need_no_other_host() {
    let app = TestApp::start(Backend::Sqlite).await;
    let answer = app.get("/openapi.json").await;
    assert_eq!(answer.headers["content-type"], "application/json");
    let mut served = answer.expect(200);
    assert!(served["servers"][0]["url"].as_str().is_some_and(|url| url.starts_with("http://127.0.0.1")), "{served}");
    let mut checked_in = document();
    for document in [&mut served, &mut checked_in] {
        document.as_object_mut().expect("an object").remove("servers");
    }
    assert_eq!(served, checked_in);

    let answer = app.get("/docs").await;
    assert_eq!((answer.status, answer.headers["location"].as_str()), (302, "/docs/"));
    let page = app.get("/docs/").await.expect(200).as_str().expect("a page").to_owned();
    let mut files = linked(&page);
    assert!(files.len() >= 4, "{page}");
    files.push("swagger-initializer.js".to_owned());
    files.dedup();
    for file in files {
        assert!(!file.contains("//") && !file.starts_with("data:"), "{file} is somewhere else");
        let answer = app.get(&format!("/docs/{}", file.trim_start_matches("./"))).await;
        assert_eq!(answer.status, 200, "{file}");
        let kind = &answer.headers["content-type"];
        assert!(!kind.starts_with("text/html"), "{file} is {kind}");
        if file.ends_with("initializer.js") {
            let text = answer.body.as_str().expect("a script");
            assert!(text.contains("/openapi.json") && !text.contains("http"), "{text}");
            assert!(text.contains("validatorUrl\": \"none\"") || text.contains("validatorUrl\":\"none\""), "{text}");
        }
    }
    assert!(!page.contains("http"), "{page}");
    app.finish().await;
}

/// The resources a page loads.
fn linked(page: &str) -> Vec<String> {
    let attributes = ["src=\"", "href=\""].into_iter();
    let values = attributes.flat_map(|attribute| page.split(attribute).skip(1));
    values.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}
