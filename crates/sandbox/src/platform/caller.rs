//! Who calls the data API, taken from the token in the request's header.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::Platform;
use super::assets::{AssetKind, Assets};
use super::refusal::Refusal;
use super::rls::Policy;
use super::rows::{Cell, Dataset};
use super::token::{TokenKind, TokenRefusal};

/// The header that carries the bare token; `Authorization`, bare or after `Bearer`, does as well.
pub const TOKEN_HEADER: &str = "x-qv-token";

/// What a valid Composer token lets its bearer see and do.
pub(super) struct Caller {
    pub(super) assets: Assets,
    policy: Policy,
    clientid: Option<String>,
}

impl FromRequestParts<Arc<Platform>> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, platform: &Arc<Platform>) -> Result<Self, Refusal> {
        let token = token_of(&parts.headers).ok_or(TokenRefusal::Missing)?;
        let grant = platform.mint.open(token, TokenKind::Composer)?;
        // Both were checked at the login, so that a failure is the stand-in's own.
        let policy = Policy::parse(&grant.permissions).map_err(|_| Refusal::internal())?;
        let assets = Assets::parse(&grant.asset_permissions).map_err(|_| Refusal::internal())?;
        Ok(Self { assets, policy, clientid: grant.clientid })
    }
}

impl Caller {
    /// The rows of a dataset that row-level security lets through.
    pub(super) fn rows<'p>(
        &self,
        platform: &'p Platform,
        dataset_id: &str,
    ) -> Result<(&'p Dataset, Vec<&'p [Cell]>), Refusal> {
        let dataset = platform.datasets.iter().find(|dataset| dataset.id == dataset_id);
        let dataset =
            dataset.ok_or_else(|| Refusal::not_found(format!("there is no dataset `{dataset_id}`")))?;
        if !self.assets.opens(AssetKind::Datasets, dataset_id) {
            return Err(Refusal::forbidden(format!("the token does not open the dataset `{dataset_id}`")));
        }
        let visible =
            |row: &&[Cell]| self.policy.lets_through(dataset_id, |column| dataset.cell(row, column));
        Ok((dataset, dataset.rows.iter().map(Vec::as_slice).filter(visible).collect()))
    }

    /// The end user, whom personalisation, downloads and automations need to know.
    pub(super) fn clientid(&self) -> Result<&str, Refusal> {
        self.clientid.as_deref().ok_or_else(|| Refusal::forbidden("this needs a token with a `clientid`"))
    }
}

fn token_of(headers: &HeaderMap) -> Option<&str> {
    let text =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty());
    text(TOKEN_HEADER).or_else(|| {
        let authorization = text(header::AUTHORIZATION.as_str())?;
        Some(authorization.strip_prefix("Bearer ").unwrap_or(authorization))
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_token_is_found_in_either_header() {
        for (name, value) in
            [(TOKEN_HEADER, "abc"), ("authorization", "abc"), ("authorization", "Bearer abc")]
        {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            assert_eq!(token_of(&headers), Some("abc"), "{name}: {value}");
        }
        assert_eq!(token_of(&HeaderMap::new()), None);
    }
}
