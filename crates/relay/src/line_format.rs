//! How an event looks in the log: text for people, or a JSON object for machines. Either is one line
//! whatever stands in it, and costs little, for every request writes one.

use std::cell::RefCell;
use std::fmt::{self, Debug, Write};
use std::time::SystemTime;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::config::LogFormat;

/// Writes `time level target: message name=value …`, or the same as `{"timestamp":…}`.
pub(crate) struct LineFormat(pub(crate) LogFormat);

thread_local! {
    static LINE: RefCell<String> = const { RefCell::new(String::new()) };
}

impl<S, N> FormatEvent<S, N> for LineFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        LINE.with(|line| match line.try_borrow_mut() {
            Ok(mut line) => self.write(&mut line, &mut out, event),
            // A value's own `Debug` logs something while it is written.
            Err(_) => self.write(&mut String::new(), &mut out, event),
        })
    }
}

impl LineFormat {
    fn write(&self, line: &mut String, out: &mut Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let time = humantime::format_rfc3339_micros(SystemTime::now());
        let (level, target) = (event.metadata().level().as_str(), event.metadata().target());
        line.clear();
        match self.0 {
            LogFormat::Text => {
                write!(line, "{time} ")?;
                for part in [level, " ", target, ":"] {
                    line.push_str(part);
                }
                event.record(&mut Fields { line, format: self.0 });
            }
            LogFormat::Json => {
                write!(line, r#"{{"timestamp":"{time}","level":"{level}","target":"{target}""#)?;
                event.record(&mut Fields { line, format: self.0 });
                line.push('}');
            }
        }
        line.push('\n');
        out.write_str(line)
    }
}

struct Fields<'a> {
    line: &'a mut String,
    format: LogFormat,
}

impl Fields<'_> {
    fn name(&mut self, field: &Field) {
        let parts = match (self.format, field.name()) {
            (LogFormat::Text, "message") => [" ", "", ""],
            (LogFormat::Text, name) => [" ", name, "="],
            (LogFormat::Json, name) => [",\"", name, "\":"],
        };
        for part in parts {
            self.line.push_str(part);
        }
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.name(field);
        match self.format {
            LogFormat::Text => write_debug(self.line, value, false),
            LogFormat::Json => {
                self.line.push('"');
                write_debug(self.line, value, true);
                self.line.push('"');
            }
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.name(field);
        quote(self.line, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.name(field);
        self.line.push_str(itoa::Buffer::new().format(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.name(field);
        self.line.push_str(itoa::Buffer::new().format(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.name(field);
        self.line.push_str(if value { "true" } else { "false" });
    }
}

fn quote(line: &mut String, text: &str) {
    line.push('"');
    escape(line, text, true);
    line.push('"');
}

fn write_debug(line: &mut String, value: &dyn Debug, is_quoted: bool) {
    // Fails only if the value's own `Debug` does.
    let _ = write!(Escaped { line, is_quoted }, "{value:?}");
}

struct Escaped<'a> {
    line: &'a mut String,
    is_quoted: bool,
}

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(self.line, text, self.is_quoted);
        Ok(())
    }
}

/// Escapes as JSON does, so that nothing in a text can end its quotes, its line or a terminal's mood.
fn escape(line: &mut String, text: &str, is_quoted: bool) {
    let is_special = |byte: u8| !matches!(byte, b' '..=b'~') | (byte == b'"') | (byte == b'\\');
    // As nearly every text is; without an early exit many bytes are looked at together.
    if !text.bytes().fold(false, |found, byte| found | is_special(byte)) {
        line.push_str(text);
        return;
    }
    for it in text.chars() {
        match it {
            '"' | '\\' if is_quoted => line.extend(['\\', it]),
            // Control characters all lie where JSON's four digits reach.
            it if it.is_control() => line.push_str(&format!("\\u{:04x}", u32::from(it))),
            it => line.push(it),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::Value;
    use tracing::subscriber::with_default;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(format: LogFormat, log: impl FnOnce()) -> String {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .event_format(LineFormat(format))
            .with_writer(move || writer.clone())
            .finish();
        with_default(subscriber, log);
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn log() {
        let error = io::Error::other("\"broken\"\nINFO forged");
        tracing::warn!(status = 200_u16, none = None::<&str>, name = "a\u{1b}[0m\"\\é", %error, "it happened");
    }

    #[test]
    fn text_is_one_line_whatever_stands_in_it() {
        let line = written(LogFormat::Text, log);
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.ends_with('Z') && time.len() == "2026-11-25T00:00:00.000000Z".len(), "{time}");
        assert_eq!(
            rest,
            "WARN qrvey_relay::line_format::tests: it happened status=200 name=\"a\\u001b[0m\\\"\\\\é\" \
             error=\"broken\"\\u000aINFO forged\n"
        );
    }

    #[test]
    fn json_is_an_object_with_its_types() {
        let line = written(LogFormat::Json, log);
        assert_eq!(line.matches('\n').count(), 1);
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&value["level"], &value["message"]), (&"WARN".into(), &"it happened".into()));
        assert_eq!((&value["status"], value.get("none")), (&200.into(), None));
        assert_eq!(value["name"], "a\u{1b}[0m\"\\é");
        assert_eq!(value["error"], "\"broken\"\nINFO forged");
    }
}
