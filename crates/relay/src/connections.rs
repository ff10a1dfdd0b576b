//! Bounds on connections, all together and from one address: past them, new ones are closed at once,
//! so that whoever hoards connections keeps nobody else out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limiter::counted_address;
use crate::metrics::Limit;
use crate::router::Relay;

/// Lets so many connections in at once.
pub(crate) struct Places {
    free: Arc<Semaphore>,
    of_addresses: Arc<PerAddress>,
    /// Knows the proxies, which may bring as many as there is room for.
    relay: Relay,
}

struct PerAddress {
    limit: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection's place; given back on drop.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    _seat: Option<Seat>,
}

/// One of the places of an address; given back on drop.
struct Seat {
    of_addresses: Arc<PerAddress>,
    address: IpAddr,
}

impl Places {
    pub(crate) fn new(max: usize, max_per_address: usize, relay: Relay) -> Self {
        Self {
            free: Arc::new(Semaphore::new(max.min(Semaphore::MAX_PERMITS))),
            of_addresses: Arc::new(PerAddress { limit: max_per_address, open: Mutex::default() }),
            relay,
        }
    }

    /// `None`: there is none left.
    pub(crate) fn take(&self, peer: IpAddr) -> Option<Place> {
        let peer = peer.to_canonical();
        let place = self.place(peer);
        place.map_err(|limit| self.relay.metrics().connection_refused(&limit)).ok()
    }

    fn place(&self, peer: IpAddr) -> Result<Place, Limit> {
        let seat = match self.relay.is_proxy(peer) {
            true => None,
            false => {
                let seat = self.of_addresses.seat(counted_address(peer));
                Some(seat.ok_or(Limit::MAX_CONNECTIONS_PER_ADDRESS)?)
            }
        };
        let permit = Arc::clone(&self.free).try_acquire_owned().map_err(|_| Limit::MAX_CONNECTIONS)?;
        Ok(Place { _permit: permit, _seat: seat })
    }
}

impl PerAddress {
    fn seat(self: &Arc<Self>, address: IpAddr) -> Option<Seat> {
        let mut open = self.open();
        let taken = open.entry(address).or_default();
        // Never zero here, so a refusal leaves no empty entry behind.
        if *taken >= self.limit {
            return None;
        }
        *taken += 1;
        Some(Seat { of_addresses: Arc::clone(self), address })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.of_addresses.open();
        if let Some(taken) = open.get_mut(&self.address) {
            *taken -= 1;
            if *taken == 0 {
                open.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(max: usize, max_per_address: usize) -> Places {
        let relay = Relay::anonymous(r#"trusted_proxies = ["10.0.0.0/8"]"#);
        Places::new(max, max_per_address, relay)
    }

    fn place(places: &Places, peer: &str) -> Option<Place> {
        places.take(peer.parse().unwrap())
    }

    #[tokio::test]
    async fn a_place_is_free_again_when_its_connection_is_gone() {
        let places = places(1, 10);
        let first = place(&places, "192.0.2.1");
        assert!(first.is_some());
        assert!(place(&places, "192.0.2.2").is_none());
        drop(first);
        assert!(place(&places, "192.0.2.2").is_some());
    }

    #[tokio::test]
    async fn who_hoards_connections_keeps_only_himself_out() {
        let places = places(100, 2);
        let hoard = [place(&places, "2001:db8::1"), place(&places, "2001:db8::2")];
        assert!(hoard.iter().all(Option::is_some));
        assert!(place(&places, "2001:db8::3").is_none(), "one /64, one address");
        let other = place(&places, "192.0.2.1");
        assert!(other.is_some());
        assert!((0..50).map(|_| place(&places, "::ffff:10.1.2.3")).collect::<Option<Vec<_>>>().is_some());
        drop((hoard, other));
        assert!(place(&places, "2001:db8::3").is_some());
        assert!(places.of_addresses.open().is_empty(), "nothing is kept of who has left");
    }
}
