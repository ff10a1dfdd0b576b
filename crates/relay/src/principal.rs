//! Who is asking, and what follows from that, worked out once for as long as it is known.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::claims::{ClaimPath, Claims, Scalar};
use crate::minted::GrantKey;

/// A caller that has been identified. It belongs to one configuration, as the identity service that
/// made it does.
pub(crate) struct Principal {
    claims: Claims,
    counted_as: [u8; 32],
    /// By the name of the profile; few have more than one.
    grants: Mutex<Vec<(String, Arc<KnownGrant>)>>,
}

/// What a principal gets of a profile, with the name that it is kept under.
pub(crate) struct KnownGrant {
    pub key: GrantKey,
    pub body: Bytes,
    pub lifetime: Duration,
}

impl Principal {
    pub(crate) fn new(claims: Claims) -> Self {
        let counted = match claims.read::<Scalar>(&ClaimPath::top_level("sub")) {
            Ok(subject) => serde_json::Value::from(subject).to_string().into_bytes(),
            Err(_) => claims.canonical_bytes(),
        };
        Self { claims, counted_as: Sha256::digest(counted).into(), grants: Mutex::new(Vec::with_capacity(1)) }
    }

    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Whom requests are counted against: the `sub` claim, or all claims where there is none.
    pub(crate) fn counted_as(&self) -> [u8; 32] {
        self.counted_as
    }

    /// The grant of a profile, which is made at the first use. A refusal is not kept.
    pub(crate) fn grant<E>(
        &self,
        profile: &str,
        make: impl FnOnce() -> Result<KnownGrant, E>,
    ) -> Result<Arc<KnownGrant>, E> {
        let mut grants = self.grants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, grant)) = grants.iter().find(|(name, _)| name == profile) {
            return Ok(Arc::clone(grant));
        }
        let grant = Arc::new(make()?);
        grants.push((profile.to_owned(), Arc::clone(&grant)));
        Ok(grant)
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Principal").field(&self.claims).finish()
    }
}
