//! How an event looks in the log: text for people, or a JSON object for machines. Either is one line
//! whatever stands in it, and costs little, for every request writes one.

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

impl<S, N> FormatEvent<S, N> for LineFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let time = humantime::format_rfc3339_micros(SystemTime::now());
        let (level, target) = (event.metadata().level(), event.metadata().target());
        match self.0 {
            LogFormat::Text => {
                write!(line, "{time} {level} {target}:")?;
                let mut fields = TextFields { line: &mut line, result: Ok(()) };
                event.record(&mut fields);
                fields.result?;
            }
            LogFormat::Json => {
                write!(line, r#"{{"timestamp":"{time}","level":"{level}","target":"{target}""#)?;
                let mut fields = JsonFields { line: &mut line, result: Ok(()) };
                event.record(&mut fields);
                fields.result?;
                line.write_char('}')?;
            }
        }
        line.write_char('\n')
    }
}

struct TextFields<'a, 'w> {
    line: &'a mut Writer<'w>,
    result: fmt::Result,
}

struct JsonFields<'a, 'w> {
    line: &'a mut Writer<'w>,
    result: fmt::Result,
}

impl TextFields<'_, '_> {
    fn named(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        let name = field.name();
        self.result = self.result.and_then(|()| {
            self.line.write_char(' ')?;
            if name != "message" {
                self.line.write_str(name)?;
                self.line.write_char('=')?;
            }
            value(self.line)
        });
    }
}

impl JsonFields<'_, '_> {
    fn named(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        let name = field.name();
        self.result = self.result.and_then(|()| {
            self.line.write_str(",\"")?;
            self.line.write_str(name)?;
            self.line.write_str("\":")?;
            value(self.line)
        });
    }
}

impl Visit for TextFields<'_, '_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.named(field, |line| write!(Escaped { line, is_quoted: false }, "{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.named(field, |line| quoted(line, |text| text.write_str(value)));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.named(field, |line| write!(line, "{value}"));
    }
}

impl Visit for JsonFields<'_, '_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.named(field, |line| quoted(line, |text| write!(text, "{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.named(field, |line| quoted(line, |text| text.write_str(value)));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.named(field, |line| write!(line, "{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.named(field, |line| write!(line, "{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.named(field, |line| write!(line, "{value}"));
    }
}

fn quoted(line: &mut Writer<'_>, write: impl FnOnce(&mut Escaped<'_, '_>) -> fmt::Result) -> fmt::Result {
    line.write_char('"')?;
    write(&mut Escaped { line, is_quoted: true })?;
    line.write_char('"')
}

/// Escapes as JSON does, so that nothing in a value can end its quotes, its line or a terminal's mood.
struct Escaped<'a, 'w> {
    line: &'a mut Writer<'w>,
    is_quoted: bool,
}

impl Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.bytes().all(is_plain) {
            return self.line.write_str(text);
        }
        let is_special = |it: char| it.is_control() || self.is_quoted && matches!(it, '"' | '\\');
        let mut plain_from = 0;
        for (at, special) in text.char_indices().filter(|(_, it)| is_special(*it)) {
            self.line.write_str(text.get(plain_from..at).unwrap_or_default())?;
            match special {
                '"' => self.line.write_str("\\\"")?,
                '\\' => self.line.write_str("\\\\")?,
                // Control characters all lie where JSON's four digits reach.
                control => write!(self.line, "\\u{:04x}", u32::from(control))?,
            }
            plain_from = at + special.len_utf8();
        }
        self.line.write_str(text.get(plain_from..).unwrap_or_default())
    }
}

/// What never needs escaping, as nearly all is.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
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
