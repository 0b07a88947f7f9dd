//! What scripts ask, and are answered: JSON and CSV below `/v1`.

pub(crate) mod body;
pub(crate) mod charts;
pub(crate) mod export;
pub(crate) mod insight;
pub(crate) mod openapi;
pub(crate) mod params;
pub(crate) mod problem;
pub(crate) mod report_requests;
pub(crate) mod schedules;
pub(crate) mod sender;
pub(crate) mod tables;
pub(crate) mod timetable;
