//! The issuer's public keys: fetched, kept, and fetched again when a token names one that is not
//! there, but not more often than a stranger's made-up key ids should make us.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use qrvey_auth_wire::ProblemCode;
use reqwest::Client;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use crate::config::Jwt;
use crate::http::{self, BodyError};
use crate::json;
use crate::problem::Failure;

/// The most that is read of a key set, in bytes.
const MAX_KEY_SET_BYTES: usize = 256 * 1024;
const MAX_KEYS: usize = 64;
/// A withdrawn key is believed no longer than this while the issuer can be reached.
const MAX_AGE: Duration = Duration::from_secs(600);
/// However many unknown key ids come in, and however ill the issuer is, it is asked no more often.
const MIN_INTERVAL: Duration = Duration::from_secs(10);
const RETRY_SOON: Duration = Duration::from_secs(2);

/// A key and the one algorithm that it is used with.
#[derive(Clone)]
pub(crate) struct VerificationKey {
    id: Option<String>,
    pub algorithm: Algorithm,
    pub key: DecodingKey,
}

impl std::fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VerificationKey({:?}, {:?})", self.id, self.algorithm)
    }
}

#[derive(Debug)]
pub(super) struct KeySet {
    http: Client,
    url: Url,
    kept: ArcSwapOption<Fetched>,
    /// When the issuer was last asked; held while it is being asked.
    last_ask: Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct Fetched {
    at: Instant,
    keys: Vec<VerificationKey>,
}

impl KeySet {
    pub(super) fn new(config: &Jwt) -> Result<Self, reqwest::Error> {
        let http = http::client(config.jwks_url.as_str(), config.timeout).build()?;
        Ok(Self {
            http,
            url: config.jwks_url.clone(),
            kept: ArcSwapOption::empty(),
            last_ask: Mutex::default(),
        })
    }

    /// The key for a token's header; `None` if the issuer has none such.
    pub(super) async fn find(
        self: &Arc<Self>,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Option<VerificationKey>, Failure> {
        let kept = self.kept.load_full();
        if let Some(fetched) = kept.as_ref().filter(|fetched| fetched.at.elapsed() < MAX_AGE)
            && let Some(key) = select(&fetched.keys, id, algorithm)
        {
            return Ok(Some(key));
        }
        // A task of its own: a caller who leaves does not end it, and so keeps nobody else from the keys.
        let (this, seen) = (Arc::clone(self), kept.clone());
        let refreshed = tokio::spawn(async move { this.refresh(seen.as_ref()).await }).await;
        match refreshed.unwrap_or(kept) {
            Some(fetched) => Ok(select(&fetched.keys, id, algorithm)),
            None => Err(Failure::new(
                ProblemCode::UpstreamUnavailable,
                "The keys that sign-in tokens are checked with cannot be fetched. Try again later.",
            )
            .retry_after(RETRY_SOON)),
        }
    }

    /// Asks the issuer, unless somebody just did; the last good answer where it gives none.
    async fn refresh(&self, seen: Option<&Arc<Fetched>>) -> Option<Arc<Fetched>> {
        let mut last_ask = self.last_ask.lock().await;
        let kept = self.kept.load_full();
        let changed_meanwhile = kept.as_ref().map(Arc::as_ptr) != seen.map(Arc::as_ptr);
        if changed_meanwhile || last_ask.is_some_and(|at| at.elapsed() < MIN_INTERVAL) {
            return kept;
        }
        let answer = self.fetch().await;
        *last_ask = Some(Instant::now());
        match answer {
            Ok(keys) => {
                tracing::info!(keys = keys.len(), "fetched the issuer's keys");
                let fetched = Arc::new(Fetched { at: Instant::now(), keys });
                self.kept.store(Some(Arc::clone(&fetched)));
                Some(fetched)
            }
            Err(reason) => {
                tracing::warn!(reason, "cannot fetch identity.jwks_url");
                kept
            }
        }
    }

    pub(super) async fn fetch(&self) -> Result<Vec<VerificationKey>, &'static str> {
        let response = self.http.get(self.url.clone()).send().await.map_err(|_| "no answer")?;
        if !response.status().is_success() {
            return Err("an error status");
        }
        let body = http::read_body(response, MAX_KEY_SET_BYTES).await.map_err(|error| match error {
            BodyError::TooLarge => "the answer is larger than 256 KiB",
            BodyError::Broken(_) => "the answer broke off",
        })?;
        parse(&body).ok_or("the answer is no key set with a usable key")
    }
}

fn select(keys: &[VerificationKey], id: Option<&str>, algorithm: Algorithm) -> Option<VerificationKey> {
    let mut fitting = keys.iter().filter(|key| key.algorithm == algorithm);
    match id {
        Some(id) => fitting.find(|key| key.id.as_deref() == Some(id)).cloned(),
        // Without an id there must be no doubt which key is meant.
        None => fitting.next().filter(|_| fitting.next().is_none()).cloned(),
    }
}

/// Reads the usable keys; one that is malformed or of another kind does not spoil the rest.
pub(super) fn parse(body: &[u8]) -> Option<Vec<VerificationKey>> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let set: Set = json::object(body).ok()?;
    let keys: Vec<_> = set.keys.into_iter().take(MAX_KEYS).filter_map(usable).collect();
    (!keys.is_empty()).then_some(keys)
}

fn usable(key: Value) -> Option<VerificationKey> {
    let jwk: Jwk = serde_json::from_value(key).ok()?;
    if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
        return None;
    }
    let (algorithm, named) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        _ => return None,
    };
    if jwk.common.key_algorithm.is_some_and(|other| other != named) {
        return None;
    }
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    Some(VerificationKey { id: jwk.common.key_id, algorithm, key })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::any;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;

    const ED_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn ed(id: &str) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": ED_X, "kid": id })
    }

    fn parse(set: &Value) -> Vec<Option<String>> {
        super::parse(set.to_string().as_bytes()).unwrap_or_default().into_iter().map(|key| key.id).collect()
    }

    #[test]
    fn only_public_signature_keys_of_the_three_kinds_are_used() {
        let mut encryption = ed("enc");
        encryption["use"] = json!("enc");
        let mut other_algorithm = ed("alg");
        other_algorithm["alg"] = json!("HS256");
        let set = json!({ "keys": [
            { "kty": "oct", "k": "c2VjcmV0", "kid": "hmac", "alg": "HS256" },
            { "kty": "EC", "crv": "P-384", "x": "AA", "y": "AA", "kid": "p384" },
            { "kty": "new", "kid": "new" }, "text", {},
            encryption, other_algorithm, ed("good"),
        ]});
        assert_eq!(parse(&set), [Some("good".to_owned())]);
        assert!(parse(&json!({ "keys": [] })).is_empty());
        assert!(parse(&json!([])).is_empty());
    }

    #[tokio::test]
    async fn a_new_key_is_fetched_when_a_token_names_it_and_a_withdrawn_one_is_forgotten() {
        let issuer = MockServer::start().await;
        let publish = async |id: &str| {
            issuer.reset().await;
            let set = ResponseTemplate::new(200).set_body_json(json!({ "keys": [ed(id)] }));
            Mock::given(any()).respond_with(set).mount(&issuer).await;
        };
        let keys = KeySet::new(&Jwt {
            issuer: String::new(),
            audience: Vec::new(),
            jwks_url: issuer.uri().parse().unwrap(),
            cookie: None,
            leeway: Duration::ZERO,
            timeout: Duration::from_secs(5),
        })
        .map(Arc::new)
        .unwrap();
        let find = async |id: &str| keys.find(Some(id), Algorithm::EdDSA).await.unwrap().is_some();
        publish("first").await;
        assert!(find("first").await);
        publish("second").await;
        assert!(!find("second").await, "the issuer was asked a moment ago");
        *keys.last_ask.lock().await = Instant::now().checked_sub(MIN_INTERVAL);
        assert!(find("second").await);
        assert!(!find("first").await);
        // An issuer that is down leaves the keys in force.
        issuer.reset().await;
        *keys.last_ask.lock().await = None;
        assert!(!find("third").await);
        assert!(find("second").await);
    }

    #[test]
    fn a_token_without_key_id_needs_a_single_fitting_key() {
        let keys = |ids: &[&str]| {
            super::parse(
                json!({ "keys": ids.iter().map(|id| ed(id)).collect::<Vec<_>>() }).to_string().as_bytes(),
            )
            .unwrap()
        };
        assert!(select(&keys(&["a"]), None, Algorithm::EdDSA).is_some());
        assert!(select(&keys(&["a", "b"]), None, Algorithm::EdDSA).is_none());
        assert!(select(&keys(&["a", "b"]), Some("b"), Algorithm::EdDSA).is_some());
        assert!(select(&keys(&["a"]), Some("a"), Algorithm::HS256).is_none());
    }
}
