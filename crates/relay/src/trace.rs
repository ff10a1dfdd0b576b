//! The names under which a request is found again: its own, and that of the trace it is part of.

use uuid::Uuid;

/// What every line of the log about a request says of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trail {
    /// Made here, for a caller's own could be anything.
    id: [u8; 32],
    trace: Option<TraceParent>,
}

/// A caller's `traceparent` (W3C Trace Context), taken only if it is well-formed. It goes to the
/// log and to the host application, never to the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceParent {
    trace_id: [u8; 32],
    flags: [u8; 2],
}

impl Trail {
    pub(crate) fn new(trace: Option<TraceParent>) -> Self {
        let mut id = [0; 32];
        Uuid::new_v4().simple().encode_lower(&mut id);
        Self { id, trace }
    }

    pub(crate) fn request_id(&self) -> &str {
        text(&self.id)
    }

    pub(crate) fn trace_id(&self) -> Option<&str> {
        self.trace.as_ref().map(|trace| text(&trace.trace_id))
    }

    /// The `traceparent` of a request that the relay makes on the caller's behalf.
    pub(crate) fn child_trace(&self) -> Option<String> {
        self.trace.as_ref().map(TraceParent::child)
    }
}

impl TraceParent {
    /// Reads version 00: `00-<32 hex>-<16 hex>-<2 hex>`, lower case, no id all zero.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace_id, parent_id, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let is_id = |text: &str| is_hex(text) && text.bytes().any(|byte| byte != b'0');
        let is_good = version == "00"
            && is_id(trace_id)
            && is_id(parent_id)
            && parent_id.len() == 16
            && is_hex(flags)
            && parts.next().is_none();
        let (trace_id, flags) = (trace_id.as_bytes().try_into().ok()?, flags.as_bytes().try_into().ok()?);
        is_good.then_some(Self { trace_id, flags })
    }

    pub(crate) fn child(&self) -> String {
        let span_id = Uuid::new_v4().as_u64_pair().0;
        format!("00-{}-{span_id:016x}-{}", text(&self.trace_id), text(&self.flags))
    }
}

/// Hexadecimal digits as text, which they always are.
fn text(digits: &[u8]) -> &str {
    str::from_utf8(digits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_well_formed_one_is_passed_on_with_a_new_parent() {
        let trace = TraceParent::parse(GOOD).unwrap();
        assert_eq!(Trail::new(Some(trace)).trace_id(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        let child = trace.child();
        assert!(child.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && child.ends_with("-01"));
        assert_ne!(child, GOOD);
        assert_eq!(TraceParent::parse(&child), Some(trace));
    }

    #[test]
    fn anything_else_is_ignored() {
        for bad in [
            "",
            "00-x-y-z",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
        ] {
            assert_eq!(TraceParent::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_request_has_an_id_of_its_own() {
        let (one, other) = (Trail::new(None), Trail::new(None));
        assert_eq!(one.request_id().len(), 32);
        assert_ne!(one.request_id(), other.request_id());
    }
}
