//! The settings of traces, under the names that OpenTelemetry gives them.

use secrecy::SecretString;
use url::Url;

use super::source::Reader;
use crate::traces::settings::{Sampling, TraceSettings};

/// What is appended to the collector's address.
const PATH: &str = "v1/traces";

/// `None` if nothing is to be traced, or a setting is wrong.
pub(super) fn read_traces(reader: &mut Reader<'_>) -> Option<TraceSettings> {
    let headers = read_headers(reader);
    let service_name = reader.text("OTEL_SERVICE_NAME", "topup");
    let sampling = read_sampling(reader);
    let url = read_url(reader)?;
    if !cfg!(feature = "otel") {
        let message = "needs a build with the feature otel (`cargo build --features otel`); this one sends no traces";
        reader.error("OTEL_EXPORTER_OTLP_ENDPOINT", message);
    }
    Some(TraceSettings { url, headers, service_name, sampling: sampling? })
}

fn read_url(reader: &mut Reader<'_>) -> Option<String> {
    let text = reader.optional("OTEL_EXPORTER_OTLP_ENDPOINT")?;
    let url = Url::parse(&text).ok();
    let url =
        url.filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some() && url.query().is_none());
    if url.is_none() {
        let message = "must be the address of a collector that takes OTLP over HTTP, such as http://127.0.0.1:4318";
        reader.error("OTEL_EXPORTER_OTLP_ENDPOINT", message);
    }
    url.map(|url| format!("{}/{PATH}", url.as_str().trim_end_matches('/')))
}

/// `name=value`, comma separated, as OpenTelemetry has them: values may be percent-encoded.
fn read_headers(reader: &mut Reader<'_>) -> Vec<(String, SecretString)> {
    let Some(text) = reader.optional("OTEL_EXPORTER_OTLP_HEADERS") else { return Vec::new() };
    let mut headers = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let Some(header) = part.split_once('=').and_then(|(name, value)| header(name.trim(), value.trim())) else {
            let message = "must be name=value, comma separated, such as x-api-key=…; a comma in a value is %2C";
            reader.error("OTEL_EXPORTER_OTLP_HEADERS", message);
            return Vec::new();
        };
        headers.push(header);
    }
    headers
}

fn header(name: &str, value: &str) -> Option<(String, SecretString)> {
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let value = decoded(value)?;
    let is_value = !value.is_empty() && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    (is_name && is_value).then(|| (name.to_ascii_lowercase(), SecretString::from(value)))
}

/// A text without its percent-encoding; `None` if that is broken.
fn decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

fn read_sampling(reader: &mut Reader<'_>) -> Option<Sampling> {
    let name = reader.text("OTEL_TRACES_SAMPLER", "parentbased_always_on");
    let share: Option<f64> = reader.parse("OTEL_TRACES_SAMPLER_ARG", "1", "a share from 0 to 1, such as 0.1");
    let share = share?;
    if !(0.0..=1.0).contains(&share) {
        reader.error("OTEL_TRACES_SAMPLER_ARG", "must be a share from 0 to 1, such as 0.1");
        return None;
    }
    let sampling = Sampling::parse(name.trim(), share);
    if sampling.is_none() {
        reader.error("OTEL_TRACES_SAMPLER", &format!("must be one of {}", Sampling::NAMES.join(", ")));
    }
    sampling
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::config::Source;

    const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

    fn read(settings: &[(&str, &str)]) -> (Option<TraceSettings>, Vec<String>) {
        let source: Source = settings.iter().copied().collect();
        let mut reader = Reader::new(&source);
        let traces = read_traces(&mut reader);
        (traces, reader.errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    #[cfg(feature = "otel")]
    fn the_standard_s_names_and_defaults_are_read() {
        assert!(matches!(read(&[]), (None, errors) if errors.is_empty()));
        let (traces, errors) = read(&[(ENDPOINT, "http://127.0.0.1:4318")]);
        let traces = traces.expect("settings");
        assert_eq!((errors.len(), traces.url.as_str()), (0, "http://127.0.0.1:4318/v1/traces"));
        assert_eq!((traces.service_name.as_str(), traces.headers.len()), ("topup", 0));
        assert_eq!(traces.sampling.name(), "parentbased_always_on");
        let (traces, errors) = read(&[
            (ENDPOINT, "https://otlp.example.com/base/"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "X-Api-Key=verysecret, authorization=Bearer%20abc%2Cdef=="),
            ("OTEL_SERVICE_NAME", "credits"),
            ("OTEL_TRACES_SAMPLER", "traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ]);
        let traces = traces.expect("settings");
        assert_eq!((errors.len(), traces.url.as_str()), (0, "https://otlp.example.com/base/v1/traces"));
        let headers: Vec<_> =
            traces.headers.iter().map(|(name, value)| (name.as_str(), value.expose_secret())).collect();
        assert_eq!(headers, [("x-api-key", "verysecret"), ("authorization", "Bearer abc,def==")]);
        assert_eq!(traces.sampling, Sampling { share: 0.25, follows_caller: false });
        assert!(!format!("{traces:?}").contains("verysecret"));
    }

    #[test]
    fn a_wrong_value_is_a_mistake_with_a_way_out() {
        for (name, value, way_out) in [
            (ENDPOINT, "127.0.0.1:4318", "http://127.0.0.1:4318"),
            (ENDPOINT, "grpc://collector:4317", "OTLP over HTTP"),
            (ENDPOINT, "", "remove it"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "verysecret", "name=value"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "key=very%secret", "name=value"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a b=verysecret", "name=value"),
            ("OTEL_TRACES_SAMPLER", "jaeger_remote", "parentbased_always_on"),
            ("OTEL_TRACES_SAMPLER_ARG", "2", "from 0 to 1"),
            ("OTEL_TRACES_SAMPLER_ARG", "half", "from 0 to 1"),
        ] {
            let (_, errors) = read(&[(name, value)]);
            assert!(errors.iter().any(|error| error.contains(way_out)), "{name}={value}: {errors:?}");
            assert!(errors.iter().all(|error| !error.contains("verysecret")), "a secret is shown: {errors:?}");
        }
    }

    #[test]
    #[cfg(not(feature = "otel"))]
    fn without_the_feature_a_collector_is_a_mistake() {
        let (_, errors) = read(&[(ENDPOINT, "http://127.0.0.1:4318")]);
        assert!(errors.iter().any(|error| error.contains("the feature otel")), "{errors:?}");
    }
}
