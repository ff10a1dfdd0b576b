//! A stand-in Qrvey platform and the demo host application.
