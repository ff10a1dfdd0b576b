//! The trusted server that holds the Qrvey credentials.
