//! What scripts ask, and are answered: JSON and CSV below `/v1`.
//!
//! [`params`] and [`body`] read what was asked, strictly; [`problem`] says what is wrong with it;
//! [`openapi`] describes all of it from the same types and `schemas`.

pub(crate) mod alert_bodies;
pub(crate) mod alerts;
pub(crate) mod body;
pub(crate) mod channels;
pub(crate) mod charts;
pub(crate) mod contents;
pub(crate) mod details;
pub(crate) mod export;
pub(crate) mod failures;
pub(crate) mod habit;
pub(crate) mod insight;
pub(crate) mod labels;
pub(crate) mod mute_bodies;
pub(crate) mod mutes;
pub(crate) mod note_bodies;
pub(crate) mod note_sheets;
pub(crate) mod notes;
pub(crate) mod openapi;
pub(crate) mod params;
pub(crate) mod places;
pub(crate) mod plan;
pub(crate) mod problem;
pub(crate) mod report_requests;
mod responses;
pub(crate) mod schedule_bodies;
pub(crate) mod schedules;
mod schemas;
pub(crate) mod search;
pub(crate) mod sources;
pub(crate) mod tables;
pub(crate) mod timetable;
