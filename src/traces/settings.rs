//! What is traced, and where traces go.

use secrecy::SecretString;

/// The settings of traces.
#[derive(Debug, Clone)]
pub struct TraceSettings {
    /// Where spans are sent, with its path.
    pub url: String,
    /// Headers of these requests; keys of services are among them.
    pub headers: Vec<(String, SecretString)>,
    /// The name of this service.
    pub service_name: String,
    /// Which traces are kept.
    pub sampling: Sampling,
}

/// Which traces are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// The share of the traces that begin here, from 0 to 1.
    pub share: f64,
    /// Whether a caller's trace is kept exactly if the caller keeps it.
    pub follows_caller: bool,
}

impl Sampling {
    /// The names of OpenTelemetry's samplers.
    pub const NAMES: [&str; 6] = [
        "always_on",
        "always_off",
        "traceidratio",
        "parentbased_always_on",
        "parentbased_always_off",
        "parentbased_traceidratio",
    ];

    /// Reads the name of a sampler. `share` is for those that keep a part. `None` for another name.
    #[must_use]
    pub fn parse(name: &str, share: f64) -> Option<Self> {
        let (follows_caller, own) = match name.strip_prefix("parentbased_") {
            Some(own) => (true, own),
            None => (false, name),
        };
        let share = match own {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => share,
            _ => return None,
        };
        Some(Self { share, follows_caller })
    }

    /// The sampler's name.
    #[must_use]
    pub fn name(self) -> String {
        let own = if self.share >= 1.0 {
            "always_on"
        } else if self.share <= 0.0 {
            "always_off"
        } else {
            "traceidratio"
        };
        if self.follows_caller { format!("parentbased_{own}") } else { own.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sampler_is_read_and_named() {
        for name in Sampling::NAMES {
            assert_eq!(Sampling::parse(name, 0.25).map(Sampling::name).as_deref(), Some(name));
        }
        assert_eq!(Sampling::parse("traceidratio", 0.25).map(|sampling| sampling.share), Some(0.25));
        assert_eq!(Sampling::parse("jaeger_remote", 0.25), None);
    }
}
