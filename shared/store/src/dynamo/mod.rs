//! How DynamoDB is asked. Nothing outside of this folder sends a request.
//!
//! Requests are boxed where they are sent: the SDK's futures lie in each other so deep that whoever awaits
//! them through some calls would meet the compiler's limit.

pub(crate) mod error;
pub(crate) mod items;
pub(crate) mod keys;
pub(crate) mod reads;
pub(crate) mod table;
pub(crate) mod update;
pub(crate) mod writes;
