use uuid::Uuid;

/// A caller's `traceparent` (W3C Trace Context), taken only if it is well-formed. It goes to the
/// log and to the host application, never to the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TraceParent {
    trace_id: String,
    flags: String,
}

impl TraceParent {
    /// Reads version 00: `00-<32 hex>-<16 hex>-<2 hex>`, lower case, no id all zero.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace_id, parent_id, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_hex = |text: &str, length: usize| {
            text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let is_id = |text: &str, length| is_hex(text, length) && text.bytes().any(|byte| byte != b'0');
        let is_good = version == "00" && is_id(trace_id, 32) && is_id(parent_id, 16) && is_hex(flags, 2);
        (is_good && parts.next().is_none())
            .then(|| Self { trace_id: trace_id.to_owned(), flags: flags.to_owned() })
    }

    pub(crate) fn trace_id(&self) -> &str {
        &self.trace_id
    }

    /// The header for a request that the relay makes on the caller's behalf.
    pub(crate) fn child(&self) -> String {
        let span_id = Uuid::new_v4().as_u64_pair().0;
        format!("00-{}-{span_id:016x}-{}", self.trace_id, self.flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_well_formed_one_is_passed_on_with_a_new_parent() {
        let trace = TraceParent::parse(GOOD).unwrap();
        assert_eq!(trace.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
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
        ] {
            assert_eq!(TraceParent::parse(bad), None, "{bad}");
        }
    }
}
