//! How DynamoDB is asked: keys, updates, writes and their conditions, the table itself.

pub(crate) mod keys;
mod table;
pub(crate) mod update;
pub(crate) mod writes;
