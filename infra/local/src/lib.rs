//! The whole service on one machine: the same functions, an embedded DynamoDB engine, one folder.
//!
//! [`engine`] stands in for DynamoDB, [`home`] keeps it in a folder that one process owns, [`files`]
//! takes the place of the log stream, [`web`] and [`connections`] that of the API gateway, [`reports`] that of the
//! table's stream and of EventBridge, [`housekeeping`] that of the archive's schedule, [`mail`] chooses the way of
//! mail, and [`demo`] makes traffic to look at. [`serve`] puts them together, as [`cli`] says and [`commands`] does.

mod alerts;
mod channels;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod connections;
pub mod demo;
pub mod engine;
mod examine;
pub mod files;
pub mod home;
pub mod housekeeping;
mod judging;
pub mod mail;
mod metrics;
pub mod patience;
mod places;
pub mod quarantine;
pub mod reports;
pub mod serve;
mod socket;
pub mod standing;
mod tell;
mod understood;
pub mod verify;
mod watchers;
pub mod web;
