//! Metrics in the Prometheus text format. Labels come from fixed words only, so that neither a
//! caller nor the platform can make new series, and nothing secret can get in.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use qrvey_auth_wire::{ProblemCode, TokenKind};

use crate::lines;
use crate::mint::How;
use crate::route::Route;
use crate::upstream::UpstreamError;

/// Everything that is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    /// The series that every request counts in stand ready, for finding them by their labels would
    /// cost more than the counting.
    routes: [OfRoute; Route::ALL.len()],
    requests_in_flight: Gauge,
    connections_refused: Family<Limit, Counter>,
    mints: Family<Mint, Counter>,
    tokens: [[Counter; How::ALL.len()]; TokenKind::ALL.len()],
    upstream_seconds: Family<LabelKind, Histogram>,
    upstream_in_flight: Gauge,
    identity_seconds: Histogram,
    kept_tokens: Gauge,
    platform_left_alone: Gauge,
    fleet_up: Gauge,
    reloads: Family<Reload, Counter>,
}

#[derive(Debug)]
struct OfRoute {
    ok: Counter,
    problems: [Counter; ProblemCode::ALL.len()],
    /// The caller left before there was an answer.
    aborted: Counter,
    seconds: Histogram,
}

/// What is measured when the metrics are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gauges {
    pub kept_tokens: usize,
    pub is_platform_left_alone: bool,
    pub is_fleet_up: bool,
}

/// A key of `[limits]` that leaves no place.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Limit {
    limit: &'static str,
}

impl Limit {
    pub(crate) const MAX_CONNECTIONS: Self = Self { limit: "max_connections" };
    pub(crate) const MAX_CONNECTIONS_PER_ADDRESS: Self = Self { limit: "max_connections_per_address" };
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Reload {
    of: &'static str,
    outcome: &'static str,
}

impl Reload {
    pub(crate) fn configuration(is_good: bool) -> Self {
        Self::new("configuration", is_good)
    }

    pub(crate) fn certificate(is_good: bool) -> Self {
        Self::new("certificate", is_good)
    }

    fn new(of: &'static str, is_good: bool) -> Self {
        Self { of, outcome: if is_good { "ok" } else { "refused" } }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    route: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LabelRoute {
    route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Mint {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Source {
    kind: &'static str,
    source: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LabelKind {
    kind: &'static str,
}

fn seconds_histogram() -> Histogram {
    // 0.5 ms to 16 s.
    Histogram::new(exponential_buckets(0.0005, 2.0, 16))
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let requests = Family::<Outcome, Counter>::default();
        let request_seconds = Family::<LabelRoute, Histogram>::new_with_constructor(seconds_histogram);
        let tokens = Family::<Source, Counter>::default();
        let of_route = |route: Route| {
            let route = route.name();
            let counter = |outcome| requests.get_or_create_owned(&Outcome { route, outcome });
            OfRoute {
                ok: counter("ok"),
                problems: ProblemCode::ALL.map(|code| counter(code.as_str())),
                aborted: counter("aborted"),
                seconds: request_seconds.get_or_create_owned(&LabelRoute { route }),
            }
        };
        let of_kind = |kind: TokenKind| {
            let kind = kind.as_str();
            How::ALL.map(|how| tokens.get_or_create_owned(&Source { kind, source: how.as_str() }))
        };
        let mut metrics = Self {
            registry: Registry::with_prefix("qrvey_relay"),
            routes: Route::ALL.map(of_route),
            requests_in_flight: Gauge::default(),
            connections_refused: Family::default(),
            mints: Family::default(),
            tokens: TokenKind::ALL.map(of_kind),
            upstream_seconds: Family::new_with_constructor(seconds_histogram),
            upstream_in_flight: Gauge::default(),
            identity_seconds: seconds_histogram(),
            kept_tokens: Gauge::default(),
            platform_left_alone: Gauge::default(),
            fleet_up: Gauge::default(),
            reloads: Family::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("requests", "Requests by route and outcome", requests);
        registry.register("request_seconds", "Time to answer a request", request_seconds);
        registry.register(
            "requests_in_flight",
            "Requests being answered",
            metrics.requests_in_flight.clone(),
        );
        let refused = "Connections, and requests beside others on one, that found no place";
        registry.register("connections_refused", refused, metrics.connections_refused.clone());
        registry.register("mints", "Mints by outcome", metrics.mints.clone());
        registry.register("tokens", "Tokens handed out, by where they came from", tokens);
        registry.register("upstream_seconds", "Time the platform took", metrics.upstream_seconds.clone());
        registry.register("upstream_in_flight", "Mints under way", metrics.upstream_in_flight.clone());
        registry.register(
            "identity_seconds",
            "Time to learn who is asking",
            metrics.identity_seconds.clone(),
        );
        registry.register("kept_tokens", "Tokens kept for reuse", metrics.kept_tokens.clone());
        let left_alone = "1 while the platform is left alone after outages";
        registry.register("platform_left_alone", left_alone, metrics.platform_left_alone.clone());
        let fleet_up = "1 while replicas share through Redis, 0 while this one works alone";
        registry.register("fleet_up", fleet_up, metrics.fleet_up.clone());
        registry.register(
            "reloads",
            "Reloads of configuration and certificate by outcome",
            metrics.reloads.clone(),
        );
        registry.register("log_lines_lost", "Lines that the log could not take", lines::LOST.clone());
        // There from the start, so that an alert sees the first refusal as a change.
        for is_good in [true, false] {
            for reload in [Reload::configuration(is_good), Reload::certificate(is_good)] {
                drop(metrics.reloads.get_or_create(&reload));
            }
        }
        for limit in [Limit::MAX_CONNECTIONS, Limit::MAX_CONNECTIONS_PER_ADDRESS] {
            drop(metrics.connections_refused.get_or_create(&limit));
        }
        metrics
    }

    /// All of it, as text.
    pub(crate) fn render(&self, gauges: Gauges) -> String {
        self.kept_tokens.set(i64::try_from(gauges.kept_tokens).unwrap_or(i64::MAX));
        self.fleet_up.set(i64::from(gauges.is_fleet_up));
        self.platform_left_alone.set(i64::from(gauges.is_platform_left_alone));
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    pub(crate) fn request_starts(&self) -> InFlight<'_> {
        InFlight::new(&self.requests_in_flight)
    }

    /// `code` is that of the problem, if the answer is one.
    pub(crate) fn request_ends(&self, route: Route, code: Option<ProblemCode>, took: Duration) {
        let Some(series) = self.routes.get(route as usize) else { return };
        match code {
            None => Some(&series.ok),
            Some(code) => series.problems.get(code as usize),
        }
        .map(Counter::inc);
        series.seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn request_aborted(&self, route: Route) {
        self.routes.get(route as usize).map(|series| series.aborted.inc());
    }

    pub(crate) fn connection_refused(&self, limit: &Limit) {
        self.connections_refused.get_or_create(limit).inc();
    }

    pub(crate) fn mint_starts(&self) -> InFlight<'_> {
        InFlight::new(&self.upstream_in_flight)
    }

    pub(crate) fn mint_ends(&self, kind: TokenKind, error: Option<UpstreamError>, took: Duration) {
        let (kind, outcome) = (kind.as_str(), error.map_or("ok", UpstreamError::label));
        self.mints.get_or_create(&Mint { kind, outcome }).inc();
        if error.is_none_or(UpstreamError::was_asked) {
            self.upstream_seconds.get_or_create(&LabelKind { kind }).observe(took.as_secs_f64());
        }
    }

    pub(crate) fn reloaded(&self, reload: &Reload) {
        self.reloads.get_or_create(reload).inc();
    }

    pub(crate) fn identified(&self, took: Duration) {
        self.identity_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn token_given(&self, kind: TokenKind, how: How) {
        if let Some(tokens) = self.tokens.get(kind as usize).and_then(|of_kind| of_kind.get(how as usize)) {
            tokens.inc();
        }
    }
}

/// One more under way, until dropped.
pub(crate) struct InFlight<'a>(&'a Gauge);

impl<'a> InFlight<'a> {
    fn new(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}
