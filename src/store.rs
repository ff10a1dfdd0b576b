//! What a client holds: for each key the newest token, and the flight that is fetching one.

use std::rc::Rc;

use crate::flight::Flight;
use crate::lifetime::Deadline;

/// Tokens for more keys than this are forgotten, the oldest first, so that a page which varies its
/// options without end does not grow without end.
const MAX_KEYS: usize = 64;

/// A token as it was issued. `T` is how the page holds the text.
#[derive(Debug)]
pub(crate) struct Issued<T> {
    pub(crate) token: T,
    /// Absent if nobody knows how long the token lives.
    pub(crate) deadline: Option<Deadline>,
    /// What tabs tell by whether they may share; see `qrvey_auth_wire::TokenAnswer::grant`.
    pub(crate) grant: Option<String>,
    /// The Qrvey origin that the relay names for browsers.
    pub(crate) domain: Option<String>,
}

struct Slot<T, R> {
    key: String,
    issued: Option<Rc<Issued<T>>>,
    flight: Option<Rc<Flight<R>>>,
    /// The flight in whose place that one has taken off.
    outrun: Option<Rc<Flight<R>>>,
}

/// A small map in order of creation; a `Vec` is smaller in wasm than a hash map and, for the few
/// keys of a page, as fast.
pub(crate) struct Store<T, R> {
    slots: Vec<Slot<T, R>>,
}

impl<T, R: Clone> Store<T, R> {
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new() }
    }

    fn find(&self, key: &str) -> Option<&Slot<T, R>> {
        self.slots.iter().find(|slot| slot.key == key)
    }

    fn find_mut(&mut self, key: &str) -> Option<&mut Slot<T, R>> {
        self.slots.iter_mut().find(|slot| slot.key == key)
    }

    /// The token to hand out at `now_ms`, if there is one with enough life left.
    pub(crate) fn fresh(
        &self,
        key: &str,
        now_ms: f64,
        min_lifetime_ms: Option<f64>,
    ) -> Option<&Rc<Issued<T>>> {
        let issued = self.find(key)?.issued.as_ref()?;
        issued.deadline?.serves(now_ms, min_lifetime_ms).then_some(issued)
    }

    /// The flight under way that a caller may join: one who insists on a new token, only a forced one.
    pub(crate) fn flight(&self, key: &str, is_forced: bool) -> Option<&Rc<Flight<R>>> {
        self.find(key)?.flight.as_ref().filter(|flight| flight.is_open() && (flight.is_forced || !is_forced))
    }

    pub(crate) fn take_off(&mut self, key: &str, flight: Rc<Flight<R>>) {
        if let Some(slot) = self.find_mut(key) {
            slot.outrun = slot.flight.replace(flight).or(slot.outrun.take());
            return;
        }
        if self.slots.len() >= MAX_KEYS
            && let Some(idle) = self.slots.iter().position(|slot| slot.flight.is_none())
        {
            self.slots.remove(idle);
        }
        self.slots.push(Slot { key: key.to_owned(), issued: None, flight: Some(flight), outrun: None });
    }

    /// Ends `flight` and keeps what it brought, unless the key has been cleared or flown again
    /// since: an answer that comes after sign-out revives nothing. Says whether it was kept.
    pub(crate) fn touch_down(
        &mut self,
        key: &str,
        flight: &Rc<Flight<R>>,
        issued: Option<Rc<Issued<T>>>,
    ) -> bool {
        let Some(slot) = self.find_mut(key) else { return false };
        if !slot.flight.as_ref().is_some_and(|current| Rc::ptr_eq(current, flight)) {
            return false;
        }
        slot.flight = None;
        if issued.as_ref().is_some_and(|issued| issued.deadline.is_some()) {
            slot.issued = issued;
        }
        true
    }

    /// Takes a token that another tab has fetched.
    pub(crate) fn adopt(&mut self, key: &str, issued: Rc<Issued<T>>) {
        if let Some(slot) = self.find_mut(key) {
            slot.issued = Some(issued);
        }
    }

    /// Forgets every token and returns the flights that were under way.
    pub(crate) fn clear(&mut self) -> impl Iterator<Item = Rc<Flight<R>>> + use<T, R> {
        let slots = std::mem::take(&mut self.slots);
        slots.into_iter().flat_map(|slot| [slot.flight, slot.outrun]).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issued(token: &'static str, lifetime_ms: Option<f64>) -> Issued<&'static str> {
        Issued { token, deadline: lifetime_ms.map(|ms| Deadline::new(0.0, ms)), grant: None, domain: None }
    }

    fn flown(store: &mut Store<&'static str, ()>, key: &str, brought: Option<Issued<&'static str>>) {
        let flight = Flight::new(false, || {});
        store.take_off(key, Rc::clone(&flight));
        store.touch_down(key, &flight, brought.map(Rc::new));
    }

    #[test]
    fn hands_out_what_lives_long_enough_under_its_own_key() {
        let mut store = Store::new();
        flown(&mut store, "a", Some(issued("A", Some(60_000.0))));
        assert_eq!(store.fresh("a", 0.0, None).unwrap().token, "A");
        assert!(store.fresh("a", 0.0, Some(60_001.0)).is_none());
        assert!(store.fresh("a", 60_000.0, Some(0.0)).is_none());
        assert!(store.fresh("b", 0.0, None).is_none());
    }

    #[test]
    fn an_unknown_lifetime_is_not_kept_and_a_failure_keeps_the_old_token() {
        let mut store = Store::new();
        flown(&mut store, "a", Some(issued("A", None)));
        assert!(store.fresh("a", 0.0, None).is_none());
        flown(&mut store, "a", Some(issued("B", Some(60_000.0))));
        flown(&mut store, "a", None);
        assert_eq!(store.fresh("a", 0.0, None).unwrap().token, "B");
        assert!(store.flight("a", false).is_none());
    }

    #[test]
    fn a_late_answer_does_not_revive_what_was_cleared() {
        let mut store = Store::new();
        let flight = Flight::<()>::new(false, || {});
        store.take_off("a", Rc::clone(&flight));
        assert_eq!(store.clear().count(), 1);
        store.touch_down("a", &flight, Some(Rc::new(issued("A", Some(60_000.0)))));
        assert!(store.fresh("a", 0.0, None).is_none());
        let next = Flight::new(false, || {});
        store.take_off("a", Rc::clone(&next));
        store.touch_down("a", &flight, Some(Rc::new(issued("A", Some(60_000.0)))));
        assert!(store.fresh("a", 0.0, None).is_none());
        assert!(Rc::ptr_eq(store.flight("a", false).unwrap(), &next));
    }

    #[test]
    fn who_insists_on_a_new_token_joins_only_who_did_too() {
        let mut store = Store::<&'static str, ()>::new();
        store.take_off("a", Flight::new(false, || {}));
        assert!(store.flight("a", false).is_some());
        assert!(store.flight("a", true).is_none());
        store.take_off("a", Flight::new(true, || {}));
        assert!(store.flight("a", false).is_some());
        assert!(store.flight("a", true).is_some());
    }

    #[test]
    fn the_number_of_keys_is_bounded_and_those_in_flight_stay() {
        let mut store = Store::new();
        store.take_off("flying", Flight::<()>::new(false, || {}));
        for key in 0..500 {
            flown(&mut store, &key.to_string(), Some(issued("T", Some(60_000.0))));
        }
        assert_eq!(store.slots.len(), MAX_KEYS);
        assert!(store.flight("flying", false).is_some());
        assert!(store.fresh("499", 0.0, None).is_some());
    }
}
