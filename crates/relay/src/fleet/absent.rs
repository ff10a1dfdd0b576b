use std::time::Duration;

use super::{FleetConfig, FleetError, SharedToken, Turn};
use crate::minted::{FreshToken, GrantKey};

/// In a build without the feature there is no fleet, so nothing of it can ever run.
pub(crate) enum Fleet {}

impl Fleet {
    pub(crate) fn new(_: &FleetConfig) -> Result<Self, FleetError> {
        Err(FleetError::Absent)
    }

    pub(crate) async fn find(&self, _: &GrantKey) -> Option<SharedToken> {
        match *self {}
    }

    pub(crate) async fn take_turn(&self, _: &GrantKey, _: Duration) -> Turn {
        match *self {}
    }

    pub(crate) async fn share(&self, _: &GrantKey, _: &FreshToken) {
        match *self {}
    }

    pub(crate) async fn end_turn(&self, _: &GrantKey) {
        match *self {}
    }

    pub(crate) async fn forget(&self, _: &GrantKey) {
        match *self {}
    }

    pub(crate) async fn admit(&self, _: &str, _: &[u8], _: u32) -> Result<(), Duration> {
        match *self {}
    }

    pub(crate) fn is_up(&self) -> bool {
        match *self {}
    }
}
