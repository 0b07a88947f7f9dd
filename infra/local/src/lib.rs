//! The whole service on one machine: the same functions, an embedded DynamoDB engine, one folder.
//!
//! [`engine`] stands in for DynamoDB, [`home`] keeps it in a folder that one process owns, [`files`]
//! and [`follow`] take the place of the log stream, [`web`] that of the API gateway, [`reports`] that of the
//! table's stream and of EventBridge, [`mail`] chooses the way of mail, and [`demo`] makes traffic to look at.

pub mod clock;
pub mod demo;
pub mod engine;
pub mod files;
pub mod follow;
pub mod home;
pub mod mail;
pub mod reports;
mod socket;
pub mod web;
